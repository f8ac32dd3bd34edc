// What is on the screen: which planes of the patient, how large, and where each pane lies. The twin of dicomlab/view/scene.py.

import { cross, courses, dot } from "./plane.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./plane.js").Lattice} Lattice */
/** @typedef {import("./sample.js").Slab} Slab */
/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {"single" | "planes" | "montage"} Layout */
/** @typedef {[number, number, number, number]} Box left, top, width, height */

/**
 * @typedef {object} Basis What is known of the first volume before anything is looked at.
 * @property {Record<PlaneName, Vector3>} right screen axes of each plane
 * @property {Record<PlaneName, Vector3>} down
 * @property {Record<PlaneName, number>} axis the voxel axis that it cuts
 * @property {Record<PlaneName, Vector3>} heading along which positions of this axis grow
 * @property {Vector3[]} corners outer corners of the voxels
 * @property {Vector3} middle
 */

/**
 * @typedef {object} Scene All that decides the planes on the screen.
 * @property {Vector3} position LPS mm where the planes meet
 * @property {PlaneName} plane the only one, or the largest
 * @property {Layout} layout
 * @property {number[]} turn rotation of all planes, row-major
 * @property {number} zoom 1 fits the volume into the panes
 * @property {Vector3} pan LPS mm by which the picture is moved out of the middle
 * @property {Slab} slab
 * @property {import("./sample.js").Interpolation} interpolation
 * @property {[number, number]} tiles rows and columns of a montage
 * @property {number} stride voxels from one plane of a montage to the next
 */

/**
 * @typedef {object} Pane
 * @property {PlaneName} name
 * @property {number} number tells panes of one plane apart
 * @property {number} left
 * @property {number} top
 * @property {Plane} plane
 * @property {number | null} source the only volume that is shown, where several stand side by side
 * @property {boolean} [late] whether another plane is wanted, which cannot be drawn yet (late.js)
 * @property {boolean} [given] whether what the kernel cut last is what is to be seen
 */

export const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
export const GAP = 2;
const WIDE = 1.25;

/** @type {PlaneName[]} */
export const PLANES = ["axial", "sagittal", "coronal"];

/**
 * @param {Scene} scene
 * @param {Basis} basis
 * @param {Lattice} lattice of the first volume
 * @param {number} width pixels of the stage
 * @param {number} height
 * @param {number[]} [sides] volumes that stand side by side
 * @returns {Pane[]}
 */
export function panes(scene, basis, lattice, width, height, sides = []) {
  if (sides.length > 1) {
    /** @type {Pane[]} */
    const made = [];
    const boxes = beside(width, height, sides.length);
    sides.forEach((source, n) => {
      const [left, top, wide, high] = boxes[n];
      const first = made.length;
      panes(scene, basis, lattice, wide, high).forEach((pane, k) => {
        made.push({ ...pane, number: first + k, left: pane.left + left, top: pane.top + top, source });
      });
    });
    return made;
  }
  if (scene.layout === "planes") {
    const names = [scene.plane, ...PLANES.filter((name) => name !== scene.plane)];
    return three(width, height).map((box, number) => {
      const scale = fit(axesOf(scene, basis, names[number]), basis, box);
      return { name: names[number], number, left: box[0], top: box[1], plane: planeOf(scene, basis, lattice, names[number], box, scale, scene.position), source: null };
    });
  }
  if (scene.layout === "montage") {
    const boxes = tilesOf(width, height, ...scene.tiles);
    const scale = fit(axesOf(scene, basis, scene.plane), basis, boxes[0]);
    const places = parallel(scene, basis, lattice, boxes.length);
    /** @type {Pane[]} */
    const made = [];
    boxes.forEach((box, number) => {
      const place = places[number];
      if (place) made.push({ name: scene.plane, number, left: box[0], top: box[1], plane: planeOf(scene, basis, lattice, scene.plane, box, scale, place), source: null });
    });
    return made;
  }
  /** @type {Box} */
  const box = [0, 0, width, height];
  const scale = fit(axesOf(scene, basis, scene.plane), basis, box);
  return [{ name: scene.plane, number: 0, left: 0, top: 0, plane: planeOf(scene, basis, lattice, scene.plane, box, scale, scene.position), source: null }];
}

/** @param {number} width @param {number} height @returns {Box[]} */
function three(width, height) {
  if (width >= WIDE * height) {
    const side = Math.max(Math.floor((width - GAP) / 3), 1);
    const main = Math.max(width - GAP - side, 1);
    const half = Math.max(Math.floor((height - GAP) / 2), 1);
    const rest = Math.max(height - GAP - half, 1);
    return [
      [0, 0, main, height],
      [main + GAP, 0, side, half],
      [main + GAP, half + GAP, side, rest],
    ];
  }
  const low = Math.max(Math.floor((height - GAP) / 3), 1);
  const main = Math.max(height - GAP - low, 1);
  const half = Math.max(Math.floor((width - GAP) / 2), 1);
  const rest = Math.max(width - GAP - half, 1);
  return [
    [0, 0, width, main],
    [0, main + GAP, half, low],
    [half + GAP, main + GAP, rest, low],
  ];
}

/** @param {number} width @param {number} height @param {number} rows @param {number} columns @returns {Box[]} */
function tilesOf(width, height, rows, columns) {
  const wide = Math.max(Math.floor((width - GAP * (columns - 1)) / columns), 1);
  const high = Math.max(Math.floor((height - GAP * (rows - 1)) / rows), 1);
  /** @type {Box[]} */
  const boxes = [];
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) boxes.push([j * (wide + GAP), i * (high + GAP), wide, high]);
  return boxes;
}

/** Boxes for several volumes side by side, so that the shorter side of a box is as long as can be. @param {number} width @param {number} height @param {number} count */
function beside(width, height, count) {
  let best = [-1, 0, 0];
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const [, , wide, high] = tilesOf(width, height, rows, columns)[0];
    const worth = [Math.min(wide, high), count - rows * columns, columns];
    const first = worth.findIndex((x, k) => x !== best[k]);
    if (worth[first] > best[first]) best = worth;
  }
  const columns = best[2];
  return tilesOf(width, height, Math.ceil(count / columns), columns).slice(0, count);
}

/** @param {number[]} turn */
const isIdentity = (turn) => turn.every((x, i) => x === IDENTITY[i]);

/** @param {number[]} turn @param {Vector3} vector @returns {Vector3} */
export function rotate(turn, vector) {
  if (isIdentity(turn)) return vector;
  return [dot(turn.slice(0, 3), vector), dot(turn.slice(3, 6), vector), dot(turn.slice(6, 9), vector)];
}

/**
 * The screen axes of a plane, tilted with its normal and never about it: what is up stays up.
 * @param {Pick<Scene, "turn">} scene @param {Basis} basis @param {PlaneName} name
 * @returns {[Vector3, Vector3]} right and down
 */
export function axesOf(scene, basis, name) {
  const right = basis.right[name];
  const down = basis.down[name];
  if (isIdentity(scene.turn)) return [right, down];
  const before = cross(right, down);
  const after = rotate(scene.turn, before);
  return [swung(right, before, after), swung(down, before, after)];
}

/** @param {Vector3} vector @param {Vector3} before @param {Vector3} after @returns {Vector3} */
function swung(vector, before, after) {
  const k = cross(before, after);
  const c = dot(before, after);
  if (c < -0.999999) return [-vector[0], -vector[1], -vector[2]];
  const once = cross(k, vector);
  const twice = cross(k, once);
  const share = 1 / (1 + c);
  return [vector[0] + once[0] + share * twice[0], vector[1] + once[1] + share * twice[1], vector[2] + once[2] + share * twice[2]];
}

/** @param {[Vector3, Vector3]} axes @param {Basis} basis @param {Box} box */
function fit(axes, basis, box) {
  const scales = axes.map((axis, n) => {
    const at = basis.corners.map((corner) => dot(axis, corner));
    return box[2 + n] / Math.max(Math.max(...at) - Math.min(...at), 1e-6);
  });
  return Math.min(...scales);
}

/**
 * @param {Scene} scene @param {Basis} basis @param {Lattice} lattice @param {PlaneName} name @param {Box} box
 * @param {number} scale @param {Vector3} place
 * @returns {Plane}
 */
function planeOf(scene, basis, lattice, name, box, scale, place) {
  const [right, down] = axesOf(scene, basis, name);
  const pixel = 1 / (scale * scene.zoom);
  const [, , width, height] = box;
  const n = cross(right, down);
  const middle = basis.middle.map((m, k) => m - scene.pan[k]);
  const lift = dot(
    place.map((a, k) => a - middle[k]),
    n,
  );
  const x = (pixel * (width - 1)) / 2;
  const y = (pixel * (height - 1)) / 2;
  const origin = /** @type {Vector3} */ (middle.map((m, k) => m + lift * n[k] - x * right[k] - y * down[k]));
  return crisp(lattice, { origin, right, down, pixel, width, height });
}

/** The plane, moved by less than a pixel so that voxels that are whole pixels begin where pixels begin. @param {Lattice} lattice @param {Plane} plane */
function crisp(lattice, plane) {
  let origin = plane.origin;
  const ways = courses(lattice, plane);
  for (const side of /** @type {("right" | "down")[]} */ (["right", "down"])) {
    const moving = ways.filter((way) => way[side] !== 0);
    if (moving.length !== 1 || !moving[0].even) continue;
    const step = moving[0][side];
    const pixels = 1 / Math.abs(step);
    const whole = Math.floor(pixels + 0.5);
    if (whole < 1 || Math.abs(pixels - whole) > 1e-6) continue;
    const first = 0.5 / whole - 0.5;
    const off = (moving[0].start - first) * whole;
    const shift = ((Math.floor(off + 0.5) - off) / whole / step) * plane.pixel;
    const vector = plane[side];
    origin = [origin[0] + shift * vector[0], origin[1] + shift * vector[1], origin[2] + shift * vector[2]];
  }
  return { ...plane, origin };
}

/** @param {Scene} scene @param {Basis} basis @param {Lattice} lattice @param {number} count @returns {(Vector3 | null)[]} */
function parallel(scene, basis, lattice, count) {
  const axis = basis.axis[scene.plane];
  const line = positionsOf(lattice, axis);
  const at = dot(lattice.inverse.slice(3 * axis, 3 * axis + 3), scene.position);
  let nearest = 0;
  for (let k = 1; k < line.length; k++) if (Math.abs(line[k] - at) < Math.abs(line[nearest] - at)) nearest = k;
  const span = count * scene.stride;
  let first = Math.min(Math.max(nearest - Math.floor(span / 2), 0), Math.max(line.length - span, 0));
  const rest = (/** @type {number} */ x) => ((x % scene.stride) + scene.stride) % scene.stride;
  if (line.length > span) {
    first -= rest(first - nearest);
    first = Math.max(first, rest(nearest));
  } else first = rest(nearest);
  const heading = rotate(scene.turn, basis.heading[scene.plane]);
  return Array.from({ length: count }, (_, k) => {
    const index = first + k * scene.stride;
    if (index >= line.length) return null;
    const mm = line[index] - at;
    return /** @type {Vector3} */ (scene.position.map((p, n) => p + mm * heading[n]));
  });
}

/** mm of every index of an axis. @param {Lattice} lattice @param {number} axis */
export function positionsOf({ axes }, axis) {
  const one = axes[axis];
  return Array.isArray(one) ? one : Array.from({ length: one.count }, (_, i) => one.start + i * one.step);
}

/** LPS unit vector of a pane away from who looks. @param {Pick<Scene, "turn">} scene @param {Basis} basis @param {PlaneName} name */
export function normal(scene, basis, name) {
  const [right, down] = axesOf(scene, basis, name);
  return cross(right, down);
}

/**
 * A rotation by an angle about a unit vector, row-major.
 * @param {import("./types.js").Vector3} axis @param {number} angle
 */
export function rotation([x, y, z], angle) {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const t = 1 - c;
  return [t * x * x + c, t * x * y - s * z, t * x * z + s * y, t * x * y + s * z, t * y * y + c, t * y * z - s * x, t * x * z - s * y, t * y * z + s * x, t * z * z + c];
}

/** The product of two rotations, made orthonormal again. @param {number[]} a @param {number[]} b */
export function multiplied(a, b) {
  const rows = [0, 3, 6].map((i) => [0, 1, 2].map((j) => a[i] * b[j] + a[i + 1] * b[j + 3] + a[i + 2] * b[j + 6]));
  const unit = (/** @type {number[]} */ v) => v.map((x) => x / Math.hypot(...v));
  const first = unit(rows[0]);
  const along = dot(rows[1], first);
  const second = unit(rows[1].map((x, k) => x - along * first[k]));
  const third = cross(/** @type {any} */ (first), /** @type {any} */ (second));
  return [...first, ...second, ...third];
}
