// Values of interest to grey (PS3.3 C.11.2.1). The arithmetic repeats dicomlab/voi.py operation for operation in
// float64, so that the picture in the browser equals the one drawn by Python byte for byte.

/** @typedef {import("./types.js").Window} Window */
/** @typedef {import("./types.js").Scale} Scale */
/** @typedef {import("./types.js").Picture} Picture */

import { base64 } from "./codec.js";

const MINUS_INFINITY = 65533;
const PLUS_INFINITY = 65534;
const NOT_A_NUMBER = 65535;

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

/**
 * The value that a 16-bit code stands for.
 * @param {number} code 0 to 65535, the raw bits
 * @param {Scale} scale
 */
export function valueOf(code, scale) {
  if (scale.special && code >= MINUS_INFINITY) {
    return code === NOT_A_NUMBER ? NaN : code === PLUS_INFINITY ? Infinity : -Infinity;
  }
  const stored = scale.signed && code > 32767 ? code - 65536 : code;
  return stored * scale.slope + scale.intercept;
}

/**
 * Grey for all 65,536 codes, as opaque RGBA words.
 * @param {Window} window
 * @param {boolean} invert
 * @param {Scale} scale
 * @param {Uint32Array} [out]
 */
export function table(window, invert, scale, out = new Uint32Array(65536)) {
  const grey = shader(window, invert);
  for (let code = 0; code < 65536; code++) out[code] = 0xff000000 | (grey(valueOf(code, scale)) * 0x010101);
  return out;
}

/**
 * A value as text, with no more digits than the 16-bit journey kept.
 * @param {number} value
 * @param {Scale} scale
 */
export function honest(value, scale) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+inf" : "-inf";
  if (scale.exact) return String(Number(value.toPrecision(12)));
  const digits = Math.floor(-Math.log10(Math.abs(scale.slope) || 1e-6));
  if (digits >= 0 && digits <= 12) return `≈ ${value.toFixed(digits)}`;
  const unit = 10 ** -digits;
  return `≈ ${Number((Math.round(value / unit) * unit).toPrecision(12))}`;
}

/** Keeps the last table, because a step to the next slice asks for the same one again. */
export class Painter {
  constructor() {
    /** @private */ this.key = "";
    /** @private */ this.words = new Uint32Array(65536);
  }

  /**
   * Paints a picture into RGBA words, turning and flipping it on the way.
   * @param {Picture} picture
   * @param {{transpose: boolean, flipX: boolean, flipY: boolean}} turn
   * @param {Window} window
   * @param {boolean} invert
   * @param {Uint32Array} out rows * cols words
   */
  paint(picture, turn, window, invert, out) {
    const { codes, rows, cols, scales, missing } = picture;
    const width = turn.transpose ? rows : cols;
    const height = turn.transpose ? cols : rows;
    // Steps through `out` for one native row and one native column.
    let rowStep = turn.transpose ? 1 : width;
    let colStep = turn.transpose ? width : 1;
    let start = 0;
    if (turn.flipX) start += width - 1;
    if (turn.flipY) start += (height - 1) * width;
    if (turn.transpose ? turn.flipX : turn.flipY) rowStep = -rowStep;
    if (turn.transpose ? turn.flipY : turn.flipX) colStep = -colStep;
    const common = scales.length === 1;
    const grey = shader(window, invert);
    const words = common ? this.tableFor(window, invert, scales[0]) : this.words;
    for (let i = 0; i < rows; i++) {
      let at = start + i * rowStep;
      let from = i * cols;
      if (missing && missing[i]) {
        for (let j = 0; j < cols; j++, at += colStep) out[at] = 0;
      } else if (common) {
        for (let j = 0; j < cols; j++, at += colStep) out[at] = words[codes[from++]];
      } else {
        for (let j = 0; j < cols; j++, at += colStep) {
          out[at] = 0xff000000 | (grey(valueOf(codes[from++], scales[i])) * 0x010101);
        }
      }
    }
  }

  /**
   * @private
   * @param {Window} window
   * @param {boolean} invert
   * @param {Scale} scale
   */
  tableFor(window, invert, scale) {
    const key = JSON.stringify([window, invert, scale]);
    if (key !== this.key) {
      table(window, invert, scale, this.words);
      this.key = key;
    }
    return this.words;
  }
}
