// Several volumes and masks in one view: which of them is in hand, and how they meet.

import { shape } from "./svg.js";
import { windowText } from "./text.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Look} Look */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./draw.js").Mode} Mode */

/** @type {[Mode, string][]} */
export const MODES = [
  ["side", "side by side"],
  ["fusion", "fusion"],
  ["curtain", "curtain"],
  ["checkerboard", "checkerboard"],
  ["difference", "difference"],
];

/** The number of the look that belongs to the difference of two volumes. */
export const DIFFERENCE = -1;

const MANNER = /** @type {(keyof Look)[]} */ (["invert", "cmap", "opacity", "fade"]);

/**
 * A look in a mode: what nobody changed follows it (dicomlab/view/layers.py, `looked_as`).
 * @param {Mode} mode @param {Look} look @param {{plain: Partial<Look>, fused: Partial<Look>}} manner
 * @returns {Look}
 */
export function lookedAs(mode, look, { plain, fused }) {
  const [to, other] = mode === "fusion" ? [fused, plain] : [plain, fused];
  return MANNER.every((name) => look[name] === other[name]) ? { ...look, ...to } : look;
}

/** How each volume is looked at first, in the mode that is on. @param {Viewer} viewer */
export function firstLooks({ meta, state }) {
  return meta.first.looks.map((look, n) => lookedAs(state.mode, look, meta.sources[n].manner));
}

/** @param {Viewer} viewer @param {Mode} mode */
export function setMode(viewer, mode) {
  const { state, meta } = viewer;
  if (mode === "difference" && !meta.difference) return;
  viewer.state = { ...state, mode, looks: state.looks.map((look, n) => lookedAs(mode, look, meta.sources[n].manner)) };
  viewer.changed();
}

/** @param {Viewer} viewer @param {number} split */
export function setSplit(viewer, split) {
  viewer.state = { ...viewer.state, split: Math.min(Math.max(Number(split.toFixed(4)), 0), 1) };
  viewer.changed();
}

/**
 * @param {Viewer} viewer @param {Partial<import("./types.js").LabelLook>} patch @param {number} [mask] all, if none is named
 * @param {number} [value] all labels of it, if none is named
 */
export function changeLabel(viewer, patch, mask, value) {
  const labels = viewer.state.labels.map((looks, n) =>
    mask === undefined || n === mask ? looks.map((look) => (value === undefined || look.value === value ? { ...look, ...patch } : look)) : looks,
  );
  viewer.state = { ...viewer.state, labels };
  viewer.changed();
}

/** The volume of a pane whose window, unit and title it is about. @param {import("./scene.js").Pane} pane @param {State} state @param {Meta} meta */
export function lookIn(pane, state, meta) {
  if (state.mode === "difference" && meta.difference) return { look: state.difference, subject: meta.difference };
  const n = pane.source ?? 0;
  return { look: state.looks[n], subject: meta.sources[n] };
}

/** Whether what surrounds the body is bright in a pane, so that letters on it are dark. @param {import("./scene.js").Pane} pane @param {State} state @param {Meta} meta */
export function isLight(pane, state, meta) {
  const { look } = lookIn(pane, state, meta);
  return look.cmap === "gray" && look.invert;
}

/** The place along an axis of its own that a volume is at. @param {Meta} meta @param {number} n the volume @param {number} axis @param {number[]} step of the first volume */
export function placeOf(meta, n, axis, step) {
  const { steps, follows } = meta.sources[n];
  const first = meta.sources[0].steps.findIndex(({ name }) => name === steps[axis].name);
  return follows[axis]?.[step[first] ?? 0] ?? 0;
}

/** The steps of a volume that are not those of the first, as text. @param {number} n @param {State} state @param {Meta} meta */
export function ownSteps(n, state, meta) {
  return meta.sources[n].steps.flatMap(({ name, units, labels }, axis) => {
    const first = meta.sources[0].steps.findIndex((one) => one.name === name);
    const text = labels[placeOf(meta, n, axis, state.step)];
    return text === meta.sources[0].steps[first]?.labels[state.step[first]] ? [] : [`${name} ${text}${units ? ` ${units}` : ""}`];
  });
}

/** What is said of the volumes that lie over the first. @param {import("./scene.js").Pane} pane @param {State} state @param {Meta} meta */
export function overText(pane, state, meta) {
  if (pane.source !== null || state.mode === "difference") return [];
  return state.looks.flatMap((look, n) =>
    n > 0 && look.visible ? [`${meta.sources[n].title || "volume"}   ${windowText(look.window)}${state.mode === "fusion" ? `   ${Math.round(100 * look.opacity)} %` : ""}`, ...ownSteps(n, state, meta)] : [],
  );
}

/** css px of the stage where the curtain of a pane hangs, or null. @param {Viewer} viewer @param {import("./scene.js").Pane} pane */
export function curtainAt({ state, stage }, pane) {
  if (state.mode !== "curtain" || state.looks.length < 2 || !state.looks.some(({ visible }, n) => n > 0 && visible)) return null;
  return (pane.left + state.split * pane.plane.width) / stage.size.ratio;
}

/** What shows in a pane that several volumes meet: the curtain, and where the pointer is in another pane. @param {Viewer} viewer @param {import("./scene.js").Pane} pane @returns {SVGElement[]} */
export function meetShapes(viewer, pane) {
  const { stage, pointer } = viewer;
  /** @type {SVGElement[]} */
  const shapes = [];
  const x = curtainAt(viewer, pane);
  if (x !== null) {
    const top = pane.top / stage.size.ratio;
    const high = pane.plane.height / stage.size.ratio;
    const middle = top + high / 2;
    shapes.push(shape("line", { x1: x, x2: x, y1: top, y2: top + high, class: "dl-curtain" }));
    shapes.push(shape("path", { d: `M${x - 4} ${middle - 6}l-6 6l6 6zM${x + 4} ${middle - 6}l6 6l-6 6z`, class: "dl-curtain-grip" }));
  }
  const own = pointer && stage.paneAt(...pointer);
  if (pointer && own && own.source !== null && pane.source !== own.source && pane.name === own.name) {
    const [px, py] = stage.pxOf(pane, stage.lpsAt(own, ...pointer));
    shapes.push(shape("path", { d: `M${px - 9} ${py}h6M${px + 3} ${py}h6M${px} ${py - 9}v6M${px} ${py + 3}v6`, class: "dl-twin" }));
  }
  return shapes;
}

/** The values between which a window is neither black nor white. @param {import("./types.js").Window} window @returns {[number, number]} */
export function edgesOf({ center, width, function: fn }) {
  const [middle, half] = fn === "LINEAR" ? [center - 0.5, (width - 1) / 2] : [center, width / 2];
  return [middle - half, middle + half];
}

/** Center and width of the window between two values. @param {number} low @param {number} high @param {import("./types.js").VoiFunction} fn */
export function between(low, high, fn) {
  const [middle, width] = [(low + high) / 2, Math.max(high - low, 0)];
  return fn === "LINEAR" ? { center: middle + 0.5, width: width + 1 } : { center: middle, width };
}
