// The vault's own pages: uploads, the live feed, long texts. No markup is ever made from data: text goes in as text.
"use strict";

(() => {
  const COLLAPSE_ABOVE = 340;
  const POLL_FIRST_MS = 500;
  const POLL_LONGEST_MS = 5000;
  const REFRESH_MS = 60000;
  const ROWS_KEPT = 12;
  //: What looking at the vault makes happen by itself.
  const LOOKING = new Set(["admin.access.read", "audit.access.read"]);
  const FINAL = new Set(["succeeded", "failed", "cancelled"]);
  const isLooking = ({ type, data }) =>
    data?.action?.status === "success" && (LOOKING.has(type) || data.resource?.type === "dashboard");
  const NO_ID = "00000000-0000-0000-0000-000000000000";

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  // ---- long texts -------------------------------------------------------------------------------------------------

  const collapse = (text) => {
    if (text.scrollHeight <= COLLAPSE_ABOVE) return;
    const button = element("button", "Show all of it", "v-expand");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    text.classList.add("v-collapsed");
    button.addEventListener("click", () => {
      const isCollapsed = text.classList.toggle("v-collapsed");
      button.textContent = isCollapsed ? "Show all of it" : "Show less";
      button.setAttribute("aria-expanded", String(!isCollapsed));
    });
    text.after(button);
  };

  // ---- upload -----------------------------------------------------------------------------------------------------

  class Upload {
    constructor(form) {
      this.form = form;
      this.box = form.querySelector("[data-progress]");
      this.bar = form.querySelector("progress");
      this.status = form.querySelector("[data-status]");
      this.problems = form.querySelector("[data-problems]");
      this.button = form.querySelector("button[type=submit]");
      this.drop = form.querySelector(".v-drop");
      form.elements.file.addEventListener("change", () => this.nameFile());
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.send();
      });
      for (const kind of ["dragenter", "dragover"]) this.drop.addEventListener(kind, () => this.drop.classList.add("v-over"));
      for (const kind of ["dragleave", "drop"]) this.drop.addEventListener(kind, () => this.drop.classList.remove("v-over"));
    }

    nameFile() {
      const file = this.form.elements.file.files[0];
      if (!file) return;
      this.form.querySelector("[data-file-name]").textContent = `${file.name}, ${size(file.size)}`;
      this.form.elements.format.value = /\.csv(\.gz|\.zst)?$/i.test(file.name) ? "csv" : "auto";
    }

    query() {
      const chosen = this.form.elements;
      const query = new URLSearchParams({ wait: "2" });
      for (const name of ["format", "mode", "on_error", "shape", "id_field", "id_mode", "key", "message"]) {
        if (chosen[name]?.value) query.set(name, chosen[name].value);
      }
      return query;
    }

    send() {
      const file = this.form.elements.file.files[0];
      if (!file) return;
      this.show("running", "Sending ...", 0);
      this.button.disabled = true;
      const request = new XMLHttpRequest();
      request.open("POST", `${this.form.dataset.url}?${this.query()}`);
      request.setRequestHeader("X-CSRFToken", this.form.dataset.csrf);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) {
          const percent = (100 * event.loaded) / event.total;
          this.show("running", `Sending ${size(event.loaded)} of ${size(event.total)}`, percent * 0.5);
        }
      });
      request.upload.addEventListener("load", () => this.show("running", "Received and sealed. Looking for personal data ...", 50));
      request.addEventListener("load", () => this.received(request));
      request.addEventListener("error", () => this.fail({ title: "The connection broke. Nothing was stored." }));
      request.send(file);
    }

    received(request) {
      const answer = parsed(request.responseText);
      if (request.status >= 400 || !answer) this.fail(answer || { title: `The server answered ${request.status}.` });
      else this.follow(answer, POLL_FIRST_MS);
    }

    follow(ingest, delay) {
      if (ingest.status === "succeeded") return this.finish(ingest);
      if (FINAL.has(ingest.status)) return this.fail({ ...(ingest.error || { title: "The upload was cancelled." }), ingest: ingest.id });
      const records = Number(ingest.progress?.records || 0).toLocaleString("en");
      const stage = ingest.progress?.stage === "build" ? "Building the version" : "Looking for personal data";
      this.show("running", `${stage}: ${records} records so far`, null);
      return setTimeout(() => this.poll(ingest.id, delay), delay);
    }

    async poll(id, delay) {
      const longer = Math.min(delay * 1.5, POLL_LONGEST_MS);
      let answer;
      try {
        answer = await fetch(this.form.dataset.ingestUrl.replace(NO_ID, id), { headers: { Accept: "application/json" } });
      } catch {
        setTimeout(() => this.poll(id, longer), longer);
        return;
      }
      const body = await answer.json();
      if (answer.ok) this.follow(body, longer);
      else this.fail(body);
    }

    finish(ingest) {
      const records = Number(ingest.progress?.records || 0).toLocaleString("en");
      const shape = ingest.recognized_shape && ingest.recognized_shape !== "any" ? ` as ${ingest.recognized_shape}` : "";
      this.show("succeeded", `Stored: ${records} records${shape} in version ${ingest.version}. `, 100);
      this.button.disabled = false;
      const again = element("a", "Show it");
      again.href = location.pathname;
      this.status.append(again);
      if (ingest.rejected_count) {
        const lines = ingest.rejected_count === 1 ? "One line was" : `${ingest.rejected_count.toLocaleString("en")} lines were`;
        this.status.append(` ${lines} rejected. `);
        this.linkRejects(ingest.id);
      }
    }

    fail(problem) {
      this.show("failed", `${problem.detail || problem.title}${problem.code ? ` (${problem.code})` : ""} `, 100);
      this.button.disabled = false;
      const listed = (problem.errors || []).filter((one) => !(problem.detail || "").includes(one.detail));
      this.problems.replaceChildren(
        ...listed.slice(0, 20).map((one) => element("li", `${one.line ? `Line ${one.line}: ` : ""}${one.field?.startsWith("/") ? `${one.field}: ` : ""}${one.detail}`)),
      );
    }

    linkRejects(id) {
      if (!this.form.dataset.rejectsUrl) return;
      const link = element("a", "See which");
      link.href = this.form.dataset.rejectsUrl.replace(NO_ID, id);
      this.status.append(link);
    }

    show(state, text, percent) {
      this.box.hidden = false;
      this.box.dataset.state = state;
      this.status.textContent = text;
      this.problems.replaceChildren();
      if (percent === null) this.bar.removeAttribute("value");
      else this.bar.value = percent;
    }
  }

  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  };

  const size = (bytes) => {
    const units = ["bytes", "kB", "MB", "GB"];
    let step = 0;
    let value = bytes;
    while (value >= 1000 && step < units.length - 1) {
      value /= 1000;
      step += 1;
    }
    return `${step ? value.toFixed(1) : value} ${units[step]}`;
  };

  // ---- latest activity --------------------------------------------------------------------------------------------

  class Activity {
    constructor(box) {
      this.box = box;
      this.refresh().then(() => this.listen());
    }

    async refresh() {
      try {
        const answer = await fetch(this.box.dataset.url, { headers: { Accept: "text/html", "X-Vault-Piece": "1" } });
        if (!answer.ok || answer.redirected) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        this.box.replaceChildren(...page.body.childNodes);
      } catch {
        // Away for a moment: the next refresh tells.
      }
    }

    listen() {
      const port = this.box.dataset.livePort;
      if (!port) return this.repeat();
      return window.vaultLive("/live/", {
        port,
        dataset: this.box.dataset.dataset,
        event: (event) => this.arrived(event),
        gap: () => this.refresh(),
        state: (isLive) => this.say(isLive),
        ended: () => this.repeat(),
      });
    }

    // While the feed is away the list is asked for now and then.
    repeat() {
      if (this.repeats) return;
      this.repeats = setInterval(() => {
        if (!this.isLive && document.visibilityState === "visible") this.refresh();
      }, REFRESH_MS);
    }

    say(isLive) {
      this.isLive = isLive;
      if (!isLive) this.repeat();
      const label = this.box.closest("section").querySelector("[data-live-state]");
      if (label) label.hidden = !isLive;
    }

    arrived(event) {
      const rows = this.box.querySelector("tbody");
      if (!event?.type) return;
      if ("quiet" in this.box.dataset && isLooking(event)) return;
      document.dispatchEvent(new CustomEvent("vault:event", { detail: event }));
      if (this.box.querySelector(`[data-event="${CSS.escape(event.id)}"]`)) return;
      if (!rows) {
        this.refresh();
        return;
      }
      rows.prepend(this.row(event));
      while (rows.rows.length > ROWS_KEPT) rows.lastElementChild.remove();
    }

    row(event) {
      const data = event.data || {};
      const made = element("tr", undefined, "v-new");
      made.dataset.event = event.id;
      const link = element("a", event.type);
      link.href = this.box.dataset.eventUrl.replace(NO_ID, encodeURIComponent(event.id));
      const outcome = String(data.action?.status || "");
      const cells = [
        element("td", String(event.time || "").replace("T", " ").slice(0, 19), "v-time"),
        element("td"),
        element("td"),
        element("td", this.nameOf(data.actor)),
        element("td", `${data.resource?.type || ""} `),
        element("td", data.context?.purpose || ""),
      ];
      cells[1].append(link);
      cells[2].append(element("span", outcome, `v-tag v-${outcome.replace(/[^a-z]/g, "")}`));
      cells[3].dataset.actor = data.actor?.id || "";
      const id = String(data.resource?.id || "");
      if (id) cells[4].append(element("code", id.length > 12 ? `..${id.slice(-8)}` : id));
      made.append(...cells);
      return made;
    }

    nameOf(actor) {
      const known = actor && this.box.querySelector(`td[data-actor="${CSS.escape(actor.id)}"]`);
      return known ? known.textContent : actor?.type || "";
    }
  }

  // ---- small things -----------------------------------------------------------------------------------------------

  const copy = (button) =>
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });

  /** What is wider than the page and holds nothing to go to is scrolled by keyboard as well. */
  const reach = (box) => {
    if (box.scrollWidth > box.clientWidth && !box.querySelector("a, button, input, select, textarea")) box.tabIndex = 0;
  };

  /** Ties what a refused form says to the field that it is about, and goes there. */
  const blame = (problem) => {
    const name = problem.dataset.problem;
    const field = name && document.querySelector(`#content :is(input, select, textarea)[name="${CSS.escape(name)}"]:not([type=hidden])`);
    if (!field) return;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", problem.id);
    if (!document.activeElement?.matches("[aria-invalid]")) field.focus();
  };

  /** The slash goes to the box that finds things, wherever nothing else is being typed. */
  const seek = (box) =>
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey || !box.offsetParent) return;
      event.preventDefault();
      box.focus();
    });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-find]").forEach(seek);
    document.querySelectorAll("[data-problem]").forEach(blame);
    document.querySelectorAll(".v-scroll").forEach(reach);
    document.querySelectorAll("[data-collapse]").forEach(collapse);
    document.querySelectorAll("form[data-upload]").forEach((form) => new Upload(form));
    document.querySelectorAll("[data-activity]").forEach((box) => new Activity(box));
    document.querySelectorAll("[data-copy]").forEach(copy);
    document.querySelectorAll(".v-tabs [aria-current]").forEach((tab) => tab.scrollIntoView({ block: "nearest", inline: "nearest" }));
    document.querySelectorAll("form[data-autosubmit]").forEach((form) => form.addEventListener("change", () => form.submit()));
  });
})();
