// Where the voxels of one volume are: between LPS mm and indices (slice, row, column).

import { dot } from "./plane.js";
import { positionsOf } from "./scene.js";

/** @typedef {import("./types.js").SourceMeta} SourceMeta */
/** @typedef {import("./types.js").Vector3} Vector3 */

export const AXIS_NAMES = ["slice", "row", "column"];

/**
 * Index of the nearest position; positions ascend or descend.
 * @param {ArrayLike<number>} mm
 * @param {number} at
 */
export function nearest(mm, at) {
  let low = 0;
  let high = mm.length - 1;
  const rising = mm[high] >= mm[0];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (mm[middle] <= at === rising) low = middle;
    else high = middle;
  }
  return Math.abs(mm[high] - at) < Math.abs(mm[low] - at) ? high : low;
}

export class Space {
  /** @param {SourceMeta} meta */
  constructor(meta) {
    /** @private */ this.meta = meta;
    /** mm of every index of each axis. */
    this.mm = [0, 1, 2].map((axis) => positionsOf(meta, axis));
    this.shape = meta.shape;
    /** @private */ this.edges = this.mm.map((line, axis) => {
      const half = meta.ruler[axis][1] ?? 0;
      const n = line.length;
      const [first, last] = n > 1 ? [line[1] - line[0], line[n - 1] - line[n - 2]] : [half || 1, half || 1];
      return [line[0] - first / 2, line[n - 1] + last / 2].sort((a, b) => a - b);
    });
  }

  /** mm along slice, row and column. @param {ArrayLike<number>} lps @returns {Vector3} */
  coordinates(lps) {
    const { inverse } = this.meta;
    return [dot(inverse.slice(0, 3), lps), dot(inverse.slice(3, 6), lps), dot(inverse.slice(6, 9), lps)];
  }

  /** The voxel that holds a position, or null outside. @param {ArrayLike<number>} lps @returns {Vector3 | null} */
  voxel(lps) {
    const at = this.coordinates(lps);
    for (let axis = 0; axis < 3; axis++) {
      const [low, high] = this.edges[axis];
      if (!(at[axis] >= low - 1e-6 && at[axis] <= high + 1e-6)) return null;
    }
    return this.nearest(lps);
  }

  /** The voxel nearest to a position, wherever that is. @param {ArrayLike<number>} lps @returns {Vector3} */
  nearest(lps) {
    const at = this.coordinates(lps);
    return /** @type {Vector3} */ ([0, 1, 2].map((axis) => nearest(this.mm[axis], at[axis])));
  }

  /** LPS mm of the centre of a voxel. @param {ArrayLike<number>} voxel @returns {Vector3} */
  lps(voxel) {
    const d = this.meta.direction;
    const [s, r, c] = [0, 1, 2].map((axis) => this.mm[axis][voxel[axis]]);
    return /** @type {Vector3} */ ([0, 3, 6].map((i) => d[i] * s + d[i + 1] * r + d[i + 2] * c));
  }

  /** A position within the volume: the nearest one. @param {Vector3} lps @returns {Vector3} */
  within(lps) {
    const at = this.coordinates(lps);
    const held = at.map((mm, axis) => Math.min(Math.max(mm, this.edges[axis][0]), this.edges[axis][1]));
    if (held.every((mm, axis) => mm === at[axis])) return lps;
    const d = this.meta.direction;
    return /** @type {Vector3} */ ([0, 3, 6].map((i) => d[i] * held[0] + d[i + 1] * held[1] + d[i + 2] * held[2]));
  }
}

/**
 * The step of an axis as text; its smallest and largest where it is uneven, nothing where there is one voxel.
 * @param {number[]} mm
 */
export function stepText(mm) {
  const steps = mm.slice(1).map((at, i) => Math.abs(at - mm[i])).sort((a, b) => a - b);
  if (!steps.length) return "";
  /** @param {number} x */
  const text = (x) => String(Number(x.toPrecision(3)));
  const [least, most] = [text(steps[0]), text(steps[steps.length - 1])];
  return steps[steps.length - 1] - steps[0] < 0.01 * steps[0] ? least : `${least}…${most}`;
}

/**
 * A length for the scale bar: the largest of 1, 2, 5 times a power of ten that fits.
 * @param {number} mm the longest length that fits
 */
export function roundLength(mm) {
  const power = 10 ** Math.floor(Math.log10(mm));
  return [5, 2, 1].map((n) => n * power).find((n) => n <= mm) ?? power;
}
