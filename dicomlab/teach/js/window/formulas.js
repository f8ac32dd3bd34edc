// The functions of PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2 as they are written there, with the numbers filled in.

import { brightness } from "../../../view/js/lut.js";
import { short } from "../../../view/js/text.js";

/** @typedef {import("../../../view/js/types.js").Window} Window */
/** @typedef {{general: string, filled: string, holds: boolean}} Line one line of the formula, and whether it is the one that counts for a value */

export const SECTIONS = { LINEAR: "C.11.2.1.2.1", LINEAR_EXACT: "C.11.2.1.3.2", SIGMOID: "C.11.2.1.3.1" };

/** A number behind an operator: a negative one in brackets. @param {number} x */
const number = (x) => (x < 0 ? `(−${short(-x)})` : short(x));
/** @param {number} x with a true minus */
export const signed = (x) => (x < 0 ? `−${short(-x)}` : short(x));

/**
 * The formula of a window, for values of 0 (black) to 255 (white), and which of its lines holds for x.
 * @param {Window} window @param {number} [x]
 * @returns {Line[]}
 */
export function formula({ center: c, width: w, function: fn }, x = NaN) {
  const value = Number.isNaN(x) ? "x" : signed(x);
  if (fn === "SIGMOID") {
    return [{ general: "y = 255 / (1 + exp(−4 (x − c) / w))", filled: `255 / (1 + exp(−4 (${value} − ${number(c)}) / ${number(w)}))`, holds: !Number.isNaN(x) }];
  }
  if (fn === "LINEAR_EXACT") {
    const [low, high] = [c - w / 2, c + w / 2];
    return [
      { general: "x ≤ c − w/2:  y = 0", filled: `${value} ≤ ${signed(low)}`, holds: x <= low },
      { general: "x > c + w/2:  y = 255", filled: `${value} > ${signed(high)}`, holds: x > high },
      { general: "else:  y = ((x − c) / w + 0.5) · 255", filled: `((${value} − ${number(c)}) / ${number(w)} + 0.5) · 255`, holds: x > low && x <= high },
    ];
  }
  const [low, high] = [c - 0.5 - (w - 1) / 2, c - 0.5 + (w - 1) / 2];
  return [
    { general: "x ≤ c − 0.5 − (w − 1)/2:  y = 0", filled: `${value} ≤ ${signed(low)}`, holds: x <= low },
    { general: "x > c − 0.5 + (w − 1)/2:  y = 255", filled: `${value} > ${signed(high)}`, holds: x > high },
    {
      general: "else:  y = ((x − (c − 0.5)) / (w − 1) + 0.5) · 255",
      filled: `((${value} − ${number(c - 0.5)}) / ${number(w - 1)} + 0.5) · 255`,
      holds: x > low && x <= high,
    },
  ];
}

/** y before it is rounded, 0 to 255. @param {number} x @param {Window} window */
export const level = (x, window) => brightness(x, window) * 255;

/** How many units one of the 255 steps is wide; of a sigmoid in its middle, where it is steepest. @param {Window} window */
export const stepOf = ({ width, function: fn }) => (fn === "LINEAR" ? width - 1 : width) / 255;

/** A window that its function allows: LINEAR from a width of 1 on, the others above 0. @param {Window} window @returns {Window} */
export function allowed({ center, width, function: fn }) {
  const least = fn === "LINEAR" ? 1 : 1e-6;
  return { center, width: Number.isFinite(width) && width > least ? width : least, function: fn };
}
