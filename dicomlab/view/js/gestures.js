// Pointer, wheel and keyboard to what they mean. No picture and no kernel in here.

import { actionOf } from "./keymap.js";

const NOTCH = 100; // px of scrolling that are one slice
const LEAST = 50; // px that a plain wheel scrolls at least with a notch; finer ones send less at a time
const PAUSE = 300; // ms after which a scroll begins anew
const PER_PIXEL = 1 / 250; // a drag of 250 px widens the window e-fold, or zooms by as much
const GRIP = 32; // px that an arrow key makes the stage higher or lower
const STILL = 3; // px that a hand trembles in a click

/**
 * @typedef {object} Actions
 * @property {(x: number, y: number, steps: number, what: string) => void} wheel
 * @property {(x: number, y: number, factor: number) => void} zoom about a point of the stage
 * @property {(x: number, y: number, dx: number, dy: number) => void} pan
 * @property {(x: number, y: number, button: number, shift: boolean) => {tool: import("./tools.js").Tool, drag: import("./tools.js").Drag} | null} toolAt
 * @property {(action: string) => void} act
 * @property {() => import("./keymap.js").Keymap} map what is bound to what
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
 * Whether a control has its own use of a key: a list of arrows, letters and digits, a slider of the arrows along it, a field of
 * all; a button is pressed with the space bar or Enter.
 * @param {HTMLElement} target @param {string} key
 */
export function usesItself(target, key) {
  if (target.localName === "button") return key === " " || key === "Enter";
  if (target.localName === "input" && /** @type {HTMLInputElement} */ (target).type === "range") return key === "ArrowLeft" || key === "ArrowRight";
  return ["select", "input", "textarea"].includes(target.localName) || target.isContentEditable;
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
      // Two fingers pinching a trackpad are a wheel with Ctrl, of small deltas.
      const what = actions.map()[event.ctrlKey || event.metaKey ? "Ctrl+Wheel" : "Wheel"];
      if (what === "zoom") actions.zoom(...place(event), Math.exp(-event.deltaY / (event.ctrlKey && Math.abs(event.deltaY) < LEAST ? 100 : 400)));
      else if (what) {
        const steps = wheelSteps(event, memory);
        if (steps) actions.wheel(...place(event), steps, what);
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

  /** Fingers on the stage, where they are. @type {Map<number, [number, number]>} */
  const fingers = new Map();
  /** Where the first two fingers are: between them, and how far apart. @returns {[number, number, number]} */
  const pinch = () => {
    const [[ax, ay], [bx, by]] = fingers.values();
    return [(ax + bx) / 2, (ay + by) / 2, Math.max(Math.hypot(ax - bx, ay - by), 1)];
  };

  stage.addEventListener(
    "pointerdown",
    (event) => {
      if (event.pointerType === "touch") {
        fingers.set(event.pointerId, place(event));
        // What the first finger began ends where it is; from now on both move the picture.
        if (fingers.size > 1 && held) letHeldGo();
        if (fingers.size > 1) return;
      }
      if (held || event.button > 2) return;
      const [x, y] = place(event);
      const found = actions.toolAt(x, y, event.button, event.shiftKey);
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
      if (fingers.has(event.pointerId)) {
        const two = fingers.size > 1;
        const before = two ? pinch() : null;
        fingers.set(event.pointerId, [x, y]);
        if (before) {
          const now = pinch();
          actions.pan(before[0], before[1], now[0] - before[0], now[1] - before[1]);
          return actions.zoom(now[0], now[1], now[2] / before[2]);
        }
      }
      if (!held || held.id !== event.pointerId) return actions.hover(x, y, event.shiftKey && event.buttons === 0 && !!actions.map()["Shift+Move"]);
      const { drag, tool } = held;
      if (!held.moved && Math.hypot(x - drag.start[0], y - drag.start[1]) < STILL) return;
      held.moved = true;
      tool.move(drag, x, y);
      drag.last = [x, y];
      actions.hover(x, y, false);
    },
    { signal },
  );
  const letHeldGo = () => {
    if (!held) return;
    const { tool, drag } = held;
    held = null;
    tool.end?.(drag, ...drag.last);
    actions.dragging(false);
  };
  /** @param {PointerEvent} event */
  const end = (event) => {
    fingers.delete(event.pointerId);
    if (held?.id === event.pointerId) letHeldGo();
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
  grip.addEventListener(
    "keydown",
    (event) => {
      const by = { ArrowUp: -GRIP, ArrowDown: GRIP }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      actions.resize(stage.clientHeight + by);
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
      const what = actions.map()[event.ctrlKey || event.metaKey ? "Ctrl+DoubleClick" : "DoubleClick"];
      if (what) actions.act(what);
    },
    { signal },
  );

  root.addEventListener(
    "keydown",
    (event) => {
      const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
      const action = actionOf(event, actions.map());
      if (action === null || usesItself(target, event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      actions.act(action);
    },
    { signal },
  );
  return () => controller.abort();
}
