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

const BUCKETS = 8192; // of a sigmoid
const REACH = 2; // widths to either side of its centre, beyond which it is black or white

/**
 * The 8-bit shade of each value; what is no number is shown like the lowest.
 * @param {Float32Array} values
 * @param {Window} window
 * @param {boolean} invert
 * @param {Uint8Array} out
 */
export function levels(values, window, invert, out) {
  const count = values.length;
  const { center: c, width: w } = window;
  if (window.function === "SIGMOID" && !window.lut && count > BUCKETS) return sigmoidLevels(values, window, invert, out);
  if (window.lut || window.function === "SIGMOID" || (window.function === "LINEAR" && !(w > 1))) {
    const shade = shader(window, invert);
    for (let i = 0; i < count; i++) out[i] = shade(values[i]);
    return;
  }
  // The same operations as `brightness`, with nothing that would be computed twice.
  const exact = window.function === "LINEAR_EXACT";
  const middle = exact ? c : c - 0.5;
  const span = exact ? w : w - 1;
  const flip = invert ? 255 : 0;
  for (let i = 0; i < count; i++) {
    const y = Math.min(Math.max((values[i] - middle) / span + 0.5, 0), 1);
    out[i] = ((y * 255 + 0.5) | 0) ^ flip; // NaN | 0 is 0
  }
}

/**
 * The same for a sigmoid, which is slow to compute: it only rises or falls, so that what lies between two values of one shade has it too.
 * @param {Float32Array} values @param {Window} window @param {boolean} invert @param {Uint8Array} out
 */
function sigmoidLevels(values, window, invert, out) {
  const shade = shader(window, invert);
  const { center, width } = window;
  const low = center - REACH * width;
  const share = BUCKETS / (2 * REACH * width);
  const table = new Int16Array(BUCKETS);
  for (let k = 0; k < BUCKETS; k++) {
    // A little wider than it is: a value at its edge may be counted here or there.
    const [a, b] = [shade(low + (k - 0.01) / share), shade(low + (k + 1.01) / share)];
    table[k] = a === b ? a : -1;
  }
  const [darkest, brightest] = [shade(-Infinity), shade(Infinity)];
  for (let i = 0; i < values.length; i++) {
    const at = (values[i] - low) * share;
    const known = at < 0 ? darkest : at >= BUCKETS ? brightest : at === at ? table[at | 0] : -1;
    out[i] = known >= 0 ? known : shade(values[i]);
  }
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
