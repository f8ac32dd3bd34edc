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
  if (window.lut || window.function === "SIGMOID" || (window.function === "LINEAR" && !(w > 1))) {
    const shade = shader(window, invert);
    for (let i = 0; i < count; i++) out[i] = shade(values[i]);
    return;
  }
  // The same operations as `brightness`, with nothing that would be computed twice.
  const exact = window.function === "LINEAR_EXACT";
  const middle = exact ? c : c - 0.5;
  const span = exact ? w : w - 1;
  const lowest = invert ? 255 : 0;
  for (let i = 0; i < count; i++) {
    const x = values[i];
    let y = (x - middle) / span + 0.5;
    y = y < 0 ? 0 : y > 1 ? 1 : y;
    out[i] = y === y ? (invert ? 255 - ((y * 255 + 0.5) | 0) : (y * 255 + 0.5) | 0) : lowest;
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
