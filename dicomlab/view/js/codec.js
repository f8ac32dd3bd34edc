// Bytes from the kernel, in whichever wrapping the host hands them over, as 16-bit codes.

/**
 * A private copy of the bytes: a view would keep the whole message of several slices alive.
 * @param {DataView | ArrayBuffer | ArrayBufferView | string} buffer
 * @returns {Uint8Array}
 */
export function bytesFrom(buffer) {
  let bytes;
  if (typeof buffer === "string") bytes = base64(buffer);
  else if (ArrayBuffer.isView(buffer)) bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  else bytes = new Uint8Array(buffer);
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}

/** @param {DataView | ArrayBuffer | ArrayBufferView | string} buffer @returns {Uint16Array} 16-bit codes */
export function codesFrom(buffer) {
  const copy = bytesFrom(buffer);
  return new Uint16Array(copy.buffer, 0, copy.byteLength >> 1);
}

/** @param {string} text */
export function base64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @typedef {Int16Array | Uint16Array | Float32Array} Values */

const MINUS_INFINITY = 65533;
const PLUS_INFINITY = 65534;
const NOT_A_NUMBER = 65535;

/**
 * The values of a slice: whole numbers as they are, all others decoded (dicomlab/view/codec.py, `as_seen`).
 * @param {Uint16Array} codes raw bits
 * @param {{kind: string, slope: number, intercept: number}} item
 * @returns {Values}
 */
export function valuesFrom(codes, { kind, slope, intercept }) {
  if (kind === "i2") return new Int16Array(codes.buffer, codes.byteOffset, codes.length);
  if (kind === "u2") return codes;
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code < MINUS_INFINITY) values[i] = code * slope + intercept;
    else values[i] = code === NOT_A_NUMBER ? NaN : code === PLUS_INFINITY ? Infinity : -Infinity;
  }
  return values;
}
