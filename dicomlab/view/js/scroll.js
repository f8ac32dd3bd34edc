// How fast a hand scrolls through slices: told from the last of them that were looked at.

const FAST = 5; // slices a second from which on a scroll is met where it will be
const TRACK = 0.3; // seconds of a scroll that tell its speed, and between two steps of one
const RESTS = 0.12; // seconds without a step after which it has ended

export class Scroll {
  /** @param {() => number} now seconds */
  constructor(now) {
    /** @private */ this.now = now;
    /** Which slice was looked at when. @private @type {{at: number, when: number}[]} */ this.track = [];
    /** When something else was looked at, the last two times. @private */ this.moved = [-Infinity, -Infinity];
  }

  /** Another slice, or another view. @param {number} at the slice, NaN where there is no such thing @param {boolean} other whether the view is another one */
  look(at, other) {
    const when = this.now();
    const step = !Object.is(at, this.at);
    if (step) this.track = [...this.track.filter((one) => when - one.when < TRACK), { at, when }];
    if (step || other) this.moved = [this.moved[1], when];
  }

  /** The slice that is looked at. */
  get at() {
    return this.track.length ? this.track[this.track.length - 1].at : NaN;
  }

  /** Whether something else is looked at again and again. */
  get isMoving() {
    const [before, last] = this.moved;
    return last - before < TRACK && this.now() - last < TRACK;
  }

  /** Slices a second, with the sign of their direction; 0 where nobody scrolls fast. */
  get speed() {
    const first = this.track[0];
    const last = this.track[this.track.length - 1];
    if (!last || this.now() - last.when > RESTS || !(last.when > first.when)) return 0;
    const speed = (last.at - first.at) / (last.when - first.when);
    return Math.abs(speed) < FAST ? 0 : speed || 0;
  }

  /** @param {number} slice @param {number} by */
  isNear(slice, by) {
    return Math.abs(slice - this.at) < by;
  }

  /** Whether a slice lies behind, or less than so many slices ahead. @param {number} slice @param {number} by with the sign of the direction, 0 where nothing passes */
  isPassed(slice, by) {
    return by !== 0 && (slice - this.at) * Math.sign(by) < Math.abs(by);
  }
}
