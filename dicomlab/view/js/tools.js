// What a drag means: one small object a tool. No kernel in here, and no canvas.

import { draggedWindow } from "./gestures.js";
import { normal } from "./scene.js";
import { curtainAt, setSplit } from "./layers.js";
import { crosshair } from "./overlay.js";
import { PAINT } from "./painttools.js";
import { DRAWING, EDIT } from "./roitools.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./scene.js").Pane} Pane */

/**
 * @typedef {object} Drag
 * @property {Viewer} viewer
 * @property {Pane} pane where it began
 * @property {[number, number]} start css px of the stage
 * @property {[number, number]} last
 * @property {boolean} shift whether Shift was down when it began
 * @property {any} memory what the tool wants to remember
 */

/**
 * @typedef {object} Tool
 * @property {string} title what the toolbar says of it
 * @property {string} cursor
 * @property {(drag: Drag) => void} [begin]
 * @property {(drag: Drag, x: number, y: number) => void} move
 * @property {(drag: Drag, x: number, y: number) => void} [end] also of a click, which never moved
 */

const PER_PIXEL = 1 / 250; // a drag of 250 px zooms e-fold
const NEAR = 7; // px from a line that takes hold of it
const FAR = 42; // px from the crossing at which a line is turned, not moved

/** @type {Record<string, Tool>} */
export const TOOLS = {
  window: {
    title: "Window: drag sideways for width, up and down for level",
    cursor: "default",
    begin: (drag) => {
      // Side by side, the picture under the hand is the one that is meant.
      if (drag.pane.source !== null) drag.viewer.choose(drag.pane.source);
      drag.memory = drag.viewer.look.window;
    },
    move: ({ viewer, start, memory }, x, y) => {
      const { center, width } = draggedWindow(memory, x - start[0], y - start[1]);
      viewer.setWindow(center, width);
    },
  },
  pan: {
    title: "Move the picture",
    cursor: "grab",
    move: ({ viewer, pane, last }, x, y) => viewer.panBy(pane, x - last[0], y - last[1]),
  },
  zoom: {
    title: "Zoom about the point where the drag begins",
    cursor: "zoom-in",
    move: ({ viewer, pane, start, last }, _x, y) => viewer.zoomAbout(pane, start[0], start[1], Math.exp((y - last[1]) * PER_PIXEL * 2)),
  },
  scroll: {
    title: "Slices: drag up and down",
    cursor: "ns-resize",
    begin: (drag) => {
      drag.memory = 0;
    },
    move: (drag, _x, y) => {
      const steps = Math.trunc((y - drag.start[1]) / 6);
      if (steps !== drag.memory) drag.viewer.scroll(drag.pane, steps - drag.memory);
      drag.memory = steps;
    },
  },
  crosshair: {
    title: "Crosshair: all planes go through the point under the pointer",
    cursor: "crosshair",
    begin: ({ viewer, pane, start }) => viewer.goTo(viewer.stage.lpsAt(pane, ...start)),
    move: ({ viewer, pane }, x, y) => viewer.goTo(viewer.stage.lpsAt(pane, x, y)),
  },
  curtain: {
    title: "Draw the curtain",
    cursor: "ew-resize",
    move: ({ viewer, pane }, x) => setSplit(viewer, (x * viewer.stage.size.ratio - pane.left) / pane.plane.width),
  },
  turn: {
    title: "Tilt the other planes",
    cursor: "alias",
    begin: (drag) => {
      drag.memory = angleAt(drag, ...drag.start);
    },
    move: (drag, x, y) => {
      const { viewer, pane } = drag;
      const angle = angleAt(drag, x, y);
      viewer.turnAbout(normal(viewer.state.scene, viewer.meta.basis, pane.name), angle - drag.memory);
      drag.memory = angle;
    },
  },
  edit: EDIT,
  ...DRAWING,
  ...PAINT,
};

/** Which tool is in hand at a point: a measurement or line that can be moved comes before that of the toolbar. @param {Viewer} viewer @param {Pane} pane @param {number} x css px @param {number} y */
export function toolFor(viewer, pane, x, y) {
  if (viewer.painting.isOn) return viewer.state.tool;
  if (viewer.measuring.hit(pane, x, y)) return "edit";
  return viewer.state.tool === "window" ? grabbed(viewer, pane, x, y) ?? "window" : viewer.state.tool;
}

/** @param {Drag} drag @param {number} x @param {number} y */
function angleAt({ viewer, pane }, x, y) {
  const [cx, cy] = viewer.stage.pxOf(pane, viewer.state.scene.position);
  return Math.atan2(y - cy, x - cx);
}

/** Which tool the curtain or the crosshair itself asks for at a point: this one to be moved near the crossing, to be turned on a line. @param {Viewer} viewer @param {Pane} pane @param {number} x @param {number} y */
function grabbed(viewer, pane, x, y) {
  const { state, meta, stage, overlay } = viewer;
  const curtain = curtainAt(viewer, pane);
  if (curtain !== null && Math.abs(x - curtain) < NEAR) return "curtain";
  if (state.scene.layout !== "planes" || !overlay.showCross) return null;
  for (const { centre, direction } of crosshair(pane, state, meta, (lps) => stage.pxOf(pane, lps))) {
    const [dx, dy] = [x - centre[0], y - centre[1]];
    if (Math.hypot(dx, dy) < NEAR * 2) return "crosshair";
    const aside = Math.abs(dx * direction[1] - dy * direction[0]);
    if (aside < NEAR) return Math.abs(dx * direction[0] + dy * direction[1]) > FAR ? "turn" : "crosshair";
  }
  return null;
}
