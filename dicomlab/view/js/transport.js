// Pulls slices, and planes where slices are not all here, from the kernel. Never more than two demands are outstanding and only the
// newest wish counts, so that a fast scroll over a slow line drops slices instead of queueing them; neighbours are fetched ahead in
// batches and the rest while nothing else happens. The kernel never pushes: Jupyter drops floods (1,000 messages a second).

import { bytesFrom, inflate, valuesFrom } from "./codec.js";
import { coarser } from "./plane.js";
import { Scroll } from "./scroll.js";

/** @typedef {import("./types.js").SourceMeta} SourceMeta */
/** @typedef {{source: number, step: number, slice: number}} Want */
/** @typedef {{pane: string, source: number, step: number, name: string, plane: import("./plane.js").Plane, interpolation: string, slab: import("./sample.js").Slab}} PlaneWant */
/** @typedef {{name: string, divide: number, plane: import("./plane.js").Plane, asked: import("./plane.js").Plane, values: Float32Array}} PlaneAnswer what was asked for, and the coarser plane that was cut */

const DEMANDS = 2; // outstanding at most
const PREFETCHES = 2; // outstanding at most, when nothing is demanded
const BATCH = 6; // slices in a message, at most; a message costs a kernel time, however little it brings
const SURE = 4; // messages that tell whether a line is slow
const SOON = 0.2; // seconds: while messages come within these, they may bring more
const LATE = 0.35; // seconds: when they take longer, half as much
const AHEAD = 32; // neighbours worth more than what was looked at longest ago
const SECONDS = 0.25; // of the measured rate may be under way in advance
const MOST = 8 << 20; // bytes in a message
const START = 4e6; // bytes a second, until measured: a slow line must not be clogged before it is known
const SLOW = 4e6; // bytes a second below which the kernel packs what it sends: that takes it 7 to 30 ms a slice, and the page some
const DRAFTS = [2, 4]; // a slice that passes by comes with a pixel for so many by so many, the second where the line is slow
const LARGE = 1 << 17; // bytes of a slice, for which that pays
const COARSE = 4; // a plane of the kernel first comes with a pixel for so many by so many

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
   * @param {(arrived: Want & {demanded: boolean} | {pane: string}) => void} [options.onArrival]
   */
  constructor({ send, cache, now = () => performance.now() / 1000, onArrival = () => {} }) {
    /** @private */ this.send = send;
    this.cache = cache;
    /** @private */ this.now = now;
    this.onArrival = onArrival;
    /** @type {SourceMeta[]} */ this.sources = [];
    /** @private */ this.generation = 0;
    /** @private */ this.next = 0;
    /** @private @type {Map<number, {source: number, step: number, slices: number[], plane: PlaneWant | null, divide: number, demand: boolean, since: number, bytes: number}>} */
    this.flying = new Map();
    /** @private @type {Map<string, string>} */ this.failures = new Map();
    /** What is to be seen, the most important first. @private @type {Want[]} */ this.wants = [];
    /** @private @type {PlaneWant[]} */ this.planeWants = [];
    /** What would be nice to have. @private @type {() => Iterable<Want>} */ this.ahead = () => [];
    /** Planes of the kernel, the newest of each pane. @private @type {Map<string, PlaneAnswer>} */ this.answers = new Map();
    /** @private */ this.scroll = new Scroll(now);
    /** @private */ this.rate = START;
    /** The last rates: a busy machine is now and then fast, a slow line never. @private @type {number[]} */ this.rates = [];
    /** Slices in a message. @private */ this.batch = 1;
    /** Seconds that a message takes. @private */ this.latency = 0;
    /** Which part of their bytes slices need on the line. @private */ this.share = 1;
    /** @private */ this.lastArrival = 0;
    /** Nothing is fetched in advance while a drag needs the page's whole attention. */
    this.paused = false;
    /** Nor while no view is on the screen: of twenty viewers on a page only those looked at fill up. */
    this.hidden = false;
    /** Whether the page has all voxels of a source anyway. @type {(key: string) => boolean} */
    this.resident = () => false;
    /** Whether nothing can be sent any more, as the kernel has gone. */
    this.gone = false;
  }

  /** New pixels: whatever is still on its way belongs to the old ones. @param {SourceMeta[]} sources */
  reset(sources) {
    this.sources = sources;
    this.generation++;
    this.flying.clear();
    this.failures.clear();
    this.answers.clear();
    this.wants = [];
    this.planeWants = [];
    this.ahead = () => [];
  }

  /** Bytes of a slice. @private @param {number} source */
  whole(source) {
    const [, rows, columns] = this.sources[source].shape;
    return 2 * rows * columns;
  }

  /** Bytes of a slice on the line, as it is asked for now. @private @param {number} source */
  size(source) {
    return (this.whole(source) * (this.pack ? this.share : 1)) / this.divideOf(source) ** 2;
  }

  /** @private @param {Want} want */
  asked({ source, step, slice }) {
    for (const request of this.flying.values()) {
      if (request.source === source && request.step === step && request.slices.includes(slice)) return true;
    }
    return false;
  }

  /** @param {Want} want */
  has({ source, step, slice }) {
    const { key } = this.sources[source];
    return this.resident(key) || this.cache.has(key, step, slice);
  }

  /** Whether a slice is to be seen now. @param {Want} want */
  isWanted(want) {
    const name = nameOf(want);
    return this.wants.some((one) => nameOf(one) === name);
  }

  /** Whether a slice need not be asked for now: while slices pass by, a draft will do. @private @param {Want} want */
  isThere({ source, step, slice }) {
    return this.passing && !this.resident(this.sources[source].key) ? this.cache.shows(this.sources[source].key, step, slice) : this.has({ source, step, slice });
  }

  /** Whether all slices of a step, from one to another, can be drawn, if as drafts. @param {number} source @param {number} step @param {[number, number]} range */
  shows(source, step, range) {
    const { key } = this.sources[source];
    if (this.resident(key)) return true;
    for (let slice = range[0]; slice <= range[1]; slice++) if (!this.cache.shows(key, step, slice)) return false;
    return true;
  }

  /** Whether all slices of a step, from one to another, are here, whole. @param {number} source @param {number} step @param {[number, number] | null} range */
  complete(source, step, range) {
    if (!range) return true;
    const { key, shape } = this.sources[source];
    if (this.resident(key) || this.cache.count(key, step) === shape[0]) return true;
    for (let slice = range[0]; slice <= range[1]; slice++) if (!this.cache.has(key, step, slice)) return false;
    return true;
  }

  /**
   * What is to be seen now.
   * @param {Want[]} wants slices, the most important first
   * @param {PlaneWant[]} planes what the kernel should cut, where it can
   * @param {() => Iterable<Want>} ahead what may be fetched in advance, in this order
   * @param {number} [at] the slice of the first volume that is looked at
   */
  want(wants, planes, ahead, at = NaN) {
    const moved = JSON.stringify(wants) !== JSON.stringify(this.wants);
    // Tried again when somebody comes back to it; not when the failure itself has the view ask what it wants.
    if (moved) for (const want of wants) this.failures.delete(nameOf(want));
    this.wants = wants;
    this.planeWants = planes;
    this.ahead = ahead;
    this.scroll.look(at, moved);
    this.pump();
  }

  /** Whether packing pays. @private */
  get pack() {
    return this.rates.length >= SURE && Math.max(...this.rates) < SLOW;
  }

  /** Slices that pass by before an answer to a demand is here, with the sign of their direction; 0 where nobody scrolls fast. @private */
  get passing() {
    return this.sources.length > 1 ? 0 : Math.trunc(this.scroll.speed * this.latency);
  }

  /** One pixel for so many by so many, of slices that pass by. @private @param {number} source */
  divideOf(source) {
    if (!this.passing || this.whole(source) < LARGE) return 1;
    const needed = (Math.abs(this.scroll.speed) * this.whole(source)) / DRAFTS[0] ** 2;
    return DRAFTS[needed > this.rate ? 1 : 0];
  }

  /** Why a slice could not be had, in the kernel's words. @param {Want} want */
  failure(want) {
    return this.failures.get(nameOf(want));
  }

  /** The first of the wanted slices that could not be had. */
  get problem() {
    for (const want of this.wants) {
      const found = this.failure(want);
      if (found) return found;
    }
    return "";
  }

  /** Seconds that the oldest request has been waiting. */
  get waiting() {
    let oldest = Infinity;
    for (const request of this.flying.values()) oldest = Math.min(oldest, request.since);
    return oldest === Infinity ? 0 : this.now() - Math.max(oldest, this.lastArrival);
  }

  /** What the kernel cut for a pane: the plane that is asked for, or the last one. @param {string} pane */
  answer(pane) {
    return this.answers.get(pane);
  }

  /** Sends what may be sent; to be called now and then too, as a scroll ends without an event. */
  pump() {
    if (!this.sources.length) return;
    let demands = 0;
    let ahead = 0;
    let bytes = 0;
    for (const request of this.flying.values()) {
      if (request.demand) demands++;
      else ahead++;
      bytes += request.bytes;
    }
    for (const want of this.wants) {
      if (this.isThere(want) || this.asked(want) || this.failure(want)) continue;
      if (demands >= DEMANDS) return;
      const slices = this.meeting(want);
      this.request(want.source, want.step, slices, true);
      demands++;
      bytes += slices.length * this.size(want.source);
    }
    for (const want of this.planeWants) {
      if (demands >= DEMANDS) return;
      const known = this.answers.get(want.pane);
      const divide = known?.name === want.name ? (known.divide > 1 ? 1 : 0) : COARSE;
      if (!divide || (divide === 1 && this.scroll.isMoving) || [...this.flying.values()].some((one) => one.plane?.pane === want.pane)) continue;
      this.requestPlane(want, divide);
      demands++;
    }
    if (this.paused || this.hidden) return;
    const first = this.wants[0]?.source ?? 0;
    const size = this.size(first);
    const allowance = Math.max(size, this.rate * SECONDS);
    while (ahead < (demands ? 1 : PREFETCHES) && bytes + size <= Math.max(allowance, size * 2)) {
      const batch = this.pickAhead(allowance - bytes, this.underWay);
      if (!batch.length) return;
      // A scroll that has all it needs for a while is not disturbed for a slice or two.
      if (this.passing && batch.length < this.batch && !this.scroll.isNear(batch[0].slice, AHEAD / 2)) return;
      this.request(batch[0].source, batch[0].step, batch.map(({ slice }) => slice), false);
      ahead++;
      bytes += batch.length * this.size(batch[0].source);
    }
  }

  /** What is asked for in place of a slice that is scrolled to: those that will be looked at when the answer comes. @private @param {Want} want */
  meeting({ source, step, slice }) {
    const { passing } = this;
    const found = passing ? [] : [slice];
    for (const one of this.scroll.isMoving && !this.paused ? this.ahead() : []) {
      if (found.length >= this.batch || one.source !== source || one.step !== step) break;
      if (one.slice !== slice && !this.scroll.isPassed(one.slice, passing) && !this.isThere(one) && !this.asked(one) && !this.failure(one)) found.push(one.slice);
    }
    return found.length ? found : [slice];
  }

  /** Bytes of slices that are on their way, as they will be here. @private */
  get underWay() {
    let bytes = 0;
    for (const { source, slices } of this.flying.values()) bytes += slices.length * this.whole(source);
    return bytes;
  }

  /** Slices of one step of one volume to fetch in advance. @private @param {number} allowance bytes @param {number} underWay bytes */
  pickAhead(allowance, underWay) {
    /** @type {Want[]} */
    const batch = [];
    let near = AHEAD;
    const { passing } = this;
    for (const want of this.ahead()) {
      if (this.scroll.isPassed(want.slice, passing)) continue;
      const size = this.size(want.source);
      // Neighbours may push older slices out, but never more than half of what fits; filling up pushes nothing out, or two
      // viewers would empty each other's cache.
      const mayEvict = near-- > 0 && (AHEAD - near) * this.whole(want.source) * 2 <= this.cache.budget;
      if (batch.length && (want.source !== batch[0].source || want.step !== batch[0].step)) {
        if (this.isThere(want)) continue;
        break;
      }
      if (this.isThere(want) || this.asked(want) || this.failure(want)) continue;
      if (!mayEvict && (this.scroll.isMoving || !this.cache.room(underWay + (batch.length + 1) * this.whole(want.source)))) break;
      batch.push(want);
      const most = Math.min(this.batch, Math.max(1, Math.floor(Math.min(MOST, allowance) / size)));
      if (batch.length >= most) break;
    }
    return batch;
  }

  /** @private @param {number} source @param {number} step @param {number[]} slices @param {boolean} demand */
  request(source, step, slices, demand) {
    const id = this.next++;
    const divide = this.divideOf(source);
    this.flying.set(id, { source, step, slices, plane: null, divide, demand, since: this.now(), bytes: slices.length * this.size(source) });
    this.post({ type: "pull", generation: this.generation, key: this.sources[source].key, id, source, step, slices, divide, pack: this.pack });
  }

  /** @private @param {PlaneWant} want @param {number} divide */
  requestPlane(want, divide) {
    const id = this.next++;
    const plane = coarser(want.plane, divide);
    this.flying.set(id, { source: want.source, step: want.step, slices: [], plane: want, divide, demand: true, since: this.now(), bytes: 4 * plane.width * plane.height });
    this.post({
      type: "plane",
      generation: this.generation,
      key: this.sources[want.source].key,
      id,
      source: want.source,
      step: want.step,
      plane,
      interpolation: want.interpolation,
      slab: want.slab,
      pack: this.pack,
    });
  }

  /** @private @param {object} message */
  post(message) {
    try {
      this.send(message);
    } catch {
      this.gone = true; // what is here can still be seen
    }
  }

  /**
   * A reply from the kernel.
   * @param {any} message
   * @param {any[]} buffers
   */
  receive(message, buffers) {
    if (!["slices", "plane"].includes(message?.type) || message.generation !== this.generation) return;
    this.gone = false;
    const request = this.flying.get(message.id);
    if (!request || message.key !== this.sources[request.source]?.key) return;
    const raw = buffers.map(bytesFrom);
    this.clock(request.since, raw.reduce((sum, one) => sum + one.byteLength, 0));
    const took = this.now() - request.since;
    this.latency = this.latency ? 0.7 * this.latency + 0.3 * took : took;
    if (took > LATE) this.batch = Math.max(1, this.batch >> 1);
    else if (took < SOON && request.slices.length >= this.batch) this.batch = Math.min(2 * this.batch, BATCH);
    if (message.packed) {
      Promise.all(raw.map((one, n) => inflate(one, message.packed[n]))).then(
        (whole) => {
          const [wire, size] = [raw, whole].map((all) => all.reduce((sum, one) => sum + one.byteLength, 0));
          if (size) this.share = 0.7 * this.share + (0.3 * wire) / size;
          this.accept(message, whole);
        },
        (error) => this.accept({ ...message, items: request.slices.map((slice) => ({ slice, error: `slice ${slice} came damaged: ${error}` })), error: String(error) }, []),
      );
    } else this.accept(message, raw);
  }

  /** So many bytes were under way since. @private @param {number} since seconds @param {number} bytes */
  clock(since, bytes) {
    const now = this.now();
    const seconds = now - Math.max(since, this.lastArrival);
    this.lastArrival = now;
    if (!bytes || seconds <= 0) return;
    this.rate = 0.7 * this.rate + 0.3 * Math.min(bytes / seconds, 1e9);
    this.rates = [...this.rates.slice(1 - SURE), bytes / seconds];
  }

  /** What a reply brings. @private @param {any} message @param {Uint8Array[]} buffers */
  accept(message, buffers) {
    const request = this.flying.get(message.id);
    if (!request || message.generation !== this.generation) return;
    this.flying.delete(message.id);
    /** @type {(Want & {demanded: boolean} | {pane: string})[]} */
    const arrived = [];
    if (message.type === "plane") {
      const want = /** @type {PlaneWant} */ (request.plane);
      if (message.error === undefined) {
        const [raw] = buffers;
        const values = new Float32Array(raw.buffer, 0, raw.byteLength >> 2);
        this.answers.set(want.pane, { name: want.name, divide: request.divide, plane: coarser(want.plane, request.divide), asked: want.plane, values });
      }
      arrived.push({ pane: want.pane });
    } else {
      const { source, step } = request;
      for (const item of message.items) {
        const want = { source, step, slice: item.slice };
        if (item.error !== undefined) this.failures.set(nameOf(want), String(item.error));
        else {
          const raw = buffers[item.buffer];
          const codes = new Uint16Array(raw.buffer, 0, raw.byteLength >> 1);
          this.cache.put(this.sources[source].key, step, item.slice, { values: valuesFrom(codes, item), exact: item.exact, step: item.slope, divide: item.divide ?? 1 });
        }
        arrived.push({ ...want, demanded: request.demand });
      }
    }
    for (const one of arrived) this.onArrival(one);
    this.pump();
  }
}

/** @param {Want} want */
const nameOf = ({ source, step, slice }) => `${source}/${step}/${slice}`;
