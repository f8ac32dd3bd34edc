// Measurements as they are drawn and changed by hand; pure, in LPS mm. Their numbers are in measured.js, their fields are those
// of dicomlab/view/roi.py.

import { AREAS } from "./measured.js";
import { cross, dot, minus, moved, normalOf } from "./plane.js";
import { normal as normalIn } from "./scene.js";

/** @typedef {import("./types.js").Roi} Roi */
/** @typedef {import("./types.js").RoiKind} RoiKind */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./scene.js").Pane} Pane */

/** What is drawn next takes the next of these; as in dicomlab/view/roi.py. */
export const COLOURS = ["#ffd43b", "#4dabf7", "#ff8787", "#69db7c", "#da77f2", "#ffa94d", "#66d9e8"];

/** How many points the hand gives; an outline has as many as it wants. @type {Record<RoiKind, number>} */
export const GIVEN = { ruler: 2, angle: 3, rectangle: 2, ellipse: 2, polygon: Infinity, freehand: Infinity, profile: 2, probe: 1 };

const SQUARE = 1 - 1e-8; // cosine from which on two normals are one

/** @param {Roi} roi */
export const isArea = ({ kind }) => AREAS.includes(kind);

/** @param {Vector3} a */
const size = (a) => Math.sqrt(dot(a, a));

/** @param {Vector3} a @param {Vector3} b @param {number} [way] @returns {Vector3} */
const between = (a, b, way = 0.5) => [a[0] + way * (b[0] - a[0]), a[1] + way * (b[1] - a[1]), a[2] + way * (b[2] - a[2])];

/**
 * The points of a measurement, of those that the hand has given in a pane.
 * @param {RoiKind} kind @param {Vector3[]} given @param {Pane} pane
 */
export function pointsOf(kind, given, { plane: { right, down } }) {
  if (given.length < 2 || (kind !== "rectangle" && kind !== "ellipse")) return given;
  const [a, c] = given;
  const diagonal = minus(c, a);
  const [wide, high] = [dot(diagonal, right), dot(diagonal, down)];
  if (kind === "rectangle") return [a, moved(a, wide, right), c, moved(a, high, down)];
  const middle = between(a, c);
  const [across, along] = [[wide, right], [high, down]].map(([mm, way]) => [-1, 1].map((sign) => moved(middle, (sign * Math.abs(/** @type {number} */ (mm))) / 2, /** @type {Vector3} */ (way))));
  // The major axis first (PS3.3 C.18.9.1.2).
  return Math.abs(wide) >= Math.abs(high) ? [...across, ...along] : [...along, ...across];
}

/** Whether there is something to measure. @param {RoiKind} kind @param {Vector3[]} points @param {number} least mm */
export function isWhole(kind, points, least) {
  const far = (/** @type {number} */ a, /** @type {number} */ b) => size(minus(points[a], points[b])) >= least;
  if (kind === "probe") return points.length === 1;
  if (kind === "ruler" || kind === "profile") return points.length === 2 && far(0, 1);
  if (kind === "angle") return points.length === 3 && far(0, 1) && far(1, 2);
  if (kind === "rectangle") return points.length === 4 && far(0, 1) && far(1, 2);
  if (kind === "ellipse") return points.length === 4 && far(0, 1) && far(2, 3);
  return points.length > 2 && points.some((_, k) => far(0, k));
}

/** The points that are taken hold of one by one. @param {Roi} roi */
export const handlesOf = ({ kind, points }) => (kind === "freehand" ? [] : points);

/**
 * Points after one of them was dragged, or all of them. A rectangle stays one, and so does an ellipse; the opposite end stays.
 * @param {Roi} roi @param {number} handle of `points`; -1 for all @param {Vector3} by LPS mm
 * @returns {Vector3[]}
 */
export function dragged({ kind, points, normal }, handle, by) {
  const to = points.map((point, k) => (handle < 0 || k === handle ? moved(point, 1, by) : point));
  if (handle < 0) return to;
  if (kind === "rectangle") {
    const [next, opposite, before] = [1, 2, 3].map((k) => (handle + k) % 4);
    const fixed = points[opposite];
    const [a, b] = sides(minus(points[next], fixed), minus(points[before], fixed), /** @type {Vector3} */ (normal));
    const diagonal = minus(to[handle], fixed);
    to[next] = moved(fixed, dot(diagonal, a), a);
    to[before] = moved(fixed, dot(diagonal, b), b);
    to[handle] = moved(to[next], dot(diagonal, b), b);
  } else if (kind === "ellipse") {
    const opposite = handle ^ 1;
    const [c, e] = handle < 2 ? [2, 3] : [0, 1];
    const fixed = points[opposite];
    const axis = minus(points[handle], fixed);
    const length = size(axis) || 1;
    const way = /** @type {Vector3} */ (axis.map((x) => x / length));
    to[handle] = moved(fixed, Math.max(dot(minus(to[handle], fixed), way), 1e-3), way);
    const shift = minus(between(to[handle], fixed), between(points[handle], fixed));
    to[c] = moved(points[c], 1, shift);
    to[e] = moved(points[e], 1, shift);
  }
  return to;
}

/** Unit vectors along two sides; where one has no length, across the other. @param {Vector3} a @param {Vector3} b @param {Vector3} normal @returns {[Vector3, Vector3]} */
function sides(a, b, normal) {
  const unit = (/** @type {Vector3} */ v) => /** @type {Vector3} */ (v.map((x) => x / (size(v) || 1)));
  return [size(a) ? unit(a) : cross(unit(b), normal), size(b) ? unit(b) : cross(normal, unit(a))];
}

/** A point in the plane of a measurement that was begun. @param {Vector3} lps @param {Vector3} first @param {Vector3} normal */
export const inPlane = (lps, first, normal) => moved(lps, -dot(minus(lps, first), normal), normal);

/**
 * Whether a measurement is seen in a pane: all of its points lie within half a slice of it.
 * @param {Roi} roi @param {Pane} pane @param {import("./types.js").Meta} meta
 * @param {import("./scene.js").Scene} scene @param {import("./space.js").Space} space
 */
export function isSeen(roi, pane, meta, scene, space) {
  const away = normalOf(pane.plane);
  if (isArea(roi) && roi.normal && Math.abs(dot(roi.normal, away)) < SQUARE) return false;
  const [back, front] = halves(pane, meta, scene, space);
  return roi.points.every((point) => {
    const far = dot(minus(point, pane.plane.origin), away);
    return far >= -back - 1e-6 && far <= front + 1e-6;
  });
}

/** mm from a pane half way to the slices before and after it. @param {Pane} pane @param {import("./types.js").Meta} meta @param {import("./scene.js").Scene} scene @param {import("./space.js").Space} space */
function halves(pane, meta, scene, space) {
  const axis = meta.basis.axis[pane.name];
  const line = space.mm[axis];
  const thick = scene.slab ? scene.slab.thickness / 2 : 0;
  const n = line.length;
  const mean = n > 1 ? Math.abs(line[n - 1] - line[0]) / (n - 1) : Math.abs(meta.sources[0].ruler[axis][1] ?? 1);
  const k = space.nearest(pane.plane.origin)[axis];
  const step = (/** @type {number} */ a, /** @type {number} */ b) => (a < 0 || b >= n ? mean : Math.abs(line[b] - line[a]));
  // Along the positions of the axis, and so along the normal or against it.
  const [before, after] = [step(k - 1, k) / 2, step(k, k + 1) / 2];
  const rising = (line[n - 1] >= line[0] ? 1 : -1) * dot(meta.basis.heading[pane.name], normalIn(scene, meta.basis, pane.name)) > 0;
  const [back, front] = rising ? [before, after] : [after, before];
  return [Math.max(back, thick), Math.max(front, thick)];
}
