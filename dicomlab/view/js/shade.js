// Values to colours: window, inversion, colour map. The twin of dicomlab/view/shade.py.

import { base64 } from "./codec.js";
import { shader } from "./lut.js";

/** @typedef {import("./types.js").Window} Window */

/** A colour map as 256 opaque RGBA words. @param {string} text base64 of 256 RGB triples; "" for grey */
export function paletteFrom(text) {
  const words = new Uint32Array(256);
  const bytes = text ? base64(text) : null;
  for (let i = 0; i < 256; i++) {
    words[i] = bytes
      ? (0xff000000 | (bytes[3 * i + 2] << 16) | (bytes[3 * i + 1] << 8) | bytes[3 * i]) >>> 0
      : (0xff000000 | (i * 0x010101)) >>> 0;
  }
  return words;
}

const BUCKETS = 4096; // of a sigmoid: finer than its shades
const REACH = 2; // widths to either side of its centre, beyond which it is black or white

/** The shades themselves, where no colours are wanted. */
export const SHADES = Uint32Array.from({ length: 256 }, (_, shade) => shade);

/** The colours of the shades from dark to bright, or from bright to dark. @param {Uint32Array} palette @param {boolean} invert */
export const ordered = (palette, invert) => (invert ? Uint32Array.from(palette).reverse() : palette);

/**
 * The colour of each value; what is no number is shown like the lowest.
 * @param {Float32Array} values
 * @param {Window} window
 * @param {Uint32Array} colours of the 256 shades
 * @param {Uint32Array} out
 */
export function paint(values, window, colours, out) {
  const count = values.length;
  const { center, width } = window;
  if (window.function === "SIGMOID" && !window.lut && count > BUCKETS) return paintSigmoid(values, window, colours, out);
  const shade = shader(window, false);
  const exact = window.function === "LINEAR_EXACT";
  const span = exact ? width : width - 1;
  const share = 255 / span;
  const shift = 128 - (exact ? center : center - 0.5) * share;
  if (window.lut || window.function === "SIGMOID" || !(span > 0) || !Number.isFinite(share) || !Number.isFinite(shift)) {
    for (let i = 0; i < count; i++) out[i] = colours[shade(values[i])];
    return;
  }
  // One multiplication tells the shade but for the last digits; only where these decide, the division of `brightness` is done.
  const slack = 1e-9 * (1 + Math.abs(shift));
  const [lowest, highest] = [colours[0], colours[255]];
  for (let i = 0; i < count; i++) {
    const x = values[i];
    const at = x * share + shift;
    if (!(at > 0.9 - slack)) out[i] = lowest;
    else if (at > 255 + slack) out[i] = highest;
    else {
      const level = at | 0;
      const rest = at - level;
      out[i] = colours[rest < slack || rest > 1 - slack ? shade(x) : level];
    }
  }
}

/**
 * The same for a sigmoid, which is slow to compute. It only rises, so where each shade begins is enough; a table tells the shade
 * about there, and one comparison the rest.
 * @param {Float32Array} values @param {Window} window @param {Uint32Array} colours @param {Uint32Array} out
 */
function paintSigmoid(values, window, colours, out) {
  const { center, width } = window;
  const edges = beginnings(window);
  const low = center - REACH * width;
  const share = BUCKETS / (2 * REACH * width);
  const table = new Uint8Array(BUCKETS);
  for (let k = 0, level = 0; k < BUCKETS; k++) {
    // A little before it begins: a value at its edge may be counted here or there.
    while (edges[level + 1] <= low + (k - 0.01) / share) level++;
    table[k] = level;
  }
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    const at = (x - low) * share;
    let level = at > 0 ? (at < BUCKETS ? table[at | 0] : 255) : 0;
    if (x >= edges[level + 1]) level++;
    out[i] = colours[level];
  }
}

/** The least value of each shade of a sigmoid; none for the first one, nor for one after the last. @param {Window} window */
function beginnings(window) {
  const shade = shader(window, false);
  const { center, width } = window;
  const edges = new Float64Array(257).fill(Infinity);
  for (let level = 1; level < 256; level++) {
    const about = center - (width / 4) * Math.log(255 / (level - 0.5) - 1);
    let [below, above] = [about - 1e-6 * width, about + 1e-6 * width];
    for (let n = 0; n < 50; n++) {
      const middle = below + (above - below) / 2;
      if (middle === below || middle === above) break;
      if (shade(middle) >= level) above = middle;
      else below = middle;
    }
    edges[level] = above;
  }
  return edges;
}

/** One colour over another: `share` from 0 to 1. @param {number} below @param {number} above @param {number} share */
export function blend(below, above, share) {
  if (share === 0) return below;
  if (share === 1) return above;
  const r = below & 255;
  const g = (below >>> 8) & 255;
  const b = (below >>> 16) & 255;
  const red = Math.floor(r + share * ((above & 255) - r) + 0.5);
  const green = Math.floor(g + share * (((above >>> 8) & 255) - g) + 0.5);
  const blue = Math.floor(b + share * (((above >>> 16) & 255) - b) + 0.5);
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}
