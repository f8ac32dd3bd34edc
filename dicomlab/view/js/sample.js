// Values of a volume on a plane, before any window. The twin of dicomlab/view/sample.py: between voxels values are mixed along
// columns first, then rows, then slices, in float64, and rounded to float32 once.

import { SLACK, courses, moved, normalOf } from "./plane.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./plane.js").Course} Course */

/**
 * @typedef {object} Source What is sampled.
 * @property {import("./plane.js").Lattice} lattice
 * @property {[number, number, number]} shape slices, rows, columns
 * @property {number} finest mm, the smallest of the spacings
 * @property {(slice: number) => ArrayLike<number> | null} values of a slice, or nothing while it is not here
 */

/** @typedef {{mode: "mip" | "minip" | "average", thickness: number} | null} Slab */
/** @typedef {"nearest" | "linear"} Interpolation */

/** How far along the normal, in mm, the planes of a slab lie from its middle. @param {Slab} slab @param {number} finest */
export function slabOffsets(slab, finest) {
  if (!slab || !(slab.thickness > 0)) return [0];
  const count = Math.max(1, Math.ceil(slab.thickness / finest - SLACK));
  const step = slab.thickness / count;
  return Array.from({ length: count }, (_, k) => (k - (count - 1) / 2) * step);
}

/**
 * The slices that a plane touches, first and last; null where it misses the volume.
 * @param {Omit<Source, "values">} source @param {Plane} plane @param {Slab} [slab]
 * @returns {[number, number] | null}
 */
export function reach({ lattice, shape, finest }, plane, slab = null) {
  let low = Infinity;
  let high = -Infinity;
  const offsets = slabOffsets(slab, finest);
  const normal = normalOf(plane);
  for (const offset of new Set([offsets[0], offsets[offsets.length - 1]])) {
    const [way] = courses(lattice, offset ? { ...plane, origin: moved(plane.origin, offset, normal) } : plane);
    for (const x of [0, plane.width - 1]) {
      for (const y of [0, plane.height - 1]) {
        const at = way.index(way.start + y * way.down + x * way.right);
        low = Math.min(low, at);
        high = Math.max(high, at);
      }
    }
  }
  const last = shape[0] - 1;
  if (high < -0.5 - SLACK || low > last + 0.5 + SLACK) return null;
  const near = (/** @type {number} */ x) => (Math.abs(x - Math.round(x)) <= SLACK ? Math.round(x) : x);
  return [Math.min(Math.max(Math.floor(near(low)), 0), last), Math.min(Math.max(Math.ceil(near(high)), 0), last)];
}

/**
 * Values under each pixel, NaN where no voxel is or its slice is not here yet.
 * @param {Source} source
 * @param {Plane} plane
 * @param {Interpolation} interpolation
 * @param {Slab} [slab]
 * @param {Float32Array} [out] to be written into, where it has the size
 */
export function sample(source, plane, interpolation, slab = null, out) {
  const size = plane.width * plane.height;
  const result = out && out.length === size ? out : new Float32Array(size);
  const offsets = slabOffsets(slab, source.finest);
  if (offsets.length === 1 || !slab) {
    onPlane(source, offsets[0] ? shifted(plane, offsets[0]) : plane, interpolation, result);
    return result;
  }
  const values = new Float64Array(size);
  const total = new Float64Array(size).fill(NaN);
  const count = slab.mode === "average" ? new Float64Array(size) : null;
  for (const offset of offsets) {
    onPlane(source, offset ? shifted(plane, offset) : plane, interpolation, values);
    if (count) {
      for (let i = 0; i < size; i++) {
        if (values[i] !== values[i]) continue;
        total[i] = (count[i] > 0 ? total[i] : 0) + values[i];
        count[i]++;
      }
    } else if (slab.mode === "mip") {
      for (let i = 0; i < size; i++) if (!(total[i] >= values[i]) && values[i] === values[i]) total[i] = values[i];
    } else {
      for (let i = 0; i < size; i++) if (!(total[i] <= values[i]) && values[i] === values[i]) total[i] = values[i];
    }
  }
  if (count) for (let i = 0; i < size; i++) result[i] = count[i] > 0 ? total[i] / count[i] : NaN;
  else result.set(total);
  return result;
}

/** @param {Plane} plane @param {number} mm @returns {Plane} */
const shifted = (plane, mm) => ({ ...plane, origin: moved(plane.origin, mm, normalOf(plane)) });

/** What lies `way` from `a` to `b`; of equal ones that one, and an infinite one stays so. @param {number} a @param {number} b @param {number} way */
function mix(a, b, way) {
  const mixed = a + way * (b - a);
  if (mixed === mixed) return mixed;
  return a === b || ((a === Infinity || a === -Infinity) && Number.isFinite(b)) ? a : NaN;
}

/**
 * @param {Source} source
 * @param {Plane} plane
 * @param {Interpolation} interpolation
 * @param {Float32Array | Float64Array} out
 */
function onPlane(source, plane, interpolation, out) {
  const ways = courses(source.lattice, plane);
  let rights = 0;
  let downs = 0;
  let askew = false;
  for (const way of ways) {
    if (way.right !== 0) rights++;
    if (way.down !== 0) downs++;
    if (way.right !== 0 && way.down !== 0) askew = true;
  }
  if (askew || rights > 1 || downs > 1) anyhow(source, plane, ways, interpolation === "nearest", out);
  else straight(source, plane, ways, interpolation === "nearest", out);
}

/**
 * A table for one axis: which voxel, which next one, and how far between; -1 outside.
 * @param {Float64Array} index
 * @param {number} size
 * @param {boolean} nearest
 */
function steps(index, size, nearest) {
  const first = new Int32Array(index.length);
  const next = new Int32Array(index.length);
  const way = new Float64Array(index.length);
  for (let k = 0; k < index.length; k++) {
    if (!(index[k] >= -0.5 - SLACK && index[k] <= size - 0.5 + SLACK)) {
      first[k] = -1;
      continue;
    }
    const held = Math.min(Math.max(index[k], 0), size - 1);
    if (nearest) first[k] = next[k] = Math.min(Math.floor(held + 0.5), size - 1);
    else {
      first[k] = Math.floor(held);
      way[k] = held - first[k];
      next[k] = way[k] > 0 ? first[k] + 1 : first[k];
    }
  }
  return { first, next, way };
}

/**
 * Along straight axes: each line of pixels is made of at most four lines of voxels, by tables.
 * @param {Source} source
 * @param {Plane} plane
 * @param {[Course, Course, Course]} ways
 * @param {boolean} nearest
 * @param {Float32Array | Float64Array} out
 */
function straight(source, plane, ways, nearest, out) {
  const { width, height } = plane;
  const tables = ways.map((way) => {
    const count = way.right !== 0 ? width : way.down !== 0 ? height : 1;
    return steps(way.along(count, way.right !== 0 ? way.right : way.down), way.size, nearest);
  });
  out.fill(NaN);
  if (ways[0].right !== 0) upright(source, tables, ways, plane, out);
  else level(source, tables, ways, plane, out);
}

/** @typedef {{first: Int32Array, next: Int32Array, way: Float64Array}} Table */

/**
 * Columns or rows of voxels along the rows of pixels: each of these is made of at most four lines of voxels, which stay while the
 * next one needs them.
 * @param {Source} source
 * @param {Table[]} tables
 * @param {Course[]} ways
 * @param {Plane} plane
 * @param {Float32Array | Float64Array} out
 */
function level(source, [S, R, C], ways, { width, height }, out) {
  const columns = source.shape[2];
  const [sy, ry, cy] = ways.map((way) => (way.down !== 0 ? 1 : 0));
  const byRow = ways[1].right !== 0; // rows of voxels move with x, so that a line is made of several of them
  /** @type {Map<number, Float64Array>} */
  let lines = new Map();
  /** @type {Map<number, Float64Array>} */
  let before = new Map();
  /** Lines that no row needs any more: new ones a row would keep the collector busy. @type {Float64Array[]} */
  const free = [];
  const whole = C.way.every((way) => way === 0);
  // Pixels of a row that have a voxel lie side by side; what is beyond them is left as it is.
  const across = byRow ? R.first : C.first;
  const [from, to] = across.length === 1 ? [0, width] : [across.findIndex((one) => one >= 0), across.findLastIndex((one) => one >= 0) + 1];
  if (to <= from || from < 0) return;
  let column = 0;
  /** One line of voxels, mixed along columns (and rows, where these move with x). @param {number} slice @param {number} row */
  const line = (slice, row) => {
    const name = slice * source.shape[1] + row;
    const known = lines.get(name) ?? (cy ? undefined : before.get(name));
    if (known) {
      lines.set(name, known);
      return known;
    }
    const values = source.values(slice);
    if (!values) return null;
    const made = free.pop() ?? new Float64Array(width);
    if (byRow) {
      const [i, j, wc] = [C.first[column], C.next[column], C.way[column]];
      const { first, next, way } = R;
      for (let x = from; x < to; x++) {
        const upper = first[x] * columns;
        const lower = next[x] * columns;
        const one = i === j ? values[upper + i] : mix(values[upper + i], values[upper + j], wc);
        if (upper === lower) made[x] = one;
        else made[x] = mix(one, i === j ? values[lower + i] : mix(values[lower + i], values[lower + j], wc), way[x]);
      }
    } else {
      const start = row * columns;
      const { first, next, way } = C;
      if (first.length === 1) made.fill(mix(values[start + first[0]], values[start + next[0]], way[0]));
      else if (cy) made.fill(mix(values[start + first[column]], values[start + next[column]], way[column]));
      else if (whole) for (let x = from; x < to; x++) made[x] = values[start + first[x]];
      else for (let x = from; x < to; x++) made[x] = mix(values[start + first[x]], values[start + next[x]], way[x]);
    }
    lines.set(name, made);
    return made;
  };
  for (let y = 0; y < height; y++) {
    column = cy ? y : 0;
    const s = sy ? y : 0;
    const r = ry ? y : 0;
    if (S.first[s] < 0 || (!byRow && R.first[r] < 0) || ((cy || byRow || C.first.length === 1) && C.first[column] < 0)) continue;
    for (const [name, line] of before) if (lines.get(name) !== line) free.push(line);
    before.clear();
    [before, lines] = [lines, before];
    const [k, l] = [S.first[s], S.next[s]];
    const [i, j, wr] = byRow ? [0, 0, 0] : [R.first[r], R.next[r], R.way[r]];
    const a = line(k, i);
    const b = i === j ? a : line(k, j);
    const c = k === l ? a : line(l, i);
    const d = k === l ? b : i === j ? c : line(l, j);
    if (!a || !b || !c || !d) continue;
    const ws = S.way[s];
    const start = y * width;
    if (k === l && i === j) for (let x = from; x < to; x++) out[start + x] = a[x];
    else if (k === l) for (let x = from; x < to; x++) out[start + x] = mix(a[x], b[x], wr);
    else if (i === j) for (let x = from; x < to; x++) out[start + x] = mix(a[x], c[x], ws);
    else for (let x = from; x < to; x++) out[start + x] = mix(mix(a[x], b[x], wr), mix(c[x], d[x], wr), ws);
  }
}

/**
 * Slices along the rows of pixels: each column of pixels is made of two slices.
 * @param {Source} source
 * @param {Table[]} tables
 * @param {Course[]} ways
 * @param {Plane} plane
 * @param {Float32Array | Float64Array} out
 */
function upright(source, [S, R, C], ways, { width, height }, out) {
  const columns = source.shape[2];
  const [, ry, cy] = ways.map((way) => (way.down !== 0 ? 1 : 0));
  for (let x = 0; x < width; x++) {
    if (S.first[x] < 0) continue;
    const a = source.values(S.first[x]);
    const b = S.next[x] === S.first[x] ? a : source.values(S.next[x]);
    if (!a || !b) continue;
    const ws = S.way[x];
    for (let y = 0, at = x; y < height; y++, at += width) {
      const r = ry ? y : 0;
      const c = cy ? y : 0;
      if (R.first[r] < 0 || C.first[c] < 0) continue;
      const [upper, lower] = [R.first[r] * columns, R.next[r] * columns];
      const [i, j, wc, wr] = [C.first[c], C.next[c], C.way[c], R.way[r]];
      const one = mix(mix(a[upper + i], a[upper + j], wc), mix(a[lower + i], a[lower + j], wc), wr);
      out[at] = a === b ? one : mix(one, mix(mix(b[upper + i], b[upper + j], wc), mix(b[lower + i], b[lower + j], wc), wr), ws);
    }
  }
}

/**
 * At any angle.
 * @param {Source} source
 * @param {Plane} plane
 * @param {[Course, Course, Course]} ways
 * @param {boolean} nearest
 * @param {Float32Array | Float64Array} out
 */
function anyhow(source, plane, [S, R, C], nearest, out) {
  const { width, height } = plane;
  const [slices, rows, columns] = source.shape;
  const s1 = slices - 1;
  const r1 = rows - 1;
  const c1 = columns - 1;
  const sEven = S.even;
  const rEven = R.even;
  const cEven = C.even;
  const { right: sx } = S;
  const { right: rx } = R;
  const { right: cx } = C;
  const low = -0.5 - SLACK;
  const sHigh = s1 + 0.5 + SLACK;
  const rHigh = r1 + 0.5 + SLACK;
  const cHigh = c1 + 0.5 + SLACK;
  // All slices at once: asking for each voxel's slice would count as a use of it, a million times.
  const touched = reach(source, plane);
  /** @type {(ArrayLike<number> | null)[]} */
  const held = new Array(slices).fill(null);
  if (touched) for (let k = touched[0]; k <= touched[1]; k++) held[k] = source.values(k);
  for (let y = 0, at = 0; y < height; y++) {
    const s0 = S.start + y * S.down;
    const r0 = R.start + y * R.down;
    const c0 = C.start + y * C.down;
    for (let x = 0; x < width; x++, at++) {
      let s = s0 + x * sx;
      let r = r0 + x * rx;
      let c = c0 + x * cx;
      if (!sEven) s = S.index(s);
      if (!rEven) r = R.index(r);
      if (!cEven) c = C.index(c);
      if (!(s >= low && s <= sHigh && r >= low && r <= rHigh && c >= low && c <= cHigh)) {
        out[at] = NaN;
        continue;
      }
      s = s < 0 ? 0 : s > s1 ? s1 : s;
      r = r < 0 ? 0 : r > r1 ? r1 : r;
      c = c < 0 ? 0 : c > c1 ? c1 : c;
      if (nearest) {
        const values = held[Math.min((s + 0.5) | 0, s1)];
        out[at] = values ? values[Math.min((r + 0.5) | 0, r1) * columns + Math.min((c + 0.5) | 0, c1)] : NaN;
        continue;
      }
      const k = s | 0; // none is negative
      const i = r | 0;
      const j = c | 0;
      const ws = s - k;
      const wr = r - i;
      const wc = c - j;
      const a = held[k];
      const b = ws > 0 ? held[k + 1] : a;
      if (a === null || b === null) {
        out[at] = NaN;
        continue;
      }
      const upper = i * columns + j;
      const lower = wr > 0 ? upper + columns : upper;
      const step = wc > 0 ? 1 : 0;
      // Plainly first: only what is no number, or infinite, needs a closer look.
      const a0 = a[upper] + wc * (a[upper + step] - a[upper]);
      const a1 = a[lower] + wc * (a[lower + step] - a[lower]);
      let value = a0 + wr * (a1 - a0);
      if (ws > 0) {
        const b0 = b[upper] + wc * (b[upper + step] - b[upper]);
        const b1 = b[lower] + wc * (b[lower + step] - b[lower]);
        value += ws * (b0 + wr * (b1 - b0) - value);
      }
      if (value !== value) {
        const one = mix(mix(a[upper], a[upper + step], wc), mix(a[lower], a[lower + step], wc), wr);
        value = ws > 0 ? mix(one, mix(mix(b[upper], b[upper + step], wc), mix(b[lower], b[lower + step], wc), wr), ws) : one;
      }
      out[at] = value;
    }
  }
}
