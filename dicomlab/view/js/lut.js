// Values of interest to grey (PS3.3 C.11.2.1). The arithmetic repeats dicomlab/voi.py operation for operation in
// float64, so that the picture in the browser equals the one drawn by Python byte for byte.

/** @typedef {import("./types.js").Window} Window */

import { base64 } from "./codec.js";

/**
 * Brightness of one value, 0 to 1; NaN stays NaN.
 * @param {number} x
 * @param {Window} window
 */
export function brightness(x, window) {
  const { center: c, width: w } = window;
  let y;
  if (window.function === "SIGMOID") return 1 / (1 + Math.exp((-4 * (x - c)) / w));
  if (window.function === "LINEAR_EXACT") y = (x - c) / w + 0.5;
  else if (w > 1) y = (x - (c - 0.5)) / (w - 1) + 0.5;
  else y = Number.isNaN(x) ? NaN : x <= c - 0.5 ? 0 : 1;
  return y < 0 ? 0 : y > 1 ? 1 : y;
}

/** A VOI LUT (dicomlab/view/meta.py, `lut_text`). @param {string} text */
export function lutFrom(text) {
  const [first, , data] = text.split(" ");
  const shades = base64(data);
  return { first: Number(first), shades, falls: shades[shades.length - 1] < shades[0] };
}

/**
 * What turns a value into grey, 0 to 255. What is not a number is drawn like the lowest value.
 * @param {Window} window
 * @param {boolean} invert
 * @returns {(x: number) => number}
 */
export function shader(window, invert) {
  /** @param {number} level */
  const shown = (level) => (invert ? 255 - level : level);
  if (window.lut) {
    const { first, shades } = lutFrom(window.lut);
    return (x) => {
      const entry = Math.floor(x + 0.5) - first;
      return shown(Number.isNaN(x) ? 0 : shades[Math.min(Math.max(entry, 0), shades.length - 1)]);
    };
  }
  return (x) => {
    const y = brightness(x, window);
    return shown(Number.isNaN(y) ? 0 : Math.floor(y * 255 + 0.5));
  };
}
