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

/**
 * A slice of fewer pixels in the size of the whole one: each stands for `divide` by `divide`.
 * @param {Values} values @param {number} divide @param {number} rows @param {number} columns
 * @returns {Values}
 */
export function widened(values, divide, rows, columns) {
  if (divide === 1) return values;
  const few = Math.ceil(columns / divide);
  const wide = new /** @type {any} */ (values.constructor)(rows * columns);
  for (let y = 0; y < rows; y++) {
    const start = y * columns;
    if (y % divide) wide.copyWithin(start, start - columns, start);
    else for (let x = 0, from = (y / divide) * few; x < columns; from++) for (let n = 0; n < divide && x < columns; n++, x++) wide[start + x] = values[from];
  }
  return wide;
}

/**
 * Numbers that were packed by zlib: all their lowest bytes first, all their highest last (dicomlab/view/codec.py, `packed`).
 * @param {Uint8Array} packed @param {number} size bytes of a number
 */
export async function inflate(packed, size) {
  const stream = new Blob([/** @type {BlobPart} */ (packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const parts = new Uint8Array(await new Response(stream).arrayBuffer());
  if (size === 1) return parts;
  const count = Math.floor(parts.length / size);
  const bytes = new Uint8Array(size * count);
  for (let k = 0; k < size; k++) for (let i = 0; i < count; i++) bytes[size * i + k] = parts[k * count + i];
  return bytes;
}
