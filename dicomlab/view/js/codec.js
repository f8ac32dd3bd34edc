// Bytes from the kernel, in whichever wrapping the host hands them over, as 16-bit codes.

/** @typedef {import("./types.js").Scale} Scale */

/**
 * A private copy of the bytes: a view would keep the whole message of several slices alive.
 * @param {DataView | ArrayBuffer | ArrayBufferView | string} buffer
 * @returns {Uint16Array}
 */
export function codesFrom(buffer) {
  let bytes;
  if (typeof buffer === "string") bytes = base64(buffer);
  else if (ArrayBuffer.isView(buffer)) bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  else bytes = new Uint8Array(buffer);
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return new Uint16Array(copy.buffer, 0, copy.byteLength >> 1);
}

/** @param {string} text */
export function base64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * @param {{kind: string, slope: number, intercept: number, exact: boolean}} item
 * @returns {Scale}
 */
export function scaleFrom(item) {
  return {
    signed: item.kind === "i2",
    special: item.kind === "q2",
    exact: item.exact,
    slope: item.slope,
    intercept: item.intercept,
  };
}
