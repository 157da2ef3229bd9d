// Exports: one step of the wizard at a time, and a progress bar that moves. Both pages work without this file.
"use strict";

(() => {
  const POLL_FIRST_MS = 700;
  const POLL_LONGEST_MS = 5000;
  const FINAL = new Set(["succeeded", "failed", "cancelled"]);

  // ---- wizard -----------------------------------------------------------------------------------------------------

  class Wizard {
    constructor(form) {
      this.steps = [...form.querySelectorAll("[data-step]")];
      this.marks = form.querySelector("[data-wizard-steps]");
      this.back = form.querySelector("[data-back]");
      this.next = form.querySelector("[data-next]");
      this.review = form.querySelector("[data-review]");
      this.marks.hidden = false;
      this.back.addEventListener("click", () => this.show(this.at - 1));
      this.next.addEventListener("click", () => this.isFilled() && this.show(this.at + 1));
      form.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.target.matches("button, a") || this.review.hidden === false) return;
        event.preventDefault();
        this.next.click();
      });
      this.show(0, false);
    }

    isFilled() {
      return [...this.steps[this.at].querySelectorAll("input, select")].every((field) => field.reportValidity());
    }

    show(at, isMoved = true) {
      this.at = at;
      const isLast = at === this.steps.length - 1;
      this.steps.forEach((step, index) => {
        step.hidden = index !== at;
      });
      [...this.marks.children].forEach((mark, index) => {
        if (index === at) mark.setAttribute("aria-current", "step");
        else mark.removeAttribute("aria-current");
      });
      this.back.hidden = at === 0;
      this.next.hidden = isLast;
      this.review.hidden = !isLast;
      if (isMoved) this.steps[at].querySelector("legend").focus();
    }
  }

  // ---- progress ---------------------------------------------------------------------------------------------------

  const grouped = (number) => Number(number || 0).toLocaleString("en");

  const watch = (box) => {
    const bar = box.querySelector("progress");
    const status = box.querySelector("[data-status]");
    let wait = POLL_FIRST_MS;
    const look = async () => {
      try {
        const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const found = await answer.json();
        if (FINAL.has(found.status)) {
          location.reload();
          return;
        }
        const told = found.progress || {};
        bar.value = told.percent || 0;
        if (found.status === "running") {
          status.textContent = `${grouped(told.read)} records looked at, ${grouped(told.records)} rows written.`;
        }
      } catch {
        status.textContent = "The vault does not answer; this page keeps asking.";
      }
      wait = Math.min(wait * 1.3, POLL_LONGEST_MS);
      setTimeout(look, wait);
    };
    setTimeout(look, wait);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("form[data-wizard]").forEach((form) => new Wizard(form));
    document.querySelectorAll("[data-export-progress]").forEach(watch);
  });
})();
