// What a window loses of a set of values. The twin of dicomlab/teach/window/loss.py.

import { shader } from "../../../view/js/lut.js";

/** @typedef {import("../../../view/js/types.js").Window} Window */
/** @typedef {{values: Float64Array, counts: Float64Array, total: number, low: number, high: number}} Population each value once, rising, and how often it occurs */
/** @typedef {{black: number, white: number, values: number, greys: number, most: number, blacks: number, whites: number}} Loss */

/** The values of pixels; NaN does not count. @param {ArrayLike<number>} pixels @returns {Population} */
export function populationOf(pixels) {
  const sorted = Float64Array.from(pixels).sort();
  let size = sorted.length;
  while (size && Number.isNaN(sorted[size - 1])) size--;
  const values = [];
  const counts = [];
  for (let i = 0; i < size; i++) {
    if (i && sorted[i] === sorted[i - 1]) counts[counts.length - 1]++;
    else {
      values.push(sorted[i]);
      counts.push(1);
    }
  }
  return made(Float64Array.from(values), Float64Array.from(counts));
}

/** Whole numbers from the lowest on, and how often each occurs. @param {number} lowest @param {ArrayLike<number>} often @returns {Population} */
export function populationFrom(lowest, often) {
  const values = [];
  const counts = [];
  for (let i = 0; i < often.length; i++) {
    if (!often[i]) continue;
    values.push(lowest + i);
    counts.push(often[i]);
  }
  return made(Float64Array.from(values), Float64Array.from(counts));
}

/** @param {Float64Array} values @param {Float64Array} counts @returns {Population} */
function made(values, counts) {
  const finite = values.filter(Number.isFinite);
  const [low, high] = finite.length ? [finite[0], finite[finite.length - 1]] : [0, 1];
  return { values, counts, total: counts.reduce((sum, count) => sum + count, 0), low, high };
}

/** @param {Population} population @param {Window} window @returns {Loss} */
export function lossOf({ values, counts, total }, window) {
  if (!total) return { black: 0, white: 0, values: 0, greys: 0, most: 0, blacks: 0, whites: 0 };
  const shade = shader(window, false);
  const sharing = new Uint32Array(256);
  let [black, white] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const level = shade(values[i]);
    sharing[level]++;
    if (level === 0) black += counts[i];
    else if (level === 255) white += counts[i];
  }
  let [greys, most] = [0, 0];
  for (let level = 0; level < 256; level++) {
    if (sharing[level]) greys++;
    if (level > 0 && level < 255) most = Math.max(most, sharing[level]);
  }
  return { black: black / total, white: white / total, values: values.length, greys, most, blacks: sharing[0], whites: sharing[255] };
}

/** How many values become how many greys, as a sentence; with `invert`, low values are white. @param {Loss} loss @param {boolean} invert */
export function lossWords({ values, greys, most, blacks, whites }, invert) {
  const count = (/** @type {number} */ n) => n.toLocaleString("en");
  const [low, high] = invert ? ["white", "black"] : ["black", "white"];
  const ends = [blacks && `${count(blacks)} become ${low}`, whites && `${count(whites)} become ${high}`].filter(Boolean);
  return `${count(values)} different values become ${greys} greys${ends.length ? `: ${ends.join(", ")}` : ""}${most > 1 ? `; between black and white, up to ${count(most)} share one` : ""}`;
}

/**
 * Things whose greys are at most so many steps from their neighbour's, as groups of two or more.
 * @param {[name: string, value: number][]} things @param {Window} window @param {number} [within]
 */
export function alike(things, window, within = 0) {
  const shade = shader(window, false);
  const shown = things.map(([name, value], n) => ({ name, shade: shade(value), n })).sort((a, b) => a.shade - b.shade || a.n - b.n);
  /** @type {{name: string, shade: number}[][]} */
  const groups = [];
  for (const one of shown) {
    const last = groups[groups.length - 1];
    if (last && one.shade - last[last.length - 1].shade <= within) last.push(one);
    else groups.push([one]);
  }
  return groups.filter((group) => group.length > 1).map((group) => group.map(({ name }) => name));
}

/**
 * How often values fall into equal parts between two values; what lies beyond counts nowhere.
 * @param {Population} population @param {number} low @param {number} high @param {number} bins
 */
export function binned({ values, counts }, low, high, bins) {
  const found = new Float64Array(bins);
  const share = bins / (high - low);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor((values[i] - low) * share);
    if (at >= 0 && at < bins) found[at] += counts[i];
    else if (values[i] === high) found[bins - 1] += counts[i];
  }
  return found;
}
