// A rectangle of square pixels in the patient, and where its pixels lie among the voxels of a volume. The twin of
// dicomlab/view/plane.py: the same operations in the same order, so that both find the same voxels to the last bit.

/** @typedef {import("./types.js").Axis} Axis */
/** @typedef {import("./types.js").Vector3} Vector3 */

/**
 * @typedef {object} Plane
 * @property {Vector3} origin LPS mm of the centre of the first pixel, at the top left
 * @property {Vector3} right LPS unit vector along rows of pixels
 * @property {Vector3} down
 * @property {number} pixel mm
 * @property {number} width pixels
 * @property {number} height
 */

/** Voxels: what lies this near to the centre or the face of a voxel is on it. */
export const SLACK = 1e-6;

const STILL = 1e-9;

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** @param {Vector3} a @param {Vector3} b @returns {Vector3} */
export const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];

/** @param {Vector3} point @param {number} mm @param {Vector3} along @returns {Vector3} */
export const moved = (point, mm, along) => [point[0] + mm * along[0], point[1] + mm * along[1], point[2] + mm * along[2]];

/** @param {Vector3} a @param {Vector3} b @returns {Vector3} */
export const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** LPS unit vector away from who looks. @param {Plane} plane @returns {Vector3} */
export const normalOf = ({ right, down }) => cross(right, down);

/** LPS mm of a place in pixels, (0, 0) at the centre of the first. @param {Plane} plane @param {number} x @param {number} y */
export const placeOf = ({ origin, right, down, pixel }, x, y) => moved(moved(origin, x * pixel, right), y * pixel, down);

/** Pixels of the projection of an LPS place. @param {Plane} plane @param {Vector3} lps @returns {[number, number]} */
export function pixelOf({ origin, right, down, pixel }, lps) {
  const from = minus(lps, origin);
  return [dot(from, right) / pixel, dot(from, down) / pixel];
}

/** @param {Axis} axis @returns {Float64Array} mm of every index */
export function positions(axis) {
  if (Array.isArray(axis)) return Float64Array.from(axis);
  return Float64Array.from({ length: axis.count }, (_, i) => axis.start + i * axis.step);
}

/**
 * How the place along one voxel axis changes with the pixel: (start + y * down) + x * right; in voxels, of an uneven axis in mm.
 */
export class Course {
  /**
   * @param {number} size voxels
   * @param {number} start
   * @param {number} right
   * @param {number} down
   * @param {Float64Array | null} line positions of the voxels of an uneven axis
   */
  constructor(size, start, right, down, line) {
    this.size = size;
    this.start = start;
    this.right = right;
    this.down = down;
    /** @private @type {Float64Array | null} */ this.line = null;
    /** @private @type {Float64Array | null} */ this.numbers = null;
    if (line) {
      const n = line.length;
      const longer = Float64Array.from([line[0] - (line[1] - line[0]), ...line, line[n - 1] + (line[n - 1] - line[n - 2])]);
      const numbers = Float64Array.from({ length: n + 2 }, (_, i) => i - 1);
      if (longer[n + 1] < longer[0]) {
        longer.reverse();
        numbers.reverse();
      }
      this.line = longer;
      this.numbers = numbers;
    }
  }

  get even() {
    return this.line === null;
  }

  /** Fractional voxel index of a place. @param {number} place */
  index(place) {
    const { line, numbers } = this;
    if (!line || !numbers) return place;
    let low = 0;
    let high = line.length - 1; // the last interval ends there
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (line[middle] <= place) low = middle;
      else high = middle;
    }
    const at = Math.min(Math.max(place, line[0]), line[line.length - 1]);
    return numbers[low] + ((at - line[low]) / (line[low + 1] - line[low])) * (numbers[low + 1] - numbers[low]);
  }

  /** Indices of `count` pixels in a row; on a voxel or a face where nearly so. @param {number} count @param {number} step */
  along(count, step) {
    const made = new Float64Array(count);
    for (let k = 0; k < count; k++) {
      const index = this.index(this.start + k * step);
      const halves = Math.floor(2 * index + 0.5) / 2;
      made[k] = Math.abs(index - halves) <= SLACK ? halves : index;
    }
    return made;
  }
}

/** @typedef {{axes: Axis[], inverse: number[], ruler: [number, number | null][]}} Lattice where the voxels of a volume are */

/**
 * The courses of slice, row and column.
 * @param {Lattice} lattice
 * @param {Plane} plane
 * @returns {[Course, Course, Course]}
 */
export function courses({ axes, inverse, ruler }, plane) {
  return /** @type {[Course, Course, Course]} */ (
    axes.map((axis, n) => {
      const toMm = inverse.slice(3 * n, 3 * n + 3);
      const start = dot(toMm, plane.origin);
      const right = plane.pixel * dot(toMm, plane.right);
      const down = plane.pixel * dot(toMm, plane.down);
      const [first, step] = ruler[n];
      const size = Array.isArray(axis) ? axis.length : axis.count;
      if (step === null) return new Course(size, start, still(right), still(down), positions(axis));
      return new Course(size, (start - first) / step, still(right / step), still(down / step), null);
    })
  );
}

/** @param {number} x */
const still = (x) => (Math.abs(x) < STILL ? 0 : x);

/**
 * The same rectangle with fewer pixels.
 * @param {Plane} plane @param {number} divide
 * @returns {Plane}
 */
export function coarser(plane, divide) {
  if (divide <= 1) return plane;
  const shift = ((divide - 1) / 2) * plane.pixel;
  const origin = plane.origin.map((x, k) => x + shift * plane.right[k] + shift * plane.down[k]);
  return {
    ...plane,
    origin: /** @type {Vector3} */ (origin),
    pixel: plane.pixel * divide,
    width: Math.ceil(plane.width / divide),
    height: Math.ceil(plane.height / divide),
  };
}
