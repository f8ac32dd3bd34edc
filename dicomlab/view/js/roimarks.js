// Measurements as shapes over the picture, and what of them is under the pointer; in css px of the stage.

import { shape } from "./svg.js";
import { handlesOf } from "./rois.js";

/** @typedef {import("./types.js").Roi} Roi */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {[number, number]} Px */
/** @typedef {{left: number, top: number, wide: number, high: number}} Box */

const GRIP = 9; // px from a handle that take hold of it
const NEAR = 6; // px from a line
const ROUND = 64; // corners that an ellipse is drawn with
const LINE = 15; // px
const LETTER = 7.3; // px, the width of one

/** The lines of a measurement. @param {Roi} roi @param {(lps: Vector3) => Px} pxOf @returns {{line: Px[], closed: boolean}} */
function lineOf({ kind, points }, pxOf) {
  const at = points.map(pxOf);
  if (kind !== "ellipse" || at.length < 4) return { line: at, closed: kind !== "ruler" && kind !== "angle" && kind !== "profile" && at.length > 2 };
  const [a, b, c, d] = at;
  const line = Array.from({ length: ROUND }, (_, k) => {
    const [x, y] = [Math.cos((2 * Math.PI * k) / ROUND) / 2, Math.sin((2 * Math.PI * k) / ROUND) / 2];
    return /** @type {Px} */ ([0, 1].map((i) => (a[i] + b[i]) / 2 + x * (b[i] - a[i]) + y * (d[i] - c[i])));
  });
  return { line, closed: true };
}

/** How far a point is from a stretch. @param {Px} a @param {Px} b @param {number} x @param {number} y */
function far(a, b, x, y) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const share = Math.min(Math.max(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy || 1), 0), 1);
  return Math.hypot(x - a[0] - share * dx, y - a[1] - share * dy);
}

/** The handle under a point, -1 for all of the measurement, null for nothing. @param {Roi} roi @param {(lps: Vector3) => Px} pxOf @param {number} x @param {number} y */
export function hitOf(roi, pxOf, x, y) {
  let best = -1;
  let least = GRIP;
  handlesOf(roi).forEach((point, k) => {
    const [px, py] = pxOf(point);
    const distance = Math.hypot(x - px, y - py);
    if (distance < least) [best, least] = [k, distance];
  });
  if (best >= 0) return best;
  const { line, closed } = lineOf(roi, pxOf);
  const ends = closed ? [...line, line[0]] : line;
  return ends.some((point, k) => k > 0 && far(ends[k - 1], point, x, y) < NEAR) ? -1 : null;
}

/**
 * @param {Roi} roi @param {string[]} text
 * @param {object} how
 * @param {(lps: Vector3) => Px} how.pxOf
 * @param {Box} how.box of the pane
 * @param {Box[]} how.taken where text stands already
 * @param {boolean} how.chosen
 * @param {Vector3 | null} how.mark a place on it
 * @returns {SVGElement[]}
 */
export function marksOf(roi, text, { pxOf, box, taken, chosen, mark }) {
  const group = shape("g", { class: `dl-roi${chosen ? " dl-chosen" : ""}`, "data-roi": roi.id, "data-kind": roi.kind, stroke: roi.colour });
  const { line, closed } = lineOf(roi, pxOf);
  const d = roi.kind === "probe" ? cross(line[0]) : `M${line.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}${closed ? "Z" : ""}`;
  group.append(shape("path", { d, class: "dl-rim" }), shape("path", { d, class: "dl-line" }));
  if (roi.kind !== "probe" && (chosen || roi.kind === "ruler" || roi.kind === "angle" || roi.kind === "profile")) {
    for (const [cx, cy] of handlesOf(roi).map(pxOf)) group.append(shape("circle", { cx, cy, r: chosen ? 4 : 2, class: "dl-handle", fill: chosen ? "#000" : roi.colour }));
  }
  if (mark) {
    const [cx, cy] = pxOf(mark);
    group.append(shape("circle", { cx, cy, r: 4, class: "dl-handle", fill: roi.colour }));
  }
  group.append(...beside(line, text, box, taken, roi.colour));
  return [group];
}

/** @param {Px} at */
const cross = ([x, y]) => `M${x - 7} ${y}H${x - 2}M${x + 2} ${y}H${x + 7}M${x} ${y - 7}V${y - 2}M${x} ${y + 2}V${y + 7}`;

/**
 * Lines of text beside a shape: on the side that has room, and clear of those that stand there already.
 * @param {Px[]} line @param {string[]} text @param {Box} box @param {Box[]} taken @param {string} colour
 */
function beside(line, text, box, taken, colour) {
  if (!text.length) return [];
  const xs = line.map(([x]) => x);
  const ys = line.map(([, y]) => y);
  const wide = LETTER * Math.max(...text.map((one) => one.length)) + 8;
  const high = text.length * LINE + 4;
  const [first, last] = [box.left + 2, box.left + box.wide - wide - 2];
  const [top, bottom] = [box.top + 2, box.top + box.high - high - 2];
  const right = Math.max(...xs) + 8;
  const other = Math.min(...xs) - 8 - wide;
  const left = right <= last ? right : other >= first ? other : Math.max(Math.min(right, last), first);
  const middle = Math.max(Math.min((Math.min(...ys) + Math.max(...ys) - high) / 2, bottom), top);
  const places = [0, 1, -1, 2, -2, 3, -3].map((k) => ({ left, top: middle + k * (high + 1), wide, high }));
  const free = places.find((one) => one.top >= top && one.top <= bottom && !taken.some((other) => meet(one, other))) ?? places[0];
  taken.push(free);
  return [
    shape("rect", { x: free.left, y: free.top, width: wide, height: high, rx: 3, class: "dl-plate" }),
    ...text.map((one, k) => shape("text", { x: free.left + 4, y: free.top + 14 + k * LINE, class: "dl-number", fill: colour }, one)),
  ];
}

/** @param {Box} a @param {Box} b */
const meet = (a, b) => a.left < b.left + b.wide && b.left < a.left + a.wide && a.top < b.top + b.high && b.top < a.top + a.high;
