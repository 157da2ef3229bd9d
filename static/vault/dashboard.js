// The home page: fetches its pieces, and draws those anew that change while somebody looks at them.
"use strict";

(() => {
  const REDRAW_MS = 15000;
  const HEADERS = { "X-Vault-Piece": "1", Accept: "text/html" };

  const paragraph = (text, className) => {
    const made = document.createElement("p");
    made.textContent = text;
    made.className = className;
    return made;
  };

  class Piece {
    constructor(box) {
      this.box = box;
      this.isLive = "live" in box.dataset;
      this.draw();
    }

    async draw() {
      this.box.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(this.box.dataset.url, { headers: HEADERS });
        if (answer.redirected) throw new Error("You are signed out. Open the page again to sign in.");
        if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        this.box.replaceChildren(...page.body.childNodes);
        this.box.querySelectorAll(".v-scroll").forEach(reach);
      } catch (problem) {
        this.fail(problem instanceof TypeError ? "The server cannot be reached." : problem.message);
      } finally {
        this.box.setAttribute("aria-busy", "false");
      }
    }

    fail(reason) {
      const said = paragraph(`This could not be loaded. ${reason} `, "v-note v-bad");
      said.setAttribute("role", "alert");
      const again = document.createElement("button");
      again.type = "button";
      again.className = "v-button v-small";
      again.textContent = "Try again";
      again.addEventListener("click", () => this.draw());
      said.append(again);
      this.box.replaceChildren(said);
    }
  }

  /** What is wider than the page and holds nothing to go to is scrolled by keyboard as well. */
  const reach = (box) => {
    if (box.scrollWidth > box.clientWidth && !box.querySelector("a, button, input, select")) box.tabIndex = 0;
  };

  /** Draws the live pieces again, at most once in REDRAW_MS, after something happened that they tell of. */
  class Board {
    constructor(pieces, status) {
      this.pieces = pieces.filter((piece) => piece.isLive);
      this.status = status;
      this.waits = null;
      document.addEventListener("vault:event", () => this.happened());
    }

    happened() {
      if (this.waits) return;
      this.waits = setTimeout(() => this.redraw(), REDRAW_MS);
    }

    async redraw() {
      this.waits = null;
      if (document.visibilityState !== "visible" || document.activeElement?.closest("[data-piece]")) return;
      await Promise.all(this.pieces.map((piece) => piece.draw()));
      if (this.status) this.status.textContent = "The figures were brought up to date.";
    }
  }

  /** The two times are asked for where the period is one's own. */
  const unfold = (choice) => {
    const show = () => choice.form.querySelectorAll("[data-custom]").forEach((label) => { label.hidden = choice.value !== "custom"; });
    choice.addEventListener("change", show);
    show();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-period]").forEach(unfold);
    const pieces = [...document.querySelectorAll("[data-piece]")].map((box) => new Piece(box));
    if (pieces.length) new Board(pieces, document.querySelector("[data-board-status]"));
  });
})();
