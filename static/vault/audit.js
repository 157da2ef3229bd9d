// The audit explorer: copies the link of a search, and looks again at exports that are being written.
"use strict";

(() => {
  const button = document.querySelector("[data-copy-link]");
  const told = document.querySelector("[data-copied]");
  if (button && told) {
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(window.location.href);
        told.textContent = "The link of this search is copied. Who opens it sees what they may see.";
      } catch {
        told.textContent = `Copy this link: ${window.location.href}`;
      }
    });
  }
  const waiting = document.querySelector("[data-reload]");
  if (waiting) {
    const again = () => {
      if (document.hidden || waiting.contains(document.activeElement)) {
        window.setTimeout(again, 1000);
        return;
      }
      window.location.replace(window.location.pathname);
    };
    window.setTimeout(again, Number(waiting.dataset.reload) * 1000);
  }
})();
