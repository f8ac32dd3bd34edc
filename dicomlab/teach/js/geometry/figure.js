// A stylised patient, and what a slice through it looks like.

/** @typedef {[number, number, number]} Vector3 */
/** @typedef {{skin: boolean, centre: Vector3, radii: Vector3, grey: number}} Part */
/** @typedef {{parts: Part[], box: [Vector3, Vector3]}} Figure */

/** Grey at a place, -1 outside. Later parts lie in earlier ones. @param {Part[]} parts @param {ArrayLike<number>} at */
export function greyAt(parts, at) {
  for (let n = parts.length - 1; n >= 0; n--) {
    const { centre, radii, grey } = parts[n];
    const x = (at[0] - centre[0]) / radii[0];
    const y = (at[1] - centre[1]) / radii[1];
    const z = (at[2] - centre[2]) / radii[2];
    if (x * x + y * y + z * z <= 1) return grey;
  }
  return -1;
}

/**
 * A slice as RGBA words, wide by high; what lies outside the body is clear.
 * @param {Part[]} parts @param {Vector3} position of the first pixel @param {Vector3} right mm from the first to the last column @param {Vector3} down
 * @param {number} wide @param {number} high
 */
export function slicePicture(parts, position, right, down, wide, high) {
  const words = new Uint32Array(wide * high);
  const at = [0, 0, 0];
  for (let y = 0; y < high; y++) {
    const t = high > 1 ? y / (high - 1) : 0;
    for (let x = 0; x < wide; x++) {
      const s = wide > 1 ? x / (wide - 1) : 0;
      for (let axis = 0; axis < 3; axis++) at[axis] = position[axis] + s * right[axis] + t * down[axis];
      const grey = greyAt(parts, at);
      words[y * wide + x] = grey < 0 ? 0 : (0xff000000 | (grey * 0x010101)) >>> 0;
    }
  }
  return words;
}
