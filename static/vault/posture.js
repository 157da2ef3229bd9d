// A run of probes: a progress bar that moves. The page works without this file.
"use strict";

(() => {
  const POLL_MS = 1500;
  const FINAL = new Set(["succeeded", "failed", "cancelled"]);
  const box = document.querySelector("[data-run]");
  if (!box) return;
  const bar = box.querySelector("progress");
  const status = box.querySelector("[data-status]");

  const look = async () => {
    try {
      const answer = await fetch(box.dataset.run, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (FINAL.has(found.status)) {
        location.reload();
        return;
      }
      const told = found.progress || {};
      bar.value = told.percent || 0;
      status.textContent = `${Number(told.done || 0)} of ${box.dataset.total} probes`;
    } catch {
      status.textContent = "The vault does not answer; this page keeps asking.";
    }
    setTimeout(look, POLL_MS);
  };
  setTimeout(look, POLL_MS);
})();
