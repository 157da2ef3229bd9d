// Security keys and passkeys: the browser's ceremony between a form's options and its answer.
"use strict";

(() => {
  const toBytes = (text) => {
    const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  };
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const withBytes = (known) => (known || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  const make = async (options) => {
    const user = { ...options.user, id: toBytes(options.user.id) };
    const publicKey = { ...options, user, challenge: toBytes(options.challenge), excludeCredentials: withBytes(options.excludeCredentials) };
    const made = await navigator.credentials.create({ publicKey });
    const response = {
      clientDataJSON: toText(made.response.clientDataJSON),
      attestationObject: toText(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    };
    return { id: made.id, rawId: toText(made.rawId), type: made.type, clientExtensionResults: {}, response };
  };

  const show = async (options) => {
    const publicKey = { ...options, challenge: toBytes(options.challenge), allowCredentials: withBytes(options.allowCredentials) };
    const shown = await navigator.credentials.get({ publicKey });
    const response = {
      clientDataJSON: toText(shown.response.clientDataJSON),
      authenticatorData: toText(shown.response.authenticatorData),
      signature: toText(shown.response.signature),
    };
    return { id: shown.id, rawId: toText(shown.rawId), type: shown.type, clientExtensionResults: {}, response };
  };

  const begin = (form) => {
    const status = form.querySelector("[data-status]");
    const button = form.querySelector("button[type=submit]");
    if (!window.PublicKeyCredential) {
      status.textContent = "This browser knows no security keys.";
      button.disabled = true;
      return;
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      status.textContent = "Follow your browser.";
      try {
        const options = JSON.parse(form.dataset.options);
        const answer = await (form.dataset.ceremony === "make" ? make(options) : show(options));
        form.elements.response.value = JSON.stringify(answer);
        form.submit();
      } catch (problem) {
        status.textContent = problem.name === "InvalidStateError" ? "This key was added before." : "That did not work. Try again.";
        button.disabled = false;
      }
    });
  };

  const start = () => document.querySelectorAll("form[data-ceremony]").forEach(begin);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
