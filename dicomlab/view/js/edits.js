// The mask that is edited: all its voxels, what was done to them, and how the kernel hears of it. Nothing here waits for the kernel,
// once the voxels are here: the page is the only one who changes them.

import { bytesFrom, inflate } from "./codec.js";

/** @typedef {import("./types.js").SourceMeta} SourceMeta */
/** @typedef {Uint8Array | Uint16Array} Labels */
/** @typedef {[number, number, number, number]} Box first row, first column, and behind the last ones */
/** @typedef {{slice: number, box: Box, before: Labels, after: Labels}} Part */
/** @typedef {{parts: Part[], at: number}} Stroke `at` tells which of several kinds of changes was the last */
/** @typedef {{id: number, message: object, buffers: Uint8Array[]}} Sent */

const MESSAGE = 3 << 20; // bytes, and it goes: Jupyter carries 10 MiB at most, and loses more without a word
const MEMORY = 64 << 20; // bytes of strokes that can be taken back
const PATIENCE = 15000; // ms without an answer, after which a message goes again: the kernel counts it once
const REST = 400; // ms after the last stroke of another page, until its voxels are fetched
const UNDER_WAY = 8; // messages; the others wait, for a kernel that computes

export class Edits {
  /**
   * @param {object} options
   * @param {(message: object, buffers?: Uint8Array[]) => void} options.send
   * @param {() => void} [options.onChange] voxels, or what is known of them, are others
   * @param {() => number} [options.now]
   */
  constructor({ send, onChange = () => {}, now = () => performance.now() }) {
    /** @private */ this.send = send;
    /** @private */ this.onChange = onChange;
    /** @private */ this.now = now;
    /** @private */ this.session = Math.random().toString(36).slice(2);
    /** @type {SourceMeta | null} */ this.meta = null;
    /** Slices that have a voxel. @private @type {Map<number, Labels>} */ this.slices = new Map();
    /** Whether all voxels are here. */ this.loaded = false;
    /** Changes whenever a voxel does. */ this.revision = 0;
    /** Voxels of each label in each slice. @private @type {Map<number, Int32Array>} */ this.counts = new Map();
    /** @private @type {Map<number, {before: Labels, box: Box}> | null} */ this.touched = null;
    /** The slice that was written last. @private @type {{slice: number, values: Labels, box: Box} | null} */ this.pen = null;
    /** @private @type {Stroke[]} */ this.past = [];
    /** @private @type {Stroke[]} */ this.future = [];
    /** @private @type {Sent[]} */ this.waiting = [];
    /** @private @type {Sent[]} */ this.flying = [];
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */ this.soon = undefined;
    /** Since when the kernel does not know all. */ this.since = 0;
    /** When something was sent, or heard, last. @private */ this.spoken = 0;
    /** @private */ this.next = 0;
    /** Packing takes its time; patches go in their order. @private */ this.line = Promise.resolve();
    /** Strokes that are being packed. @private */ this.packing = 0;
    /** What the kernel was asked for, and does not know yet. */ this.asked = "";
    /** What it said about it. */ this.trouble = "";
    /** @private */ this.request = 0;
    /** @private @type {Labels} */ this.nothing = new Uint8Array(0);
  }

  /** @private */
  forget() {
    this.slices = new Map();
    this.loaded = false;
    this.revision = 0;
    this.counts = new Map();
    this.touched = null;
    this.pen = null;
    this.past = [];
    this.future = [];
    this.waiting = [];
    this.flying = [];
    this.next = 0;
    this.line = Promise.resolve();
    this.packing = 0;
    this.asked = "";
    this.trouble = "";
    this.request = 0;
    this.nothing = new Uint8Array(0);
  }

  /** The mask that is edited; another one begins anew. @param {SourceMeta | null} meta */
  hold(meta) {
    if (meta?.key === this.meta?.key) {
      this.meta = meta;
      return;
    }
    this.meta = meta;
    this.forget();
    if (!meta?.edited) return;
    // A new name: the numbers of patches begin anew.
    this.session = Math.random().toString(36).slice(2);
    this.nothing = this.empty();
    this.post({ type: "load", key: meta.key, session: this.session, id: 0, first: 0 });
  }

  /** Whether a source is the mask that is edited. @param {string} key */
  has(key) {
    return this.meta !== null && key === this.meta.key;
  }

  /** @private @returns {Labels} */
  empty() {
    const [, rows, columns] = /** @type {SourceMeta} */ (this.meta).shape;
    return this.meta?.edited?.bytes === 1 ? new Uint8Array(rows * columns) : new Uint16Array(rows * columns);
  }

  /** Labels of a slice, not to be changed. @param {number} slice @returns {Labels} */
  values(slice) {
    return this.slices.get(slice) ?? this.nothing;
  }

  /** @param {number} slice @param {number} row @param {number} column */
  at(slice, row, column) {
    return this.values(slice)[row * /** @type {SourceMeta} */ (this.meta).shape[2] + column];
  }

  // ---- strokes ------------------------------------------------------------------------------------------------------

  /** A stroke begins. */
  begin() {
    if (this.touched) this.end();
    this.touched = new Map();
    this.pen = null;
  }

  /** One voxel of a stroke. @param {number} slice @param {number} row @param {number} column @param {number} value */
  set(slice, row, column, value) {
    const columns = /** @type {SourceMeta} */ (this.meta).shape[2];
    const index = row * columns + column;
    if (this.values(slice)[index] === value || !this.touched) return;
    if (this.pen?.slice !== slice) {
      let values = this.slices.get(slice);
      if (!values) this.slices.set(slice, (values = this.empty()));
      let known = this.touched.get(slice);
      if (!known) this.touched.set(slice, (known = { before: values.slice(), box: [row, column, row + 1, column + 1] }));
      this.pen = { slice, values, box: known.box };
    }
    const { values, box } = this.pen;
    this.count(values[index], slice, -1);
    values[index] = value;
    this.count(value, slice, 1);
    if (row < box[0]) box[0] = row;
    if (column < box[1]) box[1] = column;
    if (row >= box[2]) box[2] = row + 1;
    if (column >= box[3]) box[3] = column + 1;
    this.revision++;
  }

  /** @private @param {number} label @param {number} slice @param {number} by */
  count(label, slice, by) {
    if (!label) return;
    let known = this.counts.get(label);
    if (!known) this.counts.set(label, (known = new Int32Array(/** @type {SourceMeta} */ (this.meta).shape[0])));
    known[slice] += by;
  }

  /** A stroke ends: it can be taken back, and the kernel hears of it. @returns {boolean} whether it changed anything */
  end() {
    const { touched } = this;
    this.touched = this.pen = null;
    if (!touched?.size) return false;
    const parts = [...touched].map(([slice, { before, box }]) => ({ slice, box, before: this.cut(before, box), after: this.cut(this.values(slice), box) }));
    this.past.push({ parts, at: this.now() });
    this.future = [];
    const size = (/** @type {Stroke} */ { parts }) => parts.reduce((sum, { before }) => sum + 2 * before.byteLength, 0);
    let bytes = this.past.reduce((sum, one) => sum + size(one), 0);
    while (bytes > MEMORY && this.past.length > 1) bytes -= size(/** @type {Stroke} */ (this.past.shift()));
    this.tell(parts.map(({ slice, box, after }) => ({ slice, box, values: after })));
    this.onChange();
    return true;
  }

  /** A stroke is given up: all is as before. */
  cancel() {
    const { touched } = this;
    this.touched = this.pen = null;
    if (touched) for (const [slice, { before, box }] of touched) this.put(slice, box, this.cut(before, box));
    this.onChange();
  }

  /** @private @param {Labels} values @param {Box} box @returns {Labels} */
  cut(values, [top, left, bottom, right]) {
    const columns = /** @type {SourceMeta} */ (this.meta).shape[2];
    const wide = right - left;
    const made = new /** @type {any} */ (values.constructor)((bottom - top) * wide);
    for (let row = top; row < bottom; row++) made.set(values.subarray(row * columns + left, row * columns + right), (row - top) * wide);
    return made;
  }

  /** @private @param {number} slice @param {Box} box @param {Labels} from */
  put(slice, [top, left, bottom, right], from) {
    const columns = /** @type {SourceMeta} */ (this.meta).shape[2];
    let values = this.slices.get(slice);
    if (!values) this.slices.set(slice, (values = this.empty()));
    for (let row = top, n = 0; row < bottom; row++) {
      for (let index = row * columns + left; index < row * columns + right; index++, n++) {
        if (values[index] === from[n]) continue;
        this.count(values[index], slice, -1);
        values[index] = from[n];
        this.count(from[n], slice, 1);
      }
    }
    this.revision++;
  }

  /** When what would be taken back, or done again, was done; nothing where there is none. @param {"undo" | "redo"} way */
  when(way) {
    return (way === "undo" ? this.past : this.future).at(-1)?.at;
  }

  /** Takes a stroke back, or does it again. @param {"undo" | "redo"} way @returns {boolean} whether there was one */
  retrace(way) {
    if (this.touched) this.end();
    const [from, to] = way === "undo" ? [this.past, this.future] : [this.future, this.past];
    const stroke = from.pop();
    if (!stroke) return false;
    to.push(stroke);
    const parts = stroke.parts.map(({ slice, box, before, after }) => ({ slice, box, values: way === "undo" ? before : after }));
    for (const { slice, box, values } of parts) this.put(slice, box, values);
    this.tell(parts);
    this.onChange();
    return true;
  }

  // ---- what is known of labels --------------------------------------------------------------------------------------

  /** Numbers that occur. */
  get labels() {
    return [...this.counts].filter(([, each]) => each.some((n) => n > 0)).map(([label]) => label);
  }

  /** Millilitres of a label; null where nobody knows. @param {number} label */
  ml(label) {
    const mm3 = this.meta?.edited?.mm3 ?? [];
    if (mm3.some((one) => one === null)) return null;
    return [...(this.counts.get(label) ?? [])].reduce((sum, n, slice) => sum + n * /** @type {number} */ (mm3[slice]), 0) / 1000;
  }

  /** The voxel of a label nearest to its middle, in the slice where most of it lies. @param {number} label @returns {[number, number, number] | null} */
  middle(label) {
    const counts = this.counts.get(label);
    if (!counts || !this.meta) return null;
    const most = Math.max(...counts);
    if (most <= 0) return null;
    const slice = counts.indexOf(most);
    const values = this.values(slice);
    const columns = this.meta.shape[2];
    let [rows, across, n] = [0, 0, 0];
    values.forEach((value, index) => {
      if (value !== label) return;
      rows += Math.floor(index / columns);
      across += index % columns;
      n++;
    });
    let best = Infinity;
    let found = 0;
    values.forEach((value, index) => {
      if (value !== label) return;
      const far = (Math.floor(index / columns) - rows / n) ** 2 + ((index % columns) - across / n) ** 2;
      if (far < best) [best, found] = [far, index];
    });
    return [slice, Math.floor(found / columns), found % columns];
  }

  // ---- the kernel ---------------------------------------------------------------------------------------------------

  /** Whether the kernel does not know all yet. */
  get isPending() {
    return this.packing > 0 || this.waiting.length > 0 || this.flying.length > 0;
  }

  /** @private @param {object} message @param {Uint8Array[]} [buffers] */
  post(message, buffers) {
    this.spoken = this.now();
    try {
      this.send(message, buffers);
    } catch {
      // The kernel has gone; what was drawn stays on the page.
    }
  }

  /** Tells the kernel what some boxes hold now. @private @param {{slice: number, box: Box, values: Labels}[]} parts */
  tell(parts) {
    const { meta, session } = this;
    if (!this.isPending) this.since = this.now();
    this.packing++;
    const packed = parts.map(({ values }) => deflate(values));
    this.line = this.line.then(async () => {
      const all = await Promise.all(packed);
      if (meta !== this.meta && meta?.key !== this.meta?.key) return; // of a mask that is not edited any more
      this.packing--;
      /** @type {{slice: number, box: Box}[]} */
      let told = [];
      /** @type {Uint8Array[]} */
      let buffers = [];
      let bytes = 0;
      const flush = () => {
        const id = this.next++;
        this.waiting.push({ id, message: { type: "paint", key: meta?.key, session, id, parts: told }, buffers });
        [told, buffers, bytes] = [[], [], 0];
      };
      all.forEach((one, n) => {
        if (bytes && bytes + one.byteLength > MESSAGE) flush();
        told.push({ slice: parts[n].slice, box: parts[n].box });
        buffers.push(one);
        bytes += one.byteLength;
      });
      flush();
      this.pump();
    });
  }

  /** @private */
  pump() {
    while (this.waiting.length && this.flying.length < UNDER_WAY) {
      const one = /** @type {Sent} */ (this.waiting.shift());
      this.flying.push(one);
      this.post(one.message, one.buffers);
    }
  }

  /** What nobody answered goes again; to be called now and then. */
  tend() {
    if (this.flying.length && this.now() - this.spoken > PATIENCE) this.post(this.flying[0].message, this.flying[0].buffers);
  }

  /** Asks the kernel what an algorithm would make of a label. @param {string} op @param {number} label @param {object} [more] */
  propose(op, label, more = {}) {
    if (this.asked || !this.meta) return;
    this.asked = op;
    this.trouble = "";
    this.request++;
    this.onChange();
    // Behind all that was drawn before.
    this.line = this.line.then(() => this.post({ ...more, type: "propose", key: this.meta?.key, session: this.session, id: this.request, op, label }));
  }

  /** What was asked for is not wanted any more. @returns {boolean} whether anything was */
  stop() {
    if (!this.asked) return false;
    this.asked = "";
    this.request++;
    this.onChange();
    return true;
  }

  /**
   * A reply from the kernel.
   * @param {any} message
   * @param {any[]} buffers
   * @param {(message: any, parts: {slice: number, box: Box, codes: Uint8Array}[]) => void} accept takes what was proposed
   */
  async receive(message, buffers, accept) {
    if (!this.meta || message?.key !== this.meta.key) return;
    // What another page asked for is none of ours, and may be older than what was drawn here; what it painted is in the mask.
    if (message.session !== this.session) return message.type === "painted" && !message.missing ? this.reload() : undefined;
    if (message.type === "painted") {
      this.spoken = this.now();
      this.flying = this.flying.filter(({ id }) => id > message.id);
      // One of them was lost on the way: it and those after it go again.
      if (message.missing) for (const one of this.flying) this.post(one.message, one.buffers);
      this.pump();
      if (!this.isPending) this.onChange();
      return;
    }
    const key = this.meta.key;
    const raw = buffers.map(bytesFrom);
    if (message.type === "voxels") {
      const planes = await Promise.all(raw.map((one) => inflate(one, 1)));
      if (this.meta?.key !== key) return;
      planes.forEach((bytes, n) => this.adopt(message.slices[n], bytes));
      if (message.next !== null) this.post({ type: "load", key, session: this.session, id: 0, first: message.next });
      else this.loaded = true;
      this.onChange();
    } else if (message.id === this.request && this.asked) {
      const codes = await Promise.all(raw.map((one) => inflate(one, 1)));
      this.asked = "";
      if (this.meta?.key !== key) return;
      this.trouble = message.error ?? "";
      if (!message.error) accept(message, message.parts.map((/** @type {any} */ part, /** @type {number} */ n) => ({ ...part, codes: codes[n] })));
      this.onChange();
    }
  }

  /** Another page painted: all voxels come anew, when the hand rests. @private */
  reload() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      if (!this.meta) return;
      if (this.touched || this.isPending || !this.loaded) return this.reload();
      this.loaded = false;
      this.slices.clear();
      this.counts.clear();
      this.past = [];
      this.future = [];
      this.revision++;
      this.post({ type: "load", key: this.meta.key, session: this.session, id: 0, first: 0 });
      this.onChange();
    }, REST);
  }

  /** @private @param {number} slice @param {Uint8Array} bytes */
  adopt(slice, bytes) {
    const values = this.meta?.edited?.bytes === 1 ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
    this.slices.set(slice, values);
    for (const value of values) this.count(value, slice, 1);
    this.revision++;
  }
}

/** zlib of numbers, lowest byte first. @param {Labels} values */
async function deflate(values) {
  const stream = new Blob([/** @type {BlobPart} */ (values)]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
