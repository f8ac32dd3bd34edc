// What Python computed (tests/js/make_vectors.py).

import { readFileSync } from "node:fs";

import { base64, bytesFrom, valuesFrom } from "../../dicomlab/view/js/codec.js";

/** @param {DataView | ArrayBuffer | ArrayBufferView | string} buffer */
export const codesFrom = (buffer) => new Uint16Array(bytesFrom(buffer).buffer);

/** @param {string} name @returns {any[]} */
export function vectors(name) {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), "utf8"));
}

/** @param {string} text base64 of little-endian float32 */
export const floats = (text) => new Float32Array(base64(text).buffer);

/** The volumes of the vectors by name, with their slices as the page gets them. @returns {Map<string, any>} */
export function volumes() {
  return new Map(
    vectors("volumes").map((one) => {
      const slices = one.slices.map((/** @type {any} */ slice) => valuesFrom(codesFrom(slice.codes), slice));
      const source = { lattice: one, shape: one.shape, finest: one.finest, values: (/** @type {number} */ k) => slices[k] };
      return [one.name, { ...one, slices, source }];
    }),
  );
}

/**
 * Where two arrays of floats differ, NaN being like NaN; "" where they do not.
 * @param {ArrayLike<number>} found @param {ArrayLike<number>} expected
 */
export function difference(found, expected) {
  if (found.length !== expected.length) return `${found.length} values, not ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const same = found[i] === expected[i] || (found[i] !== found[i] && expected[i] !== expected[i]);
    if (!same) return `at ${i}: ${found[i]}, not ${expected[i]}`;
  }
  return "";
}
