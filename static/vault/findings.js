// What is selected in a sample becomes the words that were missed.
"use strict";

document.addEventListener("selectionchange", () => {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !selection.anchorNode) {
    return;
  }
  const start = selection.anchorNode.parentElement;
  const text = start ? start.closest("[data-text]") : null;
  if (!text || !text.contains(selection.focusNode)) {
    return;
  }
  const field = text.closest("[data-sample]").querySelector("[data-missed]");
  if (field) {
    field.value = selection.toString().slice(0, 1000);
  }
});
