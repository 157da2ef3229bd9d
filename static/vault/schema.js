// The schema editor: says at once where the text is no JSON, and keeps the tab key for indenting.
"use strict";

(() => {
  const INDENT = "  ";

  const problemOf = (text) => {
    if (!text.trim()) return "";
    try {
      JSON.parse(text);
      return "";
    } catch (error) {
      return `Not valid JSON yet: ${error.message}`;
    }
  };

  const indent = (area) => {
    area.setRangeText(INDENT, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input"));
  };

  for (const form of document.querySelectorAll("[data-schema]")) {
    const area = form.elements.document;
    const status = form.querySelector("[data-json]");
    let leaves = false; // Escape, then Tab, moves on: nobody is held in the text by the keyboard
    area.addEventListener("input", () => {
      status.textContent = problemOf(area.value);
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Tab" && !event.shiftKey && !leaves) {
        event.preventDefault();
        indent(area);
      }
      leaves = event.key === "Escape";
    });
  }
})();
