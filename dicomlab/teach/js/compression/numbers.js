// The sums of the explorer of compression; Python does the same in dicomlab/teach/compression.py. Pure, but for what inflates.

/** @typedef {{strength: number | string, size: number, ratio: number, max: number, rms: number, psnr: number | null, difference?: string}} Variant */
/** @typedef {{name: string, kind: string, strength: string, unit: string, syntax: string, method: string, narrowed?: number, variants: Variant[]}} Method */

/** Values of so many bits of which the lowest are forgotten. @param {ArrayLike<number>} values @param {number} bits @param {number} kept */
export function quantised(values, bits, kept) {
  if (kept >= bits) return Int32Array.from(values);
  const step = 2 ** (bits - kept);
  return Int32Array.from(values, (value) => Math.floor(value / step) * step + Math.floor(step / 2));
}

/** Largest and root-mean-square error in the units of the image. @param {ArrayLike<number>} difference @param {number} slope */
export function errorsOf(difference, slope) {
  let most = 0;
  let squares = 0;
  for (let k = 0; k < difference.length; k += 1) {
    most = Math.max(most, Math.abs(difference[k]));
    squares += difference[k] * difference[k];
  }
  return { max: most * Math.abs(slope), rms: Math.sqrt(squares / difference.length) * Math.abs(slope) };
}

/** Grey of a value in a window, 0 to 255. @param {number} value @param {number} centre @param {number} width */
export const greyOf = (value, centre, width) => Math.max(0, Math.min(255, Math.round(((value - (centre - width / 2)) / width) * 255)));

/** Colour of a difference: dark where there is none, orange above, blue below. @param {number} value @param {number} most @returns {[number, number, number]} */
export function signedColour(value, most) {
  const share = Math.min(1, Math.abs(value) / most);
  const [r, g, b] = value > 0 ? [255, 150, 40] : [70, 160, 255];
  return /** @type {[number, number, number]} */ ([22 + share * (r - 22), 24 + share * (g - 24), 28 + share * (b - 28)].map(Math.round));
}

/** @param {string} text base64 of deflated bytes */
export async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/** @param {number} value @param {string} [units] */
export function nice(value, units = "") {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${units && ` ${units}`}`;
}
