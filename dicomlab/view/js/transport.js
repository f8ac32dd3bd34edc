// Pulls slices from the kernel. Never more than two demands are outstanding and only the newest wish counts, so that a
// fast scroll over a slow line drops slices instead of queueing them; neighbours are fetched ahead in batches and the
// rest while nothing else happens. The kernel never pushes: Jupyter drops floods (1,000 messages a second).

import { codesFrom, scaleFrom } from "./codec.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").Picture} Picture */

const DEMANDS = 2; // outstanding at most
const PREFETCHES = 2; // outstanding at most, when nothing is demanded
const BATCH = 4; // slices in a message
const GLANCE = 2; // slices in a message while the user scrolls: a page that unpacks a large one stumbles
const MOVING = 0.3; // seconds between two wishes that make a scroll
const AHEAD = 16; // neighbours worth more than what was looked at longest ago
const SECONDS = 0.25; // of the measured rate may be under way in advance
const MOST = 8 << 20; // bytes in a message
const START = 4e6; // bytes a second, until measured: a slow line must not be clogged before it is known

const NOTHING = { signed: false, exact: true, special: false, slope: 1, intercept: 0 };

/**
 * Indices around `from`, nearest first, twice as many ahead as behind.
 * @param {number} from
 * @param {number} direction +1 or -1
 * @param {number} count
 * @returns {Generator<number>}
 */
export function* around(from, direction, count) {
  let ahead = 1;
  let behind = 1;
  for (let n = 0; n < 3 * count; n++) {
    const index = n % 3 < 2 ? from + direction * ahead++ : from - direction * behind++;
    if (index >= 0 && index < count) yield index;
  }
}

export class Transport {
  /**
   * @param {object} options
   * @param {(message: object) => void} options.send
   * @param {import("./cache.js").SliceCache} options.cache
   * @param {() => number} [options.now] seconds
   * @param {(arrived: {axis: number, index: number, demanded: boolean}) => void} [options.onArrival]
   */
  constructor({ send, cache, now = () => performance.now() / 1000, onArrival = () => {} }) {
    /** @private */ this.send = send;
    this.cache = cache;
    /** @private */ this.now = now;
    this.onArrival = onArrival;
    /** @type {Meta | null} */ this.meta = null;
    /** @private @type {number[]} */ this.shape = [0, 0, 0];
    /** @private */ this.generation = 0;
    /** @private */ this.next = 0;
    /** @private @type {Map<number, {axis: number, indices: number[], demand: boolean, since: number}>} */
    this.flying = new Map();
    /** @private @type {Map<string, string>} */ this.failures = new Map();
    /** @private @type {{axis: number, index: number, direction: number} | null} */ this.wish = null;
    /** When the last two wishes came. @private */ this.wished = [-Infinity, -Infinity];
    /** @private */ this.rate = START;
    /** @private */ this.lastArrival = 0;
    /** Nothing is fetched in advance while a drag needs the page's whole attention. */
    this.paused = false;
  }

  /** New pixels: whatever is still on its way belongs to the old ones. @param {Meta} meta @param {number[]} shape */
  reset(meta, shape) {
    this.meta = meta;
    this.shape = shape;
    this.generation++;
    this.flying.clear();
    this.failures.clear();
    this.wish = null;
  }

  /** @private @param {number} axis */
  size(axis) {
    return 2 * this.shape.reduce((size, n, i) => (i === axis ? size : size * n), 1);
  }

  /** @private @param {number} axis @param {number} index */
  asked(axis, index) {
    for (const request of this.flying.values()) {
      if (request.axis === axis && request.indices.includes(index)) return true;
    }
    return false;
  }

  /**
   * What is to be seen now.
   * @param {number} axis
   * @param {number} index
   * @param {number} direction of travel
   */
  want(axis, index, direction) {
    this.failures.delete(`${axis}/${index}`);
    this.wish = { axis, index, direction };
    this.wished = [this.wished[1], this.now()];
    this.pump();
  }

  /** @private */
  get moving() {
    const [before, last] = this.wished;
    return last - before < MOVING && this.now() - last < MOVING;
  }

  /** Why a slice could not be had, in the kernel's words. @param {number} axis @param {number} index */
  failure(axis, index) {
    return this.failures.get(`${axis}/${index}`);
  }

  /** Seconds that the oldest request has been waiting. */
  get waiting() {
    let oldest = Infinity;
    for (const request of this.flying.values()) oldest = Math.min(oldest, request.since);
    return oldest === Infinity ? 0 : this.now() - Math.max(oldest, this.lastArrival);
  }

  /** Whether a plane across the slices has to come from the kernel. @param {number} axis */
  foreign(axis) {
    const { meta } = this;
    return meta !== null && axis !== 0 && meta.reslice && this.cache.count(meta.key) < this.shape[0];
  }

  /** Sends what may be sent; to be called now and then too, as a scroll ends without an event. */
  pump() {
    const { meta, wish } = this;
    if (!meta || !wish) return;
    let demands = 0;
    let ahead = 0;
    let bytes = 0;
    for (const request of this.flying.values()) {
      if (request.demand) demands++;
      else ahead++;
      bytes += request.indices.length * this.size(request.axis);
    }
    const direct = wish.axis === 0 || this.foreign(wish.axis);
    const missing = direct && !this.cache.has(meta.key, wish.axis, wish.index) && !this.failure(wish.axis, wish.index);
    if (missing && !this.asked(wish.axis, wish.index)) {
      if (demands >= DEMANDS) return;
      this.request(wish.axis, [wish.index], true);
      demands++;
      bytes += this.size(wish.axis);
    }
    if (this.paused) return;
    const size = this.size(0);
    const allowance = Math.max(size, this.rate * SECONDS);
    while (ahead < (demands ? 1 : PREFETCHES) && bytes + size <= Math.max(allowance, size * 2)) {
      const most = Math.min(this.moving ? GLANCE : BATCH, Math.max(1, Math.floor(Math.min(MOST, allowance - bytes) / size)));
      const batch = this.pickAhead(wish, most);
      if (!batch.length) return;
      this.request(0, batch, false);
      ahead++;
      bytes += batch.length * size;
    }
  }

  /** @private @param {{axis: number, index: number, direction: number}} wish @param {number} most */
  pickAhead(wish, most) {
    const { meta } = this;
    if (!meta) return [];
    const size = this.size(0);
    const count = this.shape[0];
    const from = wish.axis === 0 ? wish.index : this.centre ?? count >> 1;
    const batch = [];
    // Neighbours may push older slices out, but never more than half of what fits.
    let near = Math.min(AHEAD, Math.floor(this.cache.budget / (2 * size)));
    const order = wish.axis === 0 ? around(from, wish.direction || 1, count) : withFirst(from, around(from, 1, count));
    for (const index of order) {
      // Filling up pushes nothing out, or two viewers would empty each other's cache.
      const mayEvict = wish.axis === 0 && near-- > 0;
      if (this.cache.has(meta.key, 0, index) || this.asked(0, index) || this.failure(0, index)) continue;
      if (!mayEvict && (this.moving || !this.cache.room((batch.length + 1) * size))) break;
      batch.push(index);
      if (batch.length >= most) break;
    }
    return batch;
  }

  /** The slice around which a plane across the slices is filled in. @type {number | undefined} */
  centre = undefined;

  /** @private @param {number} axis @param {number[]} indices @param {boolean} demand */
  request(axis, indices, demand) {
    const id = this.next++;
    this.flying.set(id, { axis, indices, demand, since: this.now() });
    try {
      this.send({ type: "pull", generation: this.generation, key: this.meta?.key, id, axis, indices });
    } catch {
      // The kernel has gone. The request stays open, so the viewer says that it waits; what is here can still be seen.
    }
  }

  /**
   * A reply from the kernel.
   * @param {any} message
   * @param {any[]} buffers
   */
  receive(message, buffers) {
    if (message?.type !== "slices" || message.generation !== this.generation || !this.meta) return;
    const request = this.flying.get(message.id);
    if (!request || message.key !== this.meta.key) return;
    this.flying.delete(message.id);
    const now = this.now();
    let bytes = 0;
    /** @type {{axis: number, index: number, demanded: boolean}[]} */
    const arrived = [];
    message.items.forEach((/** @type {any} */ item) => {
      if (item.error !== undefined) this.failures.set(`${request.axis}/${item.index}`, String(item.error));
      else {
        const codes = codesFrom(buffers[item.buffer]);
        bytes += codes.byteLength;
        this.cache.put(/** @type {Meta} */ (this.meta).key, request.axis, item.index, { codes, scale: scaleFrom(item) });
      }
      arrived.push({ axis: request.axis, index: item.index, demanded: request.demand });
    });
    const seconds = now - Math.max(request.since, this.lastArrival);
    if (bytes && seconds > 0) this.rate = 0.7 * this.rate + 0.3 * Math.min(bytes / seconds, 1e9);
    this.lastArrival = now;
    for (const one of arrived) this.onArrival(one);
    this.pump();
  }

  /**
   * The plane at an index, from the cache; null when it (or, across the slices, all of it) is not here yet.
   * @param {number} axis
   * @param {number} index
   * @returns {Picture | null}
   */
  picture(axis, index) {
    const { meta, shape, cache } = this;
    if (!meta) return null;
    const whole = cache.get(meta.key, axis, index);
    if (whole) {
      const [rows, cols] = shape.filter((_, i) => i !== axis);
      return { codes: whole.codes, rows, cols, scales: [whole.scale], missing: null };
    }
    if (axis === 0 || cache.count(meta.key) === 0) return null;
    if (this.foreign(axis)) return null;
    const cols = axis === 1 ? shape[2] : shape[1];
    const codes = new Uint16Array(shape[0] * cols);
    const scales = [];
    const missing = new Uint8Array(shape[0]);
    let gaps = 0;
    for (let s = 0; s < shape[0]; s++) {
      const slice = cache.entries.get(`${meta.key}/0/${s}`);
      if (!slice) {
        missing[s] = 1;
        gaps++;
        scales.push(NOTHING);
        continue;
      }
      scales.push(slice.scale);
      if (axis === 1) codes.set(slice.codes.subarray(index * cols, (index + 1) * cols), s * cols);
      else for (let r = 0, from = index; r < cols; r++, from += shape[2]) codes[s * cols + r] = slice.codes[from];
    }
    const first = scales[missing.indexOf(0)];
    const alike = scales.every(
      (scale, s) =>
        missing[s] ||
        (scale.slope === first.slope &&
          scale.intercept === first.intercept &&
          scale.signed === first.signed &&
          scale.special === first.special),
    );
    return { codes, rows: shape[0], cols, scales: alike ? [first] : scales, missing: gaps ? missing : null };
  }
}

/** @param {number} first @param {Iterable<number>} rest */
function* withFirst(first, rest) {
  yield first;
  yield* rest;
}
