// Zoom and move the picture of a lineage graph: wheel, drag, buttons. Without it the picture fits its frame.
"use strict";

(() => {
  const picture = document.querySelector("[data-lineage]");
  const tools = document.querySelector("[data-lineage-tools]");
  if (!picture || !tools) return;
  tools.hidden = false;

  const whole = picture.viewBox.baseVal;
  const fit = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
  let view = { ...fit };

  const show = () => picture.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);

  const zoom = (factor, x = view.x + view.width / 2, y = view.y + view.height / 2) => {
    const width = Math.min(Math.max(view.width * factor, 120), fit.width * 4);
    const scale = width / view.width;
    view = { x: x - (x - view.x) * scale, y: y - (y - view.y) * scale, width, height: view.height * scale };
    show();
  };

  const place = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    return [point.x, point.y];
  };

  tools.addEventListener("click", (event) => {
    const how = event.target.dataset.zoom;
    if (how === "in") zoom(0.8);
    if (how === "out") zoom(1.25);
    if (how === "fit") {
      view = { ...fit };
      show();
    }
  });

  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return; // plain wheel scrolls the page
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.15 : 0.87, ...place(event));
  }, { passive: false });

  let held = null;
  picture.addEventListener("pointerdown", (event) => {
    if (event.target.closest("a")) return;
    held = place(event);
    picture.setPointerCapture(event.pointerId);
    picture.classList.add("v-moving");
  });
  picture.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = place(event);
    view = { ...view, x: view.x + held[0] - x, y: view.y + held[1] - y };
    show();
  });
  const letGo = () => {
    held = null;
    picture.classList.remove("v-moving");
  };
  picture.addEventListener("pointerup", letGo);
  picture.addEventListener("pointercancel", letGo);
})();
