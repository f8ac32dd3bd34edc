// From what is set to image planes, and from planes to where voxels are (PS3.3 C.7.6.2.1.1). The twin of
// dicomlab/teach/geometry/planes.py and, for affine and indices, of dicomlab/geometry.py.

import { cross, dot, minus } from "../../../view/js/plane.js";

/** @typedef {[number, number, number]} Vector3 */
/** @typedef {{along: number[], down: number[], across: number[], step: number, numbers: (number | null)[], locations: (number | null)[]}} Given */
/**
 * @typedef {object} Setting
 * @property {number[]} iop six cosines before the turns: r, then c
 * @property {Vector3} turns degrees about x, y, z, one after the other
 * @property {Vector3} ipp of the first plane
 * @property {[number, number]} spacing between rows, between columns
 * @property {number} step mm
 * @property {number} slices
 * @property {number} rows
 * @property {number} columns
 * @property {number} tilt degrees
 * @property {string} fault
 * @property {string} labels
 * @property {string} order
 */
/** @typedef {{index: number, instance: number | null, location: number | null, position: Vector3}} Plane */
/**
 * @typedef {object} Grid where voxels are, planes sorted by position
 * @property {Vector3} r @property {Vector3} c @property {Vector3} n
 * @property {Vector3} axis LPS mm that the slice axis advances while n · LPS grows by 1 mm: n, sheared under a tilt
 * @property {number[]} heights n · IPP of each slice
 * @property {Vector3} corner where the slice axis meets the plane n · LPS = 0
 * @property {number[][] | null} affine (slice, row, column, 1) to LPS; null where slices are uneven
 * @property {number[]} gaps between neighbours, mm along n
 * @property {number} tilt degrees
 * @property {number} lone step of a single slice
 */
/** @typedef {{code: string, text: string}} Finding */

export const FAULTS = ["none", "missing", "uneven", "beside"];
export const LABELS = ["file", "position", "reversed", "interleaved", "negative", "constant"];
export const ORDERS = ["position", "instance", "location"];
const SHUFFLE = 0.6180339887498949;
const ASIDE = 1 / 8;
const MOST_SLICES = 1000;

const isNumber = (/** @type {unknown} */ x) => typeof x === "number" && Number.isFinite(x);

/** Whatever the state holds, numbers that can be worked with. @param {Record<string, any>} state @returns {Setting} */
export function sound(state) {
  const numbers = (/** @type {string} */ name, /** @type {number[]} */ defaults) => {
    const found = Array.isArray(state[name]) && state[name].length === defaults.length ? state[name] : defaults;
    return defaults.map((one, n) => (isNumber(found[n]) ? found[n] : one));
  };
  const count = (/** @type {string} */ name, /** @type {number} */ most) => (isNumber(state[name]) ? Math.min(Math.max(Math.trunc(state[name]), 1), most) : 1);
  const word = (/** @type {string} */ name, /** @type {string[]} */ words) => (words.includes(state[name]) ? state[name] : words[0]);
  const positive = (/** @type {any} */ x) => (isNumber(x) && x > 0 ? x : 1);
  let iop = numbers("iop", [1, 0, 0, 0, 1, 0]);
  const [r, c] = [iop.slice(0, 3), iop.slice(3)];
  if (Math.abs(Math.hypot(...r) - 1) > 1e-2 || Math.abs(Math.hypot(...c) - 1) > 1e-2 || Math.abs(dot(r, c)) > 1e-2) iop = [1, 0, 0, 0, 1, 0];
  return {
    iop,
    turns: /** @type {Vector3} */ (numbers("turns", [0, 0, 0])),
    ipp: /** @type {Vector3} */ (numbers("ipp", [0, 0, 0])),
    spacing: /** @type {[number, number]} */ (numbers("spacing", [1, 1]).map(positive)),
    step: positive(state.step),
    slices: count("slices", MOST_SLICES),
    rows: count("rows", 1 << 16),
    columns: count("columns", 1 << 16),
    tilt: isNumber(state.tilt) ? Math.min(Math.max(state.tilt, -80), 80) : 0,
    fault: word("fault", FAULTS),
    labels: word("labels", LABELS),
    order: word("order", ORDERS),
  };
}

/** r, c and n = r × c after the turns. @param {Setting} setting @returns {{r: Vector3, c: Vector3, n: Vector3}} */
export function directions({ iop, turns }) {
  let both = [iop.slice(0, 3), iop.slice(3, 6)];
  [[1, 2], [2, 0], [0, 1]].forEach(([i, j], axis) => {
    const angle = (turns[axis] * Math.PI) / 180;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    both = both.map((vector) => {
      const turned = [...vector];
      turned[i] = cosine * vector[i] - sine * vector[j];
      turned[j] = sine * vector[i] + cosine * vector[j];
      return turned;
    });
  });
  const [r, c] = /** @type {[Vector3, Vector3]} */ (both);
  return { r, c, n: cross(r, c) };
}

/** a + x b + y c + z d @param {Vector3} a @param {[number, Vector3][]} terms @returns {Vector3} */
export function sum(a, ...terms) {
  return /** @type {Vector3} */ (a.map((value, axis) => terms.reduce((total, [factor, vector]) => total + factor * vector[axis], value)));
}

/** The planes in ascending order of n · IPP. @param {Setting} setting @param {Given | null} given @returns {Plane[]} */
export function planesOf(setting, given) {
  const { r, c, n } = directions(setting);
  const count = given ? Math.min(setting.slices, given.along.length) : setting.slices;
  const scale = given ? setting.step / given.step : 1;
  const lean = Math.tan((setting.tilt * Math.PI) / 180);
  const half = count >> 1;
  /** @type {Plane[]} */
  const found = [];
  for (let k = 0; k < count; k++) {
    let along = given ? given.along[k] * scale : k * setting.step;
    if (setting.fault === "uneven" && k > half) along += setting.step / 2;
    const down = lean * along + (given ? given.down[k] : 0);
    let across = given ? given.across[k] : 0;
    if (setting.fault === "beside" && k === half) across += ASIDE * setting.columns * setting.spacing[1];
    const position = sum(setting.ipp, [along, n], [down, c], [across, r]);
    if (setting.fault === "missing" && k === half && count > 2) continue;
    const [instance, location] = labelled(setting.labels, k, count, dot(position, n), given);
    found.push({ index: k, instance, location, position });
  }
  return found;
}

/**
 * Instance Number and Slice Location.
 * @param {string} labels @param {number} k @param {number} count @param {number} height @param {Given | null} given
 * @returns {[number | null, number | null]}
 */
function labelled(labels, k, count, height, given) {
  if (labels === "file" && given) return [given.numbers[k], given.locations[k]];
  let number = k + 1;
  if (labels === "reversed") number = count - k;
  else if (labels === "interleaved") number = k % 2 ? ((count + 1) >> 1) + (k >> 1) + 1 : (k >> 1) + 1;
  return [number, labels === "negative" ? -height : labels === "constant" ? 0 : height];
}

/** The planes sorted by what is asked for; equal ones stay in the order of the files. @param {Plane[]} planes @param {string} by */
export function ordered(planes, by) {
  if (by === "position") return [...planes];
  const place = (/** @type {Plane} */ plane) => (plane.index * SHUFFLE) % 1;
  const key = (/** @type {Plane} */ plane) => (by === "instance" ? plane.instance : plane.location) ?? Infinity;
  return [...planes].sort((a, b) => place(a) - place(b)).sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Where voxels are, planes given in the order of position. @param {Plane[]} planes @param {Setting} setting @returns {Grid} */
export function gridOf(planes, setting) {
  const { r, c, n } = directions(setting);
  const heights = planes.map(({ position }) => dot(position, n));
  const [downs, acrosses] = [planes.map(({ position }) => dot(position, c)), planes.map(({ position }) => dot(position, r))];
  const gaps = heights.slice(1).map((height, k) => height - heights[k]);
  const last = planes.length - 1;
  // The outer slices say where the stack goes; from one to the other is the slice axis, sheared under a tilt.
  let shear = [0, 0];
  let [row, column] = [median(downs), median(acrosses)];
  const wanders = planes.some((_, k) => Math.max(Math.abs(downs[k] - row), Math.abs(acrosses[k] - column)) > 0.005);
  if (last > 0 && wanders) {
    const rise = heights[last] - heights[0];
    shear = [(downs[last] - downs[0]) / rise, (acrosses[last] - acrosses[0]) / rise];
    [row, column] = [downs[0] - heights[0] * shear[0], acrosses[0] - heights[0] * shear[1]];
  } else if (last === 0) {
    shear = [Math.tan((setting.tilt * Math.PI) / 180), 0];
    [row, column] = [downs[0] - heights[0] * shear[0], acrosses[0] - heights[0] * shear[1]];
  }
  const axis = sum(n, [shear[0], c], [shear[1], r]);
  const corner = sum([0, 0, 0], [row, c], [column, r]);
  const step = last > 0 ? (heights[last] - heights[0]) / last : setting.step;
  const uneven = Math.max(0, ...heights.map((height, k) => Math.abs(height - (heights[0] + k * step))));
  const most = last < 2 ? 0 : Math.min(Math.max(0.01, 0.01 * Math.abs(step)), 0.1 * Math.abs(step));
  const origin = sum(corner, [heights[0], axis]);
  const affine =
    last >= 2 && uneven > most
      ? null
      : [...[0, 1, 2].map((x) => [step * axis[x], setting.spacing[0] * c[x], setting.spacing[1] * r[x], origin[x]]), [0, 0, 0, 1]];
  const tilt = (Math.atan2(Math.hypot(...minus(axis, n)), 1) * 180) / Math.PI;
  return { r, c, n, axis, heights, corner, affine, gaps, tilt, lone: setting.step };
}

/** (column, row, slice, 1) to RAS mm, as nibabel has it. @param {number[][]} affine */
export function toRas(affine) {
  return affine.map((line, x) => [2, 1, 0, 3].map((from) => (x < 2 ? -line[from] : line[from]) + 0));
}

/** LPS mm of a voxel (slice, row, column); fractions lie between. @param {Grid} grid @param {Setting} setting @param {number[]} voxel */
export function lpsOf({ heights, corner, axis, r, c, lone }, { spacing }, [k, i, j]) {
  let height = heights[0] + k * lone;
  if (heights.length > 1) {
    const low = Math.min(Math.max(Math.floor(k), 0), heights.length - 2);
    height = heights[low] + (k - low) * (heights[low + 1] - heights[low]);
  }
  return sum(corner, [height, axis], [i * spacing[0], c], [j * spacing[1], r]);
}

/** Voxel (slice, row, column) of an LPS place; the inverse of `lpsOf`. @param {Grid} grid @param {Setting} setting @param {number[]} lps */
export function voxelOf({ heights, corner, axis, r, c, n, lone }, { spacing }, lps) {
  const height = dot(lps, n);
  let slice = (height - heights[0]) / lone;
  if (heights.length > 1) {
    let low = heights.findIndex((_, k) => k === heights.length - 2 || heights[k + 1] > height);
    low = Math.max(low, 0);
    slice = low + (height - heights[low]) / (heights[low + 1] - heights[low]);
  }
  const rest = minus(/** @type {Vector3} */ (lps), sum(corner, [height, axis]));
  return [slice, dot(rest, c) / spacing[0], dot(rest, r) / spacing[1]];
}

/**
 * Slices that lie beside the straight line through the outer ones by more than rounding does, and where they would be on it.
 * @param {Plane[]} planes in the order of position @param {Grid} grid @param {Setting} setting @returns {{index: number, due: Vector3, mm: number}[]}
 */
export function astray(planes, { heights, corner, axis }, { spacing }) {
  const least = Math.max(0.01, Math.min(0.1, Math.min(...spacing) / 4));
  return planes
    .map(({ index, position }, k) => {
      const due = sum(corner, [heights[k], axis]);
      return { index, due, mm: Math.hypot(...minus(position, due)) };
    })
    .filter(({ mm }) => mm > least);
}

/**
 * What the reader would find odd, by the codes of dicomlab/read/faults.py.
 * @param {Plane[]} planes @param {Grid} grid @param {Setting} setting
 * @returns {Finding[]}
 */
export function findingsOf(planes, grid, { spacing }) {
  /** @type {Finding[]} */
  const found = [];
  if (grid.tilt > 0.1 && planes.length > 1) found.push({ code: "gantry_tilt", text: `the slice axis is tilted by ${grid.tilt.toFixed(2)} degrees` });
  const { heights, gaps } = grid;
  if (gaps.length) {
    const even = (heights[heights.length - 1] - heights[0]) / gaps.length;
    const off = Math.max(...heights.map((height, k) => Math.abs(height - (heights[0] + k * even))));
    if (off > Math.max(0.01, 0.01 * even)) {
      const step = Math.min(...gaps);
      const multiples = gaps.map((gap) => Math.round(gap / step));
      const wide = multiples.filter((one) => one > 1).length;
      const onGrid = gaps.every((gap, k) => Math.abs(gap - multiples[k] * step) <= 0.02 * step);
      if (wide && 2 * wide <= gaps.length && onGrid) {
        const missing = multiples.reduce((total, one) => total + one - 1, 0);
        found.push({ code: "missing_slice", text: `${missing} slice(s) of step ${step.toFixed(3)} mm are missing` });
      } else found.push({ code: "uneven_spacing", text: `slices are ${Math.min(...gaps).toFixed(3)} to ${Math.max(...gaps).toFixed(3)} mm apart, up to ${off.toFixed(3)} mm from an even grid` });
    }
  }
  const aside = planes.map(({ position }, k) => Math.hypot(...minus(position, sum(grid.corner, [heights[k], grid.axis]))));
  const worst = Math.max(...aside);
  if (worst > 0.01) {
    const rounding = worst <= Math.min(0.1, Math.min(...spacing) / 4);
    found.push({ code: rounding ? "rounded_positions" : "wandering_origin", text: `${aside.filter((mm) => mm > 0.01).length} of ${planes.length} slices lie up to ${worst.toFixed(3)} mm beside the straight line through the outer ones` });
  }
  return found;
}

/**
 * How far (mm) a slice of a stack in some order lies from where the affine of the order by position puts it, at worst.
 * @param {Plane[]} stack @param {Grid} grid
 */
export function misplaced(stack, { heights, axis, corner }) {
  const step = heights.length > 1 ? (heights[heights.length - 1] - heights[0]) / (heights.length - 1) : 0;
  return Math.max(...stack.map(({ position }, k) => Math.hypot(...minus(position, sum(corner, [heights[0] + k * step, axis])))));
}
