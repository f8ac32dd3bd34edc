// One cache of slices for the whole page, whichever viewer asks: one budget, least recently used leaves first, and a
// volume's slices go with the last view of it (a re-run cell would otherwise leave its slices behind for ever).

/** @typedef {import("./codec.js").Values} Values */
/** @typedef {{values: Values, exact: boolean, step: number, divide: number}} Entry
 * `step` is that of its values, where these were rounded; a draft has one pixel for `divide` by `divide`: it is looked at, never measured */

const SLOT = Symbol.for("dicomlab.slices/3");

export class SliceCache {
  constructor() {
    /** Insertion order is the order of use. @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {Map<string, {views: number, budget: number}>} */
    this.volumes = new Map();
    /** How many whole slices of each step are here. @private @type {Map<string, number>} */ this.counts = new Map();
    this.bytes = 0;
  }

  /** The most generous of the viewers on the page decides. */
  get budget() {
    let most = 0;
    for (const volume of this.volumes.values()) most = Math.max(most, volume.budget);
    return most;
  }

  /**
   * @param {string} key
   * @param {number} budget bytes
   */
  hold(key, budget) {
    const volume = this.volumes.get(key) ?? { views: 0, budget };
    volume.views++;
    volume.budget = Math.max(volume.budget, budget);
    this.volumes.set(key, volume);
  }

  /** @param {string} key */
  release(key) {
    const volume = this.volumes.get(key);
    if (!volume || --volume.views > 0) return;
    this.volumes.delete(key);
    for (const name of [...this.entries.keys()]) if (name.startsWith(`${key}/`)) this.drop(name);
  }

  /** A slice to be drawn, whole or as a draft. @param {string} key @param {number} step @param {number} slice */
  get(key, step, slice) {
    const name = `${key}/${step}/${slice}`;
    const entry = this.entries.get(name);
    if (entry) {
      this.entries.delete(name);
      this.entries.set(name, entry);
    }
    return entry;
  }

  /** A whole slice to be measured; that counts as no use. @param {string} key @param {number} step @param {number} slice */
  peek(key, step, slice) {
    const entry = this.entries.get(`${key}/${step}/${slice}`);
    return entry?.divide === 1 ? entry : undefined;
  }

  /** Whether a slice is here, whole. @param {string} key @param {number} step @param {number} slice */
  has(key, step, slice) {
    return this.peek(key, step, slice) !== undefined;
  }

  /** Whether a slice can be drawn, if as a draft. @param {string} key @param {number} step @param {number} slice */
  shows(key, step, slice) {
    return this.entries.has(`${key}/${step}/${slice}`);
  }

  /** Number of whole slices of a step that are here. @param {string} key @param {number} step */
  count(key, step) {
    return this.counts.get(`${key}/${step}`) ?? 0;
  }

  /** Whether `bytes` more fit without anything having to leave. @param {number} bytes */
  room(bytes) {
    return this.bytes + bytes <= this.budget;
  }

  /**
   * @param {string} key
   * @param {number} step
   * @param {number} slice
   * @param {Entry} entry
   */
  put(key, step, slice, entry) {
    if (!this.volumes.has(key)) return; // its last view has gone while the slice was under way
    const name = `${key}/${step}/${slice}`;
    if (entry.divide > 1 && this.has(key, step, slice)) return;
    this.drop(name);
    this.entries.set(name, entry);
    this.bytes += entry.values.byteLength;
    if (entry.divide === 1) this.counted(name, 1);
    for (const oldest of this.entries.keys()) {
      // The newest always stays: a single slice larger than the budget must still be shown.
      if (this.bytes <= this.budget || oldest === name) break;
      this.drop(oldest);
    }
  }

  /** @private @param {string} name */
  drop(name) {
    const entry = this.entries.get(name);
    if (!entry) return;
    this.entries.delete(name);
    this.bytes -= entry.values.byteLength;
    if (entry.divide === 1) this.counted(name, -1);
  }

  /** @private @param {string} name @param {number} by */
  counted(name, by) {
    const step = name.slice(0, name.lastIndexOf("/"));
    const count = (this.counts.get(step) ?? 0) + by;
    if (count) this.counts.set(step, count);
    else this.counts.delete(step);
  }
}

/** The cache that all viewers of this page share. @returns {SliceCache} */
export function pageCache() {
  const page = /** @type {any} */ (globalThis);
  return (page[SLOT] ??= new SliceCache());
}
