// One scene -> one picture. The twin of dicomlab/view/draw.py, byte for byte. What was sampled is kept: a window that is dragged
// needs no voxel again.

import { coarser, dot, minus } from "./plane.js";
import { sample, slabOffsets } from "./sample.js";
import { SHADES, blend, ordered, paint } from "./shade.js";

/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./types.js").Window} Window */
/** @typedef {"side" | "fusion" | "curtain" | "checkerboard" | "difference"} Mode */

/**
 * @typedef {object} ImageLayer A volume of values, and how it is looked at.
 * @property {import("./sample.js").Source} source
 * @property {string} key changes whenever the voxels that are here do
 * @property {Window} window
 * @property {boolean} invert
 * @property {Uint32Array} palette
 * @property {number} opacity
 * @property {boolean} fade
 * @property {boolean} smooth
 * @property {import("./transport.js").PlaneAnswer} [given] what the kernel cut, where slices are not all here
 */
/** @typedef {{colour: [number, number, number], opacity: number, outline: boolean, visible: boolean}} Label */
/** @typedef {{source: import("./sample.js").Source, key: string, labels: Map<number, Label>, given?: import("./transport.js").PlaneAnswer}} LabelLayer */

export const GROUND = 24;
const NOTHING = (0xff000000 | (GROUND * 0x010101)) >>> 0;
const SQUARE = 48;
const ROUGHEST = 4;
const KNOWN = 3; // pictures after which their cost is known: the first ones are slow
const AGAIN = 12; // pictures of few pixels after which a whole one is tried
const MUCH = 3; // times as long as it may take, beyond which that would be felt

/** Draws one plane again and again, and keeps what did not change. */
export class PaneDrawer {
  constructor() {
    /** @private @type {{name: string, values: Float32Array}[]} */ this.samples = [];
    /** Of a volume that lies over the first. @private */ this.colours = new Uint32Array(0);
    /** ms that a pixel took the last times, of each plane of a slab: the first time is slow. @private @type {number[]} */ this.costs = [];
    /** @private */ this.sketches = 0;
    /** Whether the last picture has fewer pixels than it should, for speed. */ this.rough = false;
  }

  /** Values of a layer under each pixel. @private @param {number} n @param {ImageLayer | LabelLayer} layer @param {Plane} plane @param {import("./sample.js").Interpolation} interpolation @param {import("./sample.js").Slab} slab @param {number} patience */
  values(n, layer, plane, interpolation, slab, patience) {
    const name = JSON.stringify([layer.key, plane, interpolation, slab]);
    const kept = this.samples[n];
    if (kept?.name === name) return kept.values;
    const { given } = layer;
    const work = plane.width * plane.height * slabOffsets(slab, layer.source.finest).length;
    const divide = given ? 1 : this.divideFor(this.cost * work, patience);
    const values = given ? spread(given, plane, kept?.values) : divide > 1 ? this.sketch(layer.source, plane, interpolation, slab, divide, kept?.values) : this.timed(work, () => sample(layer.source, plane, interpolation, slab, kept?.values));
    this.rough ||= divide > 1;
    this.samples[n] = { name: divide > 1 ? "" : name, values };
    return values;
  }

  /** ms that a pixel takes, as far as that is known. */
  get cost() {
    return this.costs.length < KNOWN ? 0 : Math.min(...this.costs);
  }

  /** One pixel for so many by so many, where all would take too long. @private @param {number} needed ms @param {number} patience ms */
  divideFor(needed, patience) {
    const divide = Math.max(1, Math.min(Math.ceil(Math.sqrt(needed / patience)), ROUGHEST));
    // What was slow may only have been late or new: now and then it is tried whole again.
    const again = divide > 1 && ++this.sketches % AGAIN === 0 && needed < MUCH * patience;
    return again ? 1 : divide;
  }

  /** A picture of fewer pixels. @private @param {import("./sample.js").Source} source @param {Plane} plane @param {import("./sample.js").Interpolation} interpolation @param {import("./sample.js").Slab} slab @param {number} divide @param {Float32Array} [out] */
  sketch(source, plane, interpolation, slab, divide, out) {
    const small = coarser(plane, divide);
    return spread({ divide, plane: small, values: sample(source, small, interpolation, slab) }, plane, out);
  }

  /** @private @param {number} work @param {() => Float32Array} job */
  timed(work, job) {
    const start = performance.now();
    const done = job();
    this.costs = [...this.costs.slice(1 - KNOWN), (performance.now() - start) / work];
    return done;
  }

  /**
   * @param {Plane} plane
   * @param {ImageLayer[]} images
   * @param {object} how
   * @param {import("./sample.js").Interpolation} how.interpolation
   * @param {import("./sample.js").Slab} how.slab
   * @param {Mode} how.mode
   * @param {number} how.split
   * @param {LabelLayer[]} how.labels
   * @param {number} [how.patience] ms that the voxels of a layer may take; where they would take longer, fewer pixels are looked up
   * @param {Uint32Array} out width * height RGBA words
   */
  draw(plane, images, { interpolation, slab, mode, split, labels, patience = Infinity }, out) {
    this.rough = false;
    const { width, height } = plane;
    const count = width * height;
    this.samples.length = Math.min(this.samples.length, images.length + labels.length);
    const found = images.map((layer, n) => this.values(n, layer, plane, layer.smooth ? interpolation : "nearest", slab, patience));
    if (mode === "difference" && images.length > 1) {
      const [a, b] = found;
      const apart = new Float32Array(count);
      for (let i = 0; i < count; i++) apart[i] = b[i] - a[i];
      paint(apart, images[1].window, ordered(images[1].palette, images[1].invert), out);
      // Outside of one of them there is no difference, not the lowest one.
      for (let i = 0; i < count; i++) if (apart[i] !== apart[i]) out[i] = NOTHING;
    } else {
      paint(found[0], images[0].window, ordered(images[0].palette, images[0].invert), out);
      for (let n = 1; n < images.length; n++) this.over(images[n], found[n], plane, mode, split, out);
    }
    labels.forEach((layer, n) => labelled(this.values(images.length + n, layer, plane, "nearest", null, patience), layer.labels, width, height, out));
  }

  /** @private @param {ImageLayer} layer @param {Float32Array} values @param {Plane} plane @param {Mode} mode @param {number} split @param {Uint32Array} out */
  over(layer, values, { width, height }, mode, split, out) {
    if (this.colours.length !== values.length) this.colours = new Uint32Array(values.length);
    const { colours } = this;
    paint(values, layer.window, ordered(layer.palette, layer.invert), colours);
    const { opacity, fade } = layer;
    const bright = fade && mode === "fusion" ? new Uint32Array(values.length) : null;
    if (bright) paint(values, layer.window, SHADES, bright);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        if (values[i] !== values[i]) continue;
        let share = opacity;
        if (mode === "curtain") share = x >= split * width ? 1 : 0;
        else if (mode === "checkerboard") share = (Math.floor(y / SQUARE) + Math.floor(x / SQUARE)) % 2;
        else if (bright) share = opacity * (bright[i] / 255);
        out[i] = blend(out[i], colours[i], share);
      }
    }
  }
}

/** @param {Float32Array} values @param {Map<number, Label>} labels @param {number} width @param {number} height @param {Uint32Array} out */
function labelled(values, labels, width, height, out) {
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const value = values[i];
      if (!(value !== 0) || value !== value) continue;
      const label = labels.get(Math.trunc(value));
      if (!label || !label.visible) continue;
      let share = label.opacity;
      if (label.outline) {
        const other = (/** @type {number} */ at) => (values[at] === values[at] ? values[at] : 0) !== value;
        if ((x > 0 && other(i - 1)) || (x < width - 1 && other(i + 1)) || (y > 0 && other(i - width)) || (y < height - 1 && other(i + width))) share = 1;
      }
      const [r, g, b] = label.colour;
      out[i] = blend(out[i], (0xff000000 | (b << 16) | (g << 8) | r) >>> 0, share);
    }
  }
}

/**
 * A plane of the kernel, of fewer pixels or where the pane was a moment ago, as the pixels of this one.
 * @param {Pick<import("./transport.js").PlaneAnswer, "divide" | "plane" | "values">} given
 * @param {Plane} plane
 * @param {Float32Array} [out]
 */
function spread(given, plane, out) {
  const { plane: theirs, values } = given;
  const { width, height } = plane;
  const from = minus(plane.origin, theirs.origin);
  const share = plane.pixel / theirs.pixel;
  const x0 = dot(from, theirs.right) / theirs.pixel;
  const y0 = dot(from, theirs.down) / theirs.pixel;
  const same = given.divide === 1 && theirs.width === width && theirs.height === height && theirs.pixel === plane.pixel;
  if (same && Math.abs(x0) < 1e-6 && Math.abs(y0) < 1e-6) return values.slice(); // a later picture may be sampled into what is kept
  const made = out && out.length === width * height && out !== values ? out : new Float32Array(width * height);
  const columns = Int32Array.from({ length: width }, (_, x) => {
    const column = Math.round(x0 + x * share);
    return column >= 0 && column < theirs.width ? column : -1;
  });
  for (let y = 0, before = -1; y < height; y++) {
    const row = Math.round(y0 + y * share);
    const at = y * width;
    const start = row * theirs.width;
    if (row < 0 || row >= theirs.height) made.fill(NaN, at, at + width);
    else if (row === before) made.copyWithin(at, at - width, at);
    else for (let x = 0; x < width; x++) made[at + x] = columns[x] < 0 ? NaN : values[start + columns[x]];
    before = row;
  }
  return made;
}
