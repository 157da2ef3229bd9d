// The live feed: one socket that comes back by itself and asks for what it missed. Markup is never made from data.
"use strict";

(() => {
  const FIRST_MS = 1000;
  const LONGEST_MS = 60000;
  const SILENT_MS = 50000;
  const REMEMBERED = 2000;
  // Close codes after which coming back at once would change nothing.
  const FINAL = new Set([4400, 4401, 4403, 1003]);

  // Listens below `path` ("/live/" or "/live/own/") on the page's host.
  // `options`: port, types (of events; "job.progress" among them), dataset;
  // functions: event(envelope), progress(job), gap(), state(isLive), ended(code).
  class Live {
    constructor(path, options) {
      this.path = path;
      this.options = options;
      this.last = null;
      this.known = new Set();
      this.waits = FIRST_MS;
      this.isClosed = false;
      this.open();
    }

    address() {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const query = new URLSearchParams();
      (this.options.types || []).forEach((type) => query.append("type", type));
      if (this.options.dataset) query.set("dataset", this.options.dataset);
      if (this.last) query.set("after", this.last);
      return `${scheme}://${location.hostname}:${this.options.port}${this.path}?${query}`;
    }

    open() {
      if (this.isClosed) return;
      try {
        this.socket = new WebSocket(this.address());
      } catch {
        this.later();
        return;
      }
      this.socket.addEventListener("open", () => {
        this.tell("state", true);
        this.heard();
      });
      this.socket.addEventListener("message", (message) => this.arrived(message.data));
      this.socket.addEventListener("close", (closed) => this.closed(closed.code));
    }

    close() {
      this.isClosed = true;
      clearTimeout(this.silence);
      if (this.socket) this.socket.close();
    }

    // A socket that says nothing, not even a heartbeat, is a dead one.
    heard() {
      clearTimeout(this.silence);
      this.silence = setTimeout(() => this.socket.close(), SILENT_MS);
    }

    arrived(text) {
      this.heard();
      this.waits = FIRST_MS;
      let message;
      try {
        message = JSON.parse(text);
      } catch {
        return;
      }
      if (message.live === "progress") this.tell("progress", message.job);
      else if (message.live === "gap" && !message.is_told_again) this.tell("gap");
      else if (!message.live) this.happened(message);
    }

    // Events may be told twice: they are told apart by their id.
    happened(event) {
      if (this.known.has(event.id)) return;
      this.known.add(event.id);
      if (this.known.size > REMEMBERED) this.known.delete(this.known.values().next().value);
      this.last = event.id;
      this.tell("event", event);
    }

    closed(code) {
      clearTimeout(this.silence);
      this.tell("state", false);
      if (FINAL.has(code)) {
        this.isClosed = true;
        this.tell("ended", code);
      } else {
        this.later();
      }
    }

    // Waits grow to a minute, and differ: a thousand pages must not come back in the same second.
    later() {
      if (this.isClosed) return;
      setTimeout(() => this.open(), this.waits * (0.5 + Math.random()));
      this.waits = Math.min(this.waits * 2, LONGEST_MS);
    }

    tell(name, value) {
      if (this.options[name]) this.options[name](value);
    }
  }

  window.vaultLive = (path, options) => new Live(path, options);
})();
