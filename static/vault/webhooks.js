// The choice of event types: found by name, and unnecessary where every event is chosen.
"use strict";

for (const picker of document.querySelectorAll("[data-types]")) {
  const search = picker.querySelector("[data-search]");
  const every = picker.querySelector("[data-every]");
  const found = picker.querySelector("[data-found]");
  const types = [...picker.querySelectorAll("[data-type]")];

  const show = () => {
    const wanted = search.value.trim().toLowerCase();
    for (const type of types) type.hidden = !type.textContent.toLowerCase().includes(wanted);
    const shown = types.filter((type) => !type.hidden).length;
    found.textContent = wanted ? `${shown} of ${types.length} types` : "";
  };
  const choose = () => {
    for (const type of types) type.querySelector("input").disabled = every.checked;
  };

  search.parentElement.hidden = false;
  search.addEventListener("input", show);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  every.addEventListener("change", choose);
  choose();
}
