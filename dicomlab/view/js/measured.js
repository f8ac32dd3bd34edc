// Lengths, angles and areas in patient mm, and which voxels lie inside an area. The twin of dicomlab/view/measured.py, where it
// says what counts: the same operations in the same order, so that page and kernel find the same voxels.

import { SLACK, cross, dot, minus } from "./plane.js";
import { positionsOf } from "./scene.js";
import { nearest } from "./space.js";

/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./types.js").SourceMeta} SourceMeta */
/** @typedef {Pick<SourceMeta, "axes" | "direction" | "inverse" | "ruler">} Place where the voxels of a volume are */
/** @typedef {[number, number]} Pair */
/** @typedef {{n: number, mean: number, sd: number, min: number, max: number}} Statistics `sd` is divided by n */

export const AREAS = ["rectangle", "ellipse", "polygon", "freehand"];

const STILL = 1e-9; // mm a mm: an axis that leans no more than this out of a plane lies in it
const FACE = 1e-6; // mm beyond the outer face of a volume that still count

/** @param {Vector3} a */
const norm = (a) => Math.sqrt(dot(a, a));

/** mm from point to point. @param {Vector3[]} points */
export function lengthOf(points) {
  let total = 0;
  for (let k = 1; k < points.length; k++) total += norm(minus(points[k], points[k - 1]));
  return total;
}

/** Degrees, 0 to 180, at the second of three points. @param {Vector3[]} points */
export function angleOf([first, vertex, last]) {
  const a = minus(first, vertex);
  const b = minus(last, vertex);
  return Math.atan2(norm(cross(a, b)), dot(a, b)) * (180 / Math.PI);
}

/** mm² of an outline, seen along its normal. @param {string} kind @param {Vector3[]} points @param {Vector3} normal */
export function areaOf(kind, points, normal) {
  const outline = flat(points, frameOf(normal));
  if (kind === "ellipse") {
    const [, a, b] = halfAxes(outline);
    return Math.PI * Math.sqrt(a[0] * a[0] + a[1] * a[1]) * Math.sqrt(b[0] * b[0] + b[1] * b[1]);
  }
  let total = 0;
  outline.forEach(([x, y], k) => {
    const [s, t] = outline[(k + 1) % outline.length];
    total += x * t - s * y;
  });
  return Math.abs(total) / 2;
}

/** Two unit vectors that span a plane; of a plane across a patient axis they are the other two. @param {Vector3} normal @returns {[Vector3, Vector3]} */
export function frameOf(normal) {
  const sizes = normal.map(Math.abs);
  const axis = sizes.indexOf(Math.min(...sizes));
  return upright(normal, /** @type {Vector3} */ ([0, 1, 2].map((k) => (k === axis ? 1 : 0))));
}

/** Two unit vectors that span a plane, the first as far along a vector as it can be. @param {Vector3} normal @param {Vector3} along @returns {[Vector3, Vector3]} */
function upright(normal, along) {
  const share = dot(normal, along);
  const part = /** @type {Vector3} */ (along.map((x, k) => x - share * normal[k]));
  const size = norm(part);
  const right = /** @type {Vector3} */ (part.map((x) => x / size));
  return [right, cross(normal, right)];
}

/** mm along the two vectors of a plane, from the first point. @param {Vector3[]} points @param {[Vector3, Vector3]} frame @returns {Pair[]} */
function flat(points, [right, down]) {
  return points.map((point) => {
    const from = minus(point, points[0]);
    return [dot(from, right), dot(from, down)];
  });
}

/** The middle of an ellipse, and from there to the second end of each of its axes. @param {Pair[]} outline @returns {[Pair, Pair, Pair]} */
const halfAxes = ([[a, b], [c, d], [e, f], [g, h]]) => [
  [(a + c) / 2, (b + d) / 2],
  [(c - a) / 2, (d - b) / 2],
  [(g - e) / 2, (h - f) / 2],
];

/**
 * Whether places of the plane lie inside an outline: of a row of them, whose least and largest v are told first.
 * @param {string} kind @param {Pair[]} outline
 * @returns {(low: number, high: number) => (u: number, v: number) => boolean}
 */
function insideOf(kind, outline) {
  if (kind === "ellipse") {
    const [[x, y], a, b] = halfAxes(outline);
    const aa = a[0] * a[0] + a[1] * a[1];
    const bb = b[0] * b[0] + b[1] * b[1];
    return () => (u, v) => {
      const s = ((u - x) * a[0] + (v - y) * a[1]) / aa;
      const t = ((u - x) * b[0] + (v - y) * b[1]) / bb;
      return s * s + t * t <= 1;
    };
  }
  const edges = outline.map(([x, y], k) => {
    const [p, q] = outline[(k + 1) % outline.length];
    return { x, y, p, q };
  });
  return (low, high) => {
    const near = edges.filter(({ y, q }) => !(y > high && q > high) && !(y <= low && q <= low)); // no other is crossed
    return (u, v) => {
      let odd = false;
      for (const { x, y, p, q } of near) if (y > v !== q > v && u < ((p - x) * (v - y)) / (q - y) + x) odd = !odd;
      return odd;
    };
  };
}

/**
 * Calls back with each voxel (slice, row, column) whose centre lies inside an area.
 * @param {string} kind @param {Vector3[]} points @param {Vector3} normal @param {Place} place
 * @param {(slice: number, row: number, column: number) => void} found
 */
export function voxelsInside(kind, points, normal, place, found) {
  const d = place.direction;
  const leans = [0, 1, 2].map((k) => dot(normal, [d[k], d[3 + k], d[6 + k]]));
  const sizes = leans.map(Math.abs);
  const axis = sizes.indexOf(Math.max(...sizes));
  const [i, j] = [0, 1, 2].filter((k) => k !== axis);
  const first = points[0];
  const level = dot(normal, first);
  const lines = [0, 1, 2].map((k) => positionsOf(place, k));
  const [rows, columns] = [i, j].map((k) => near(place, lines[k], points, kind, k, widest(place, lines[axis], axis)));
  const [ni, nj] = [i, j].map((k) => (Math.abs(leans[k]) < STILL ? 0 : leans[k]));
  const [low, high] = faces(place, lines[axis], axis);
  const [right, down] = upright(normal, [d[j], d[3 + j], d[6 + j]]);
  const insideRow = insideOf(kind, flat(points, [right, down]));
  const [U, V] = [0, 1].map(() => new Float64Array(columns.length));
  const K = new Int32Array(columns.length);
  const mm = [0, 0, 0];
  const voxel = [0, 0, 0];
  for (const a of rows) {
    mm[i] = lines[i][a];
    voxel[i] = a;
    let [least, most] = [Infinity, -Infinity];
    for (let n = 0; n < columns.length; n++) {
      mm[j] = lines[j][columns[n]];
      K[n] = -1;
      const at = (level - (mm[i] * ni + mm[j] * nj)) / leans[axis];
      if (!(at >= low - FACE && at <= high + FACE)) continue;
      K[n] = drawnAt(lines[axis], at);
      mm[axis] = lines[axis][K[n]];
      const x = d[0] * mm[0] + d[1] * mm[1] + d[2] * mm[2] - first[0];
      const y = d[3] * mm[0] + d[4] * mm[1] + d[5] * mm[2] - first[1];
      const z = d[6] * mm[0] + d[7] * mm[1] + d[8] * mm[2] - first[2];
      U[n] = x * right[0] + y * right[1] + z * right[2];
      V[n] = x * down[0] + y * down[1] + z * down[2];
      if (V[n] < least) least = V[n];
      if (V[n] > most) most = V[n];
    }
    const inside = insideRow(least, most);
    for (let n = 0; n < columns.length; n++) {
      if (K[n] < 0 || !inside(U[n], V[n])) continue;
      voxel[j] = columns[n];
      voxel[axis] = K[n];
      found(voxel[0], voxel[1], voxel[2]);
    }
  }
}

/**
 * The index of the voxel that is drawn at a place: half way between two that with the higher index, as in sample.js.
 * @param {number[]} line @param {number} at mm
 */
function drawnAt(line, at) {
  const k = nearest(line, at);
  if (k + 1 >= line.length) return k;
  const step = Math.abs(line[k + 1] - line[k]);
  return Math.abs(line[k + 1] - at) - Math.abs(line[k] - at) <= 2 * SLACK * step ? k + 1 : k;
}

/** mm, the largest step of an axis. @param {Place} place @param {number[]} line @param {number} axis */
function widest(place, line, axis) {
  let most = line.length > 1 ? 0 : Math.abs(place.ruler[axis][1] || 1);
  for (let k = 1; k < line.length; k++) most = Math.max(most, Math.abs(line[k] - line[k - 1]));
  return most;
}

/** mm of the outer faces along an axis, the lower one first. @param {Place} place @param {number[]} line @param {number} axis */
function faces(place, line, axis) {
  const n = line.length;
  const step = place.ruler[axis][1] || 1;
  const [first, last] = n > 1 ? [line[1] - line[0], line[n - 1] - line[n - 2]] : [step, step];
  const ends = [line[0] - first / 2, line[n - 1] + last / 2];
  return [Math.min(...ends), Math.max(...ends)];
}

/**
 * The indices along an axis that an area can reach.
 * @param {Place} place @param {number[]} line @param {Vector3[]} points @param {string} kind @param {number} axis @param {number} margin mm
 */
function near(place, line, points, kind, axis, margin) {
  const toMm = place.inverse.slice(3 * axis, 3 * axis + 3);
  const at = boxOf(kind, points).map((point) => dot(toMm, point));
  const low = Math.min(...at) - margin;
  const high = Math.max(...at) + margin;
  /** @type {number[]} */
  const found = [];
  line.forEach((mm, k) => {
    if (mm >= low && mm <= high) found.push(k);
  });
  return found;
}

/** The points of an outline; of an ellipse the corners of the rectangle around it. @param {string} kind @param {Vector3[]} points @returns {Vector3[]} */
function boxOf(kind, points) {
  if (kind !== "ellipse") return points;
  const [a, b, c, e] = points;
  return [a, b].flatMap((one) => [c, e].map((other) => /** @type {Vector3} */ (one.map((p, k) => p + other[k] - (a[k] + b[k]) / 2))));
}

/** Statistics of values, those without a number left out. @param {ArrayLike<number>} values @returns {Statistics} */
export function statistics(values) {
  let n = 0;
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let k = 0; k < values.length; k++) {
    const x = values[k];
    if (x !== x) continue;
    n++;
    sum += x;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (!n) return { n, mean: NaN, sd: NaN, min: NaN, max: NaN };
  const mean = sum / n;
  let apart = 0;
  for (let k = 0; k < values.length; k++) if (values[k] === values[k]) apart += (values[k] - mean) * (values[k] - mean);
  return { n, mean, sd: Math.sqrt(apart / n), min, max };
}
