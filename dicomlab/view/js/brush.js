// Which voxels a brush touches on its way from one place to another: a disc in the plane that is seen, or a ball. In patient mm, so
// that a brush is round wherever planes and voxels lie.

import { voxelsInside } from "./measured.js";
import { dot, minus, moved } from "./plane.js";
import { positionsOf } from "./scene.js";

/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./measured.js").Place} Place */
/** @typedef {(slice: number, row: number, column: number) => void} Found */

/**
 * The voxels of the plane whose centres, seen along its normal, lie within the radius of the way.
 * @param {Vector3} from @param {Vector3} to LPS mm @param {number} radius mm
 * @param {{right: Vector3, down: Vector3}} plane @param {Vector3} normal @param {Place} place @param {Found} found
 */
export function disc(from, to, radius, { right, down }, normal, place, found) {
  const ends = [moved(to, -radius, right), moved(to, radius, right), moved(to, -radius, down), moved(to, radius, down)];
  voxelsInside("ellipse", ends, normal, place, found);
  const way = minus(to, from);
  const length = Math.hypot(...way);
  if (!length) return;
  const [x, y] = [dot(way, right) / length, dot(way, down) / length];
  const aside = /** @type {Vector3} */ ([0, 1, 2].map((k) => x * down[k] - y * right[k]));
  voxelsInside("polygon", [moved(from, -radius, aside), moved(from, radius, aside), moved(to, radius, aside), moved(to, -radius, aside)], normal, place, found);
}

/**
 * The voxels whose centres lie within the radius of the way.
 * @param {Vector3} from @param {Vector3} to LPS mm @param {number} radius mm @param {Place} place @param {Found} found
 */
export function ball(from, to, radius, place, found) {
  const d = place.direction;
  const lines = [0, 1, 2].map((axis) => positionsOf(place, axis));
  const [S, R, C] = lines.map((line, axis) => {
    const row = /** @type {Vector3} */ (place.inverse.slice(3 * axis, 3 * axis + 3));
    const reach = radius * Math.hypot(...row);
    const [a, b] = [dot(row, from), dot(row, to)];
    const [low, high] = [Math.min(a, b) - reach, Math.max(a, b) + reach];
    /** @type {number[]} */
    const near = [];
    line.forEach((mm, k) => {
      if (mm >= low && mm <= high) near.push(k);
    });
    return near;
  });
  const way = minus(to, from);
  const squared = dot(way, way);
  const most = radius * radius * (1 + 1e-12);
  for (const s of S) {
    for (const r of R) {
      for (const c of C) {
        const [x, y, z] = [lines[0][s], lines[1][r], lines[2][c]];
        const px = d[0] * x + d[1] * y + d[2] * z - from[0];
        const py = d[3] * x + d[4] * y + d[5] * z - from[1];
        const pz = d[6] * x + d[7] * y + d[8] * z - from[2];
        const share = squared ? Math.min(Math.max((px * way[0] + py * way[1] + pz * way[2]) / squared, 0), 1) : 0;
        const qx = px - share * way[0];
        const qy = py - share * way[1];
        const qz = pz - share * way[2];
        if (qx * qx + qy * qy + qz * qz <= most) found(s, r, c);
      }
    }
  }
}

/**
 * The voxels of one label that hang together with one of them, side by side, in a plane of voxels.
 * @param {[number, number, number]} shape @param {Vector3} seed @param {number} axis that the plane cuts
 * @param {(slice: number, row: number, column: number) => number} at the label of a voxel @param {Found} found
 */
export function bucket(shape, seed, axis, at, found) {
  const [i, j] = [0, 1, 2].filter((k) => k !== axis);
  const wide = shape[j];
  const voxel = [...seed];
  const look = (/** @type {number} */ n) => {
    voxel[i] = Math.floor(n / wide);
    voxel[j] = n % wide;
    return at(voxel[0], voxel[1], voxel[2]);
  };
  const value = look(seed[i] * wide + seed[j]);
  const seen = new Uint8Array(shape[i] * wide);
  const heap = [seed[i] * wide + seed[j]];
  seen[heap[0]] = 1;
  /** @type {number[]} */
  const inside = [];
  while (heap.length) {
    const n = /** @type {number} */ (heap.pop());
    if (look(n) !== value) continue;
    inside.push(n);
    const column = n % wide;
    for (const next of [column > 0 ? n - 1 : -1, column < wide - 1 ? n + 1 : -1, n - wide, n + wide]) {
      if (next < 0 || next >= seen.length || seen[next]) continue;
      seen[next] = 1;
      heap.push(next);
    }
  }
  for (const n of inside) {
    voxel[i] = Math.floor(n / wide);
    voxel[j] = n % wide;
    found(voxel[0], voxel[1], voxel[2]);
  }
}
