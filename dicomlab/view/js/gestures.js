// Pointer, wheel and keyboard to what they mean. No picture and no kernel in here.

import { actionOf } from "./keymap.js";

const NOTCH = 50; // a wheel that moves at least this much an event has notches
const TRAVEL = 40; // of a touchpad, for one slice
const PER_PIXEL = 1 / 250; // a drag of 250 px widens the window e-fold, or zooms by as much
const STILL = 3; // px that a hand trembles in a click

/**
 * @typedef {object} Actions
 * @property {(by: number) => void} step
 * @property {(x: number, y: number, factor: number) => void} zoom about a point of the stage
 * @property {(dx: number, dy: number) => void} pan by css px
 * @property {() => {center: number, width: number}} window
 * @property {(center: number, width: number) => void} setWindow
 * @property {() => void} fit
 * @property {(action: import("./keymap.js").KeyAction) => void} act
 * @property {(number: number) => void} preset
 * @property {(x: number, y: number) => void} hover
 * @property {() => void} leave
 * @property {(active: boolean) => void} dragging
 */

/**
 * What a wheel event is worth, in slices; touchpads send many small ones, which add up.
 * @param {{deltaY: number, deltaMode: number}} event
 * @param {{sum: number}} memory
 */
export function wheelSteps(event, memory) {
  if (event.deltaMode !== 0) return Math.sign(event.deltaY); // lines or pages: a notch
  if (Math.abs(event.deltaY) >= NOTCH) {
    memory.sum = 0;
    return Math.sign(event.deltaY);
  }
  if (memory.sum * event.deltaY < 0) memory.sum = 0;
  memory.sum += event.deltaY;
  const steps = Math.trunc(memory.sum / TRAVEL);
  memory.sum -= steps * TRAVEL;
  return steps;
}

/**
 * The window after a drag: proportional, so that it feels the same in a brain and in a PET.
 * @param {{center: number, width: number}} start
 * @param {number} dx
 * @param {number} dy
 */
export function draggedWindow(start, dx, dy) {
  return { width: start.width * Math.exp(dx * PER_PIXEL), center: start.center + dy * start.width * PER_PIXEL };
}

/**
 * @param {HTMLElement} root takes the focus and the keys
 * @param {HTMLElement} stage takes the pointer
 * @param {Actions} actions
 * @returns {() => void} undoes everything
 */
export function listen(root, stage, actions) {
  const controller = new AbortController();
  const { signal } = controller;
  const memory = { sum: 0 };
  /** @type {{id: number, button: number, x: number, y: number, lastX: number, lastY: number, moved: boolean, window: {center: number, width: number}} | null} */
  let drag = null;

  /** @param {MouseEvent} event @returns {[number, number]} */
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault(); // the page stays, at the ends of the stack too
      event.stopPropagation();
      if (event.ctrlKey || event.metaKey) actions.zoom(...place(event), Math.exp(-event.deltaY / 400));
      else {
        const steps = wheelSteps(event, memory);
        if (steps) actions.step(steps);
      }
    },
    { signal, passive: false },
  );

  stage.addEventListener(
    "mousedown",
    (event) => {
      event.preventDefault(); // no text selection, no autoscroll on the middle button
      root.focus({ preventScroll: true });
    },
    { signal },
  );
  stage.addEventListener(
    "contextmenu",
    (event) => {
      event.preventDefault();
      event.stopPropagation(); // JupyterLab opens its own on the document
    },
    { signal },
  );

  stage.addEventListener(
    "pointerdown",
    (event) => {
      if (drag || event.button > 2) return;
      const [x, y] = place(event);
      drag = { id: event.pointerId, button: event.button, x, y, lastX: x, lastY: y, moved: false, window: actions.window() };
      try {
        stage.setPointerCapture(event.pointerId);
      } catch {
        // A pointer made by a script cannot be captured.
      }
      actions.dragging(true);
    },
    { signal },
  );
  stage.addEventListener(
    "pointermove",
    (event) => {
      const [x, y] = place(event);
      if (!drag || drag.id !== event.pointerId) return actions.hover(x, y);
      const [dx, dy] = [x - drag.x, y - drag.y];
      if (!drag.moved && Math.hypot(dx, dy) < STILL) return;
      drag.moved = true;
      if (drag.button === 0) {
        const { center, width } = draggedWindow(drag.window, dx, dy);
        actions.setWindow(center, width);
      } else if (drag.button === 1) actions.pan(x - drag.lastX, y - drag.lastY);
      else actions.zoom(drag.x, drag.y, Math.exp((y - drag.lastY) * PER_PIXEL * 2));
      [drag.lastX, drag.lastY] = [x, y];
      actions.hover(x, y);
    },
    { signal },
  );
  /** @param {PointerEvent} event */
  const end = (event) => {
    if (!drag || drag.id !== event.pointerId) return;
    drag = null;
    actions.dragging(false);
  };
  stage.addEventListener("pointerup", end, { signal });
  stage.addEventListener("pointercancel", end, { signal });
  stage.addEventListener("lostpointercapture", end, { signal });
  stage.addEventListener("pointerleave", () => actions.leave(), { signal });

  stage.addEventListener(
    "dblclick",
    (event) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) actions.act("firstWindow");
      else actions.fit();
    },
    { signal },
  );

  root.addEventListener(
    "keydown",
    (event) => {
      const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
      const action = actionOf(event);
      // A list uses arrows, letters and digits itself; a button is pressed with the space bar.
      if (action === null || target.localName === "select") return;
      if (target.localName === "button" && event.key === " ") return;
      event.preventDefault();
      event.stopPropagation();
      if (typeof action === "number") actions.preset(action);
      else actions.act(action);
    },
    { signal },
  );
  return () => controller.abort();
}
