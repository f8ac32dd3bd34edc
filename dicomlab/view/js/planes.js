// Where voxels are and how a plane of them lies on the screen. Which axis runs where, and the patient letters, were
// decided once in Python (dicomlab/view/state.py); here is only what has to follow the pointer.

/** @typedef {import("./types.js").Axis} Axis */
/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Vector3} Vector3 */

export const AXIS_NAMES = ["slice", "row", "column"];

/** @param {Axis} axis @returns {Float64Array} mm of every index */
export function positions(axis) {
  if (Array.isArray(axis)) return Float64Array.from(axis);
  return Float64Array.from({ length: axis.count }, (_, i) => axis.start + i * axis.step);
}

/**
 * Index of the nearest position; positions ascend or descend.
 * @param {Float64Array} mm
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

/**
 * The n + 1 borders between voxels, half way to each neighbour; a single voxel is 1 mm thick.
 * @param {Float64Array} mm
 */
export function edges(mm) {
  const n = mm.length;
  if (n === 1) return Float64Array.of(mm[0] - 0.5, mm[0] + 0.5);
  const all = new Float64Array(n + 1);
  for (let i = 1; i < n; i++) all[i] = (mm[i - 1] + mm[i]) / 2;
  all[0] = mm[0] - (all[1] - mm[0]);
  all[n] = mm[n - 1] + (mm[n - 1] - all[n - 1]);
  return all;
}

/**
 * @typedef {object} Layout One plane on the screen. x = a*h + c*v and y = b*h + d*v are screen mm.
 * @property {PlaneName} name
 * @property {number} axis the volume axis that the wheel walks along
 * @property {number} h the volume axis that runs across the screen
 * @property {number} v the volume axis that runs down the screen
 * @property {boolean} transpose whether the lower-numbered of h and v runs across
 * @property {boolean} flipX
 * @property {boolean} flipY
 * @property {Float64Array} hmm mm of the screen columns, rising to the right
 * @property {Float64Array} vmm mm of the screen rows, rising downwards
 * @property {Float64Array} hEdges
 * @property {Float64Array} vEdges
 * @property {[number, number, number, number]} basis a b c d; not square when the gantry was tilted
 * @property {[string, string, string, string]} letters left, right, top, bottom
 */

export class Space {
  /** @param {Meta} meta */
  constructor(meta) {
    /** @private */ this.meta = meta;
    this.mm = meta.axes.map(positions);
    this.shape = this.mm.map((axis) => axis.length);
    /** @private @type {Map<PlaneName, Layout>} */ this.layouts = new Map();
  }

  /** LPS mm of a voxel. @param {number[]} voxel @returns {Vector3} */
  lps(voxel) {
    const d = this.meta.direction;
    const [s, r, c] = voxel.map((index, axis) => this.mm[axis][index]);
    return /** @type {Vector3} */ ([0, 3, 6].map((i) => d[i] * s + d[i + 1] * r + d[i + 2] * c));
  }

  /** @param {PlaneName} name @returns {Layout} */
  layout(name) {
    const known = this.layouts.get(name);
    if (known) return known;
    const { axis, down, right, matrix, flips, letters } = this.meta.planes[name];
    const [[dd, dr], [rd, rr]] = matrix;
    const [signH, signV] = [rr < 0 ? -1 : 1, dd < 0 ? -1 : 1];
    const [flipY, flipX] = flips;
    const hmm = this.mm[right].map((at) => signH * at);
    const vmm = this.mm[down].map((at) => signV * at);
    if (flipX) hmm.reverse();
    if (flipY) vmm.reverse();
    /** @type {Layout} */
    const layout = {
      name,
      axis,
      h: right,
      v: down,
      transpose: right < down,
      flipX,
      flipY,
      hmm,
      vmm,
      hEdges: edges(hmm),
      vEdges: edges(vmm),
      basis: [rr * signH, dr * signH, rd * signV, dd * signV],
      letters,
    };
    this.layouts.set(name, layout);
    return layout;
  }
}

/**
 * The rectangle a layout fills, in screen mm.
 * @param {Layout} layout
 */
export function extent(layout) {
  const [a, b, c, d] = layout.basis;
  const xs = [];
  const ys = [];
  for (const h of [layout.hEdges[0], layout.hEdges[layout.hmm.length]]) {
    for (const v of [layout.vEdges[0], layout.vEdges[layout.vmm.length]]) {
      xs.push(a * h + c * v);
      ys.push(b * h + d * v);
    }
  }
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/**
 * The voxel under a point of the screen, or null outside the volume.
 * @param {Layout} layout
 * @param {number} x screen mm
 * @param {number} y screen mm
 * @returns {{h: number, v: number} | null} indices along the volume axes layout.h and layout.v
 */
export function pick(layout, x, y) {
  const [a, b, c, d] = layout.basis;
  const all = a * d - b * c;
  const h = (d * x - c * y) / all;
  const v = (a * y - b * x) / all;
  if (h < layout.hEdges[0] || h > layout.hEdges[layout.hmm.length]) return null;
  if (v < layout.vEdges[0] || v > layout.vEdges[layout.vmm.length]) return null;
  const i = nearest(layout.hmm, h);
  const j = nearest(layout.vmm, v);
  return { h: layout.flipX ? layout.hmm.length - 1 - i : i, v: layout.flipY ? layout.vmm.length - 1 - j : j };
}

/**
 * A length for the scale bar: the largest of 1, 2, 5 times a power of ten that fits.
 * @param {number} mm the longest length that fits
 */
export function roundLength(mm) {
  const power = 10 ** Math.floor(Math.log10(mm));
  return [5, 2, 1].map((n) => n * power).find((n) => n <= mm) ?? power;
}
