// The tools that draw measurements and change them: each a drag, or a click for each point.

import { minus } from "./plane.js";

/** @typedef {import("./tools.js").Tool} Tool */
/** @typedef {import("./types.js").RoiKind} RoiKind */

/** @param {RoiKind} kind @param {string} title @returns {Tool} */
const drawing = (kind, title) => ({
  title,
  cursor: "crosshair",
  begin: ({ viewer, pane, start }) => viewer.measuring.press(kind, pane, ...start),
  move: ({ viewer, pane }, x, y) => (kind === "freehand" ? viewer.measuring.stroke(pane, x, y) : viewer.measuring.follow(pane, x, y)),
  end: ({ viewer, pane }) => viewer.measuring.release(pane),
});

/** @type {Record<RoiKind, Tool>} */
export const DRAWING = {
  ruler: drawing("ruler", "Ruler: drag from end to end (D)"),
  angle: drawing("angle", "Angle: drag one side, then click the end of the other (A)"),
  rectangle: drawing("rectangle", "Rectangle: drag from corner to corner"),
  ellipse: drawing("ellipse", "Ellipse: drag from corner to corner of its box"),
  polygon: drawing("polygon", "Polygon: click each corner; double click, Enter or the first corner closes it"),
  freehand: drawing("freehand", "Outline: draw around"),
  profile: drawing("profile", "Profile: drag a line, and see the values along it"),
  probe: drawing("probe", "Point: click to pin the value there"),
};

/** @type {Tool} */
export const EDIT = {
  title: "",
  cursor: "move",
  begin: (drag) => {
    const { viewer, pane, start } = drag;
    drag.memory = viewer.measuring.hit(pane, ...start);
    if (drag.memory) viewer.measuring.choose(drag.memory.roi.id);
  },
  move: ({ viewer, pane, start, memory }, x, y) => {
    const { stage, measuring } = viewer;
    if (memory) measuring.drag(memory, minus(stage.lpsAt(pane, x, y), stage.lpsAt(pane, ...start)));
  },
  end: ({ viewer, pane, memory }) => {
    if (memory) viewer.measuring.dropped(memory, pane);
  },
};
