// Pointer, wheel and keyboard to what they mean. No picture and no kernel in here.

import { actionOf } from "./keymap.js";

const NOTCH = 100; // px of scrolling that are one slice
const LEAST = 50; // px that a plain wheel scrolls at least with a notch; finer ones send less at a time
const PAUSE = 300; // ms after which a scroll begins anew
const PER_PIXEL = 1 / 250; // a drag of 250 px widens the window e-fold, or zooms by as much
const STILL = 3; // px that a hand trembles in a click

/**
 * @typedef {object} Actions
 * @property {(x: number, y: number, steps: number) => void} wheel
 * @property {(x: number, y: number, factor: number) => void} zoom about a point of the stage
 * @property {(x: number, y: number, button: number) => {tool: import("./tools.js").Tool, drag: import("./tools.js").Drag} | null} toolAt
 * @property {(x: number, y: number) => void} enlarge
 * @property {(action: import("./keymap.js").KeyAction) => void} act
 * @property {(number: number) => void} preset
 * @property {(x: number, y: number, follow: boolean) => void} hover
 * @property {() => void} leave
 * @property {(active: boolean) => void} dragging
 * @property {(height: number) => void} resize the stage, in css px
 */

/**
 * What a wheel event is worth, in slices: one a notch, whatever the system makes of a notch; the small moves of touchpads
 * and fine wheels add up.
 * @param {{deltaY: number, deltaMode: number, timeStamp: number}} event
 * @param {{sum: number, at: number}} memory
 */
export function wheelSteps({ deltaY, deltaMode, timeStamp }, memory) {
  // Three lines are a notch in all systems; of pages there is one a notch.
  const px = deltaMode === 0 ? deltaY : deltaMode === 1 ? (deltaY * NOTCH) / 3 : Math.sign(deltaY) * NOTCH;
  if (timeStamp - memory.at > PAUSE || memory.sum * px < 0) memory.sum = 0;
  memory.at = timeStamp;
  // Nothing is on its way and this is much at once: a plain wheel. Its notches are 53, 67, 100 or 120 px, never a half.
  if (memory.sum === 0 && Math.abs(px) >= LEAST) return Math.sign(px) * Math.max(1, Math.round(Math.abs(px) / NOTCH));
  memory.sum += px;
  const steps = Math.trunc(memory.sum / NOTCH + Math.sign(px) * 1e-9); // three thirds are one
  memory.sum -= steps * NOTCH;
  if (Math.abs(memory.sum) < 1e-6) memory.sum = 0;
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
 * @param {HTMLElement} grip changes the height of the stage
 * @param {Actions} actions
 * @returns {() => void} undoes everything
 */
export function listen(root, stage, grip, actions) {
  const controller = new AbortController();
  const { signal } = controller;
  const memory = { sum: 0, at: 0 };
  /** @type {{id: number, tool: import("./tools.js").Tool, drag: import("./tools.js").Drag, moved: boolean} | null} */
  let held = null;

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
        if (steps) actions.wheel(...place(event), steps);
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
      if (held || event.button > 2) return;
      const [x, y] = place(event);
      const found = actions.toolAt(x, y, event.button);
      if (!found) return;
      held = { id: event.pointerId, ...found, moved: false };
      try {
        stage.setPointerCapture(event.pointerId);
      } catch {
        // A pointer made by a script cannot be captured.
      }
      actions.dragging(true);
      found.tool.begin?.(found.drag);
    },
    { signal },
  );
  stage.addEventListener(
    "pointermove",
    (event) => {
      const [x, y] = place(event);
      if (!held || held.id !== event.pointerId) return actions.hover(x, y, event.shiftKey && event.buttons === 0);
      const { drag, tool } = held;
      if (!held.moved && Math.hypot(x - drag.start[0], y - drag.start[1]) < STILL) return;
      held.moved = true;
      tool.move(drag, x, y);
      drag.last = [x, y];
      actions.hover(x, y, false);
    },
    { signal },
  );
  /** @param {PointerEvent} event */
  const end = (event) => {
    if (!held || held.id !== event.pointerId) return;
    const { tool, drag } = held;
    held = null;
    tool.end?.(drag, ...drag.last);
    actions.dragging(false);
  };
  stage.addEventListener("pointerup", end, { signal });
  stage.addEventListener("pointercancel", end, { signal });
  stage.addEventListener("lostpointercapture", end, { signal });
  stage.addEventListener("pointerleave", () => actions.leave(), { signal });

  // The browser's own `resize` is a few pixels, lies under what covers the stage, and knows no finger.
  /** @type {{id: number, y: number, height: number} | null} */
  let pull = null;
  grip.addEventListener(
    "pointerdown",
    (event) => {
      event.stopPropagation(); // no window, no pan
      if (pull || event.button !== 0) return;
      pull = { id: event.pointerId, y: event.clientY, height: stage.clientHeight };
      try {
        grip.setPointerCapture(event.pointerId);
      } catch {
        // A pointer made by a script cannot be captured.
      }
    },
    { signal },
  );
  grip.addEventListener(
    "pointermove",
    (event) => {
      event.stopPropagation();
      if (pull?.id === event.pointerId) actions.resize(pull.height + event.clientY - pull.y);
    },
    { signal },
  );
  const letGo = () => (pull = null);
  grip.addEventListener("pointerup", letGo, { signal });
  grip.addEventListener("lostpointercapture", letGo, { signal });
  grip.addEventListener("dblclick", (event) => event.stopPropagation(), { signal });

  stage.addEventListener(
    "dblclick",
    (event) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) actions.act("firstWindow");
      else actions.enlarge(...place(event));
    },
    { signal },
  );

  root.addEventListener(
    "keydown",
    (event) => {
      const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
      const action = actionOf(event);
      // A list uses arrows, letters and digits itself; a button is pressed with the space bar or Enter.
      if (action === null || target.localName === "select") return;
      if (target.localName === "button" && (event.key === " " || event.key === "Enter")) return;
      event.preventDefault();
      event.stopPropagation();
      if (typeof action === "number") actions.preset(action);
      else actions.act(action);
    },
    { signal },
  );
  return () => controller.abort();
}
