// Sends a file of consents as it is, tells how far it is, and names the lines that were refused.
"use strict";

(() => {
  const form = document.querySelector("[data-consents]");
  if (!form) return;
  const box = form.querySelector("[data-progress]");
  const bar = form.querySelector("progress");
  const told = form.querySelector("[data-status]");
  const problems = form.querySelector("[data-problems]");
  const button = form.querySelector("button[type=submit]");
  const drop = form.querySelector(".v-drop");

  const show = (state, text, percent) => {
    box.hidden = false;
    box.dataset.state = state;
    told.textContent = text;
    problems.replaceChildren();
    if (percent === null) bar.removeAttribute("value");
    else bar.value = percent;
  };

  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

  const refused = (answer) => {
    const lines = answer.errors || [];
    show("failed", `Nothing was taken. ${answer.title || "The file was refused"}${answer.code ? ` (${answer.code})` : ""}.`, 100);
    problems.replaceChildren(
      ...lines.map((one) => {
        const [, line, member] = /^\/(\d+)(?:\/(.*))?$/.exec(one.field || "") || [];
        const item = document.createElement("li");
        item.textContent = `${line ? `Line ${line}${member ? `, ${member}` : ""}: ` : ""}${one.detail}`;
        return item;
      }),
    );
  };

  const answered = (request) => {
    button.disabled = false;
    let answer = null;
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      // Told below: an answer that is no JSON is none of ours.
    }
    if (request.status !== 200 || !answer) {
      refused(answer || { title: `The server answered ${request.status}` });
      return;
    }
    const known = answer.known ? ` ${plural(answer.known, "line")} had been recorded before.` : "";
    show("succeeded", `${plural(answer.recorded, "consent")} recorded.${known}`, 100);
  };

  form.elements.file.addEventListener("change", () => {
    const [file] = form.elements.file.files;
    if (!file) return;
    form.querySelector("[data-file-name]").textContent = `${file.name}, ${Math.ceil(file.size / 1000).toLocaleString("en")} kB`;
    form.elements.format.value = /\.csv$/i.test(file.name) ? "csv" : "jsonl";
  });
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("v-over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("v-over"));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [file] = form.elements.file.files;
    if (!file) return;
    button.disabled = true;
    show("running", "Sending ...", 0);
    const query = new URLSearchParams({ purpose: form.elements.purpose.value, format: form.elements.format.value });
    const request = new XMLHttpRequest();
    request.open("POST", `${form.dataset.url}?${query}`);
    request.setRequestHeader("X-CSRFToken", form.dataset.csrf);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) show("running", `Sending ${Math.round((100 * sent.loaded) / sent.total)}%`, (50 * sent.loaded) / sent.total);
    });
    request.upload.addEventListener("load", () => show("running", "Received. Checking every line, then recording all of them ...", null));
    request.addEventListener("load", () => answered(request));
    request.addEventListener("error", () => {
      button.disabled = false;
      show("failed", "The connection broke. The same file can be sent again: what was recorded is not recorded twice.", 100);
    });
    request.send(file);
  });
})();
