// One cache of slices for the whole page, whichever viewer asks: one budget, least recently used leaves first, and a
// volume's slices go with the last view of it (a re-run cell would otherwise leave its slices behind for ever).

/** @typedef {{codes: Uint16Array, scale: import("./types.js").Scale}} Entry */

const SLOT = Symbol.for("dicomlab.slices/1");

export class SliceCache {
  constructor() {
    /** Insertion order is the order of use. @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {Map<string, {views: number, budget: number, whole: number}>} */
    this.volumes = new Map();
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
    const volume = this.volumes.get(key) ?? { views: 0, budget, whole: 0 };
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

  /** @param {string} key @param {number} axis @param {number} index */
  get(key, axis, index) {
    const name = `${key}/${axis}/${index}`;
    const entry = this.entries.get(name);
    if (entry) {
      this.entries.delete(name);
      this.entries.set(name, entry);
    }
    return entry;
  }

  /** Looks without counting as a use. @param {string} key @param {number} axis @param {number} index */
  has(key, axis, index) {
    return this.entries.has(`${key}/${axis}/${index}`);
  }

  /** Number of whole slices (axis 0) of a volume that are here. @param {string} key */
  count(key) {
    return this.volumes.get(key)?.whole ?? 0;
  }

  /** Whether `bytes` more fit without anything having to leave. @param {number} bytes */
  room(bytes) {
    return this.bytes + bytes <= this.budget;
  }

  /**
   * @param {string} key
   * @param {number} axis
   * @param {number} index
   * @param {Entry} entry
   */
  put(key, axis, index, entry) {
    const volume = this.volumes.get(key);
    if (!volume) return; // its last view has gone while the slice was under way
    const name = `${key}/${axis}/${index}`;
    this.drop(name);
    this.entries.set(name, entry);
    this.bytes += entry.codes.byteLength;
    if (axis === 0) volume.whole++;
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
    this.bytes -= entry.codes.byteLength;
    const [key, axis] = name.split("/");
    const volume = this.volumes.get(key);
    if (volume && axis === "0") volume.whole--;
  }
}

/** The cache that all viewers of this page share. @returns {SliceCache} */
export function pageCache() {
  const page = /** @type {any} */ (globalThis);
  return (page[SLOT] ??= new SliceCache());
}
