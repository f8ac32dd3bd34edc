// Painting in one view: what the tools do to the mask that is edited, which label is in hand, and what is seen of the brush.

import { ball, bucket, disc } from "./brush.js";
import { voxelsInside } from "./measured.js";
import { normalOf } from "./plane.js";
import { voxelUnder } from "./probe.js";
import { shape } from "./svg.js";

/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./types.js").LabelLook} LabelLook */
/** @typedef {import("./edits.js").Box} Box */

/** As in dicomlab/view/brush.py. @type {import("./types.js").Brush} */
export const FIRST_BRUSH = { size: 10, sphere: false, range: null, label: 1 };

/** Tools that paint. */
export const PAINTING = ["brush", "eraser", "lasso", "fill", "grow"];

const SIZES = [0.5, 200]; // mm
const STEP = 1.2; // a key makes the brush larger by so much
const COLOURS = ["#d55e00", "#56b4e9", "#f0e442", "#009e73", "#cc79a7", "#e69f00", "#0072b2"];

export class Painting {
  /** @param {import("./viewer.js").Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** Whether the stroke takes away. @private */ this.erasing = false;
    /** Where the brush was last. @private @type {Vector3 | null} */ this.last = null;
    /** Labels that went: taken back, their voxels are here again. @private @type {Map<number, LabelLook>} */ this.gone = new Map();
    /** Whether some voxels were left out, as their values are not here. @private */ this.unknown = false;
  }

  get edits() {
    return this.viewer.edits;
  }

  get brush() {
    return this.viewer.state.brush;
  }

  /** The place of the mask among the masks, -1 where none is edited. */
  get mask() {
    const { meta, state } = this.viewer;
    return meta.sources.findIndex((one) => one.edited) - (meta.sources.some((one) => one.edited) ? state.looks.length : 0);
  }

  /** The labels of the mask that is edited. @returns {LabelLook[]} */
  get labels() {
    return this.mask < 0 ? [] : this.viewer.state.labels[this.mask];
  }

  /** The label in hand. */
  get label() {
    return this.labels.find(({ value }) => value === this.brush.label) ?? this.labels[0];
  }

  /** Whether voxels can be changed now. */
  get isReady() {
    return this.edits.loaded && this.mask >= 0;
  }

  /** @param {Partial<import("./types.js").Brush>} patch */
  change(patch) {
    const { viewer } = this;
    viewer.state = { ...viewer.state, brush: { ...this.brush, ...patch } };
    viewer.changed();
  }

  /** @param {number} by so many steps larger */
  resize(by) {
    this.change({ size: Number(Math.min(Math.max(this.brush.size * STEP ** by, SIZES[0]), SIZES[1]).toPrecision(3)) });
  }

  /** The next label is in hand. */
  next() {
    const { labels, label } = this;
    if (!labels.length) return;
    const next = labels[(labels.indexOf(label) + 1) % labels.length];
    this.change({ label: next.value });
    this.viewer.notice(next.name ?? "");
  }

  /** @param {LabelLook[]} looks of the mask that is edited */
  relabel(looks) {
    const { viewer, mask } = this;
    viewer.state = { ...viewer.state, labels: viewer.state.labels.map((one, n) => (n === mask ? looks : one)) };
    viewer.changed();
  }

  /** @param {number} value @param {Partial<LabelLook>} patch */
  alter(value, patch) {
    this.relabel(this.labels.map((one) => (one.value === value ? { ...one, ...patch } : one)));
  }

  /** One more label, which is in hand then. */
  add() {
    const { labels } = this;
    const most = this.viewer.meta.sources.find((one) => one.edited)?.edited?.bytes === 1 ? 255 : 65535;
    let value = 1;
    while (labels.some((one) => one.value === value) || this.went(value)) value++;
    if (value > most) return;
    const names = labels.map(({ name }) => name);
    let number = value;
    while (names.includes(`label ${number}`)) number++;
    const text = COLOURS[(value - 1) % COLOURS.length];
    const colour = /** @type {LabelLook["colour"]} */ ([1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16)));
    this.relabel([...labels, { value, name: `label ${number}`, colour, opacity: labels[0]?.opacity ?? 0.35, outline: labels[0]?.outline ?? true, visible: true, locked: false, mask: labels[0]?.mask }]);
    this.change({ label: value });
  }

  /** A label goes, and its voxels with it. @param {number} value */
  drop(value) {
    const look = this.labels.find((one) => one.value === value);
    if (this.labels.length < 2 || !this.isReady || !look || look.locked) return;
    this.gone.set(value, look);
    this.clear(value);
    const left = this.labels.filter((one) => one.value !== value);
    this.relabel(left);
    if (this.brush.label === value) this.change({ label: left[0].value });
  }

  /** A label of this mask that went. @private @param {number} value */
  went(value) {
    const one = this.gone.get(value);
    return one?.mask === this.labels[0]?.mask ? one : undefined;
  }

  /** Labels that went come back with their voxels: nothing is in the mask that nobody sees. */
  revive() {
    const { labels, edits } = this;
    const back = edits.labels.filter((value) => !labels.some((one) => one.value === value)).flatMap((value) => this.went(value) ?? []);
    if (back.length) this.relabel([...labels, ...back].sort((a, b) => a.value - b.value));
  }

  /** Takes all voxels of a label away. @private @param {number} value */
  clear(value) {
    const { edits, viewer } = this;
    const [slices, rows, columns] = viewer.meta.sources[0].shape;
    edits.begin();
    for (let s = 0; s < slices; s++) {
      const values = edits.values(s);
      if (!values.includes(value)) continue;
      for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) if (values[r * columns + c] === value) edits.set(s, r, c, 0);
    }
    edits.end();
  }

  // ---- strokes ------------------------------------------------------------------------------------------------------

  /** A stroke begins. @param {boolean} erase @returns {boolean} whether it may */
  begin(erase) {
    const { viewer, edits, label } = this;
    if (!this.isReady || !label) return this.refuse("the mask is on its way");
    if (label.locked) return this.refuse(`${label.name} is locked`);
    if (!label.visible) this.alter(label.value, { visible: true });
    this.erasing = erase;
    this.unknown = false;
    this.last = null;
    edits.begin();
    viewer.chrome.setStatus("");
    return true;
  }

  /** @private @param {string} why */
  refuse(why) {
    this.viewer.notice(why);
    return false;
  }

  /** One voxel, if it may be. @private @param {number} s @param {number} r @param {number} c */
  write(s, r, c) {
    const { edits, label } = this;
    const old = edits.at(s, r, c);
    if (this.erasing ? old !== label.value : old === label.value || this.isLocked(old)) return;
    const { range } = this.brush;
    if (range) {
      const value = this.valueAt(s, r, c);
      if (value === null) this.unknown = true;
      if (value === null || !(value >= range[0] && value <= range[1])) return;
    }
    edits.set(s, r, c, this.erasing ? 0 : label.value);
  }

  /** @private @param {number} value */
  isLocked(value) {
    return value !== 0 && this.labels.some((one) => one.value === value && one.locked);
  }

  /** The value of the first volume in a voxel, null while it is not here. @private @param {number} s @param {number} r @param {number} c */
  valueAt(s, r, c) {
    const { viewer } = this;
    const source = viewer.meta.sources[0];
    const entry = viewer.transport.cache.peek(source.key, viewer.stepOf(0), s);
    return entry ? entry.values[r * source.shape[2] + c] : null;
  }

  /** The voxel that is drawn under the pointer. @private @param {Pane} pane @param {number} x css px @param {number} y */
  under(pane, x, y) {
    const { stage, space, meta } = this.viewer;
    const { ratio } = stage.size;
    return space.voxel(stage.lpsAt(pane, x, y)) && voxelUnder(meta.sources[0], pane, Math.floor(x * ratio), Math.floor(y * ratio));
  }

  /** The brush is at a place. @param {Pane} pane @param {number} x css px @param {number} y */
  dab(pane, x, y) {
    const { viewer, brush } = this;
    const place = viewer.meta.sources[0];
    const to = viewer.stage.lpsAt(pane, x, y);
    const from = this.last ?? to;
    this.last = to;
    const write = this.write.bind(this);
    // What lies under the pointer always is; a brush smaller than a voxel would find none else.
    const voxel = this.under(pane, x, y);
    if (voxel) write(...voxel);
    if (brush.sphere) ball(from, to, brush.size / 2, place, write);
    else disc(from, to, brush.size / 2, pane.plane, normalOf(pane.plane), place, write);
    viewer.redraw();
  }

  /** The inside of an outline. @param {string} kind @param {Vector3[]} points @param {Vector3} normal @param {boolean} erase */
  area(kind, points, normal, erase) {
    if (!this.begin(erase)) return;
    voxelsInside(kind, points, normal, this.viewer.meta.sources[0], this.write.bind(this));
    this.end();
  }

  /** All that hangs together with what is under the pointer, in the plane. @param {Pane} pane @param {number} x css px @param {number} y @param {boolean} erase */
  fill(pane, x, y, erase) {
    const { viewer, edits } = this;
    const { meta } = viewer;
    const seed = this.under(pane, x, y);
    if (!seed) return;
    if (!viewer.isStraight) return this.refuse("fills planes of voxels, not tilted ones");
    if (!this.begin(erase)) return;
    bucket(meta.sources[0].shape, seed, meta.basis.axis[pane.name], (s, r, c) => edits.at(s, r, c), this.write.bind(this));
    this.end();
  }

  /** The stroke is over. */
  end() {
    const { viewer, edits } = this;
    this.last = null;
    const changed = edits.end();
    if (changed) viewer.chrome.announce(this.erasing ? "erased" : "painted");
    else if (this.erasing) viewer.notice(`no voxel of ${this.label.name} here`);
    if (this.unknown) viewer.notice("some slices are not here yet: their voxels were left out");
    viewer.redraw();
  }

  // ---- what takes an algorithm ----------------------------------------------------------------------------------------

  /** Asks the kernel. @param {string} op @param {object} [more] */
  ask(op, more = {}) {
    const { label } = this;
    if (!this.isReady || !label) return void this.refuse("the mask is on its way");
    if (label.locked) return void this.refuse(`${label.name} is locked`);
    if (this.edits.asked) return void this.refuse("the kernel is still at it");
    this.edits.propose(op, label.value, more);
  }

  /** Takes over what the kernel proposes, as a stroke. @param {{label: number, op: string}} message @param {{slice: number, box: Box, codes: Uint8Array}[]} parts */
  accept({ label, op }, parts) {
    const { edits, viewer } = this;
    const before = edits.ml(label) ?? NaN;
    edits.begin();
    for (const { slice, box, codes } of parts) {
      const [top, left, bottom, right] = box;
      for (let r = top, n = 0; r < bottom; r++) {
        for (let c = left; c < right; c++, n++) {
          if (!codes[n]) continue;
          const old = edits.at(slice, r, c);
          // What grows from a place takes nothing away from others.
          if (codes[n] === 1 && old !== label && !(op === "grow" ? old : this.isLocked(old))) edits.set(slice, r, c, label);
          else if (codes[n] === 2 && old === label) edits.set(slice, r, c, 0);
        }
      }
    }
    const changed = edits.end();
    const more = (edits.ml(label) ?? NaN) - before;
    viewer.notice(!changed ? "nothing to change" : Number.isNaN(more) ? "" : `${more < 0 ? "−" : "+"}${Math.abs(more).toPrecision(3)} ml`);
    viewer.redraw();
  }

  // ---- what is seen -------------------------------------------------------------------------------------------------

  /** Whether a tool that paints is in hand. */
  get isOn() {
    return PAINTING.includes(this.viewer.state.tool);
  }

  /** The brush under the pointer. @param {Pane} pane @returns {SVGElement[]} */
  shapes(pane) {
    const { viewer, brush } = this;
    const { tool } = viewer.state;
    if (!viewer.pointer || !["brush", "eraser"].includes(tool) || !this.label || viewer.stage.paneAt(...viewer.pointer) !== pane) return [];
    const [cx, cy] = viewer.pointer;
    const r = brush.size / 2 / (pane.plane.pixel * viewer.stage.size.ratio);
    const stroke = tool === "eraser" ? "#ffffff" : `rgb(${this.label.colour.join()})`;
    return [shape("circle", { cx, cy, r, class: "dl-brush-rim" }), shape("circle", { cx, cy, r, class: "dl-brush", stroke, "stroke-dasharray": brush.sphere ? "none" : "4 2" })];
  }
}
