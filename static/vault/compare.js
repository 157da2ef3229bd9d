// A page of a merge that a worker is on looks again by itself.

"use strict";

const RELOAD_MS = 3000;

if (document.querySelector("[data-reload]")) {
  window.setTimeout(() => window.location.reload(), RELOAD_MS);
}
