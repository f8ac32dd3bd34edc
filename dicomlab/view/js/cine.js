// Cine: slices, or steps of the last further axis, one after another. Frames that are not here yet are waited for and never queued: the
// next one is asked for when this one is on the screen.

import { moved } from "./plane.js";
import { rotate } from "./scene.js";
import { FEW, needs } from "./wishes.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {{count: number, at: number, state: (k: number) => State}} Run its frames, which of them is shown, and each of them */

const LOOKAHEAD = 12; // frames that are fetched in advance
const LATE = 2; // frames behind from which on the clock begins anew

/** The frames of a run. @param {Viewer} viewer @returns {Run} */
export function run({ meta, state, space, isStraight }) {
  const { scene, cine } = state;
  const axes = meta.sources[0].steps;
  if (cine.along === "steps" && axes.length) {
    const last = axes.length - 1;
    return { count: axes[last].labels.length, at: state.step[last] ?? 0, state: (k) => ({ ...state, step: state.step.map((one, n) => (n === last ? k : one)) }) };
  }
  const axis = meta.basis.axis[scene.plane];
  const line = space.mm[axis];
  const here = space.coordinates(scene.position)[axis];
  const heading = rotate(scene.turn, meta.basis.heading[scene.plane]);
  /** @param {number} by mm @returns {State} */
  const at = (by) => ({ ...state, scene: { ...scene, position: moved(scene.position, by, heading) } });
  if (isStraight) return { count: line.length, at: space.nearest(scene.position)[axis], state: (k) => at(line[k] - here) };
  // Tilted planes go in usual steps, as far as the position stays within the volume.
  const step = line.length > 1 ? (line[line.length - 1] - line[0]) / (line.length - 1) : meta.sources[0].finest;
  let [first, last] = [0, 0];
  while (space.voxel(moved(scene.position, (first - 1) * step, heading))) first--;
  while (space.voxel(moved(scene.position, (last + 1) * step, heading))) last++;
  return { count: last - first + 1, at: -first, state: (k) => at((k + first) * step) };
}

/**
 * The frame after one, and which way to go on.
 * @param {number} at @param {number} count @param {number} direction +1 or -1 @param {boolean} bounce
 * @returns {[number, number]}
 */
export function following(at, count, direction, bounce) {
  if (count < 2) return [0, direction];
  const next = at + direction;
  if (next >= 0 && next < count) return [next, direction];
  return bounce ? [at - direction, -direction] : [(next + count) % count, direction];
}

export class Cine {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    /** @private */ this.viewer = viewer;
    /** @private */ this.direction = 1;
    /** When the next frame is due, in ms. @private */ this.due = 0;
    /** @private */ this.frame = 0;
  }

  /** @param {Partial<State["cine"]>} patch */
  change(patch) {
    const { viewer } = this;
    viewer.state = { ...viewer.state, cine: { ...viewer.state.cine, ...patch } };
    viewer.changed();
  }

  /** The state may have been changed by anybody. */
  follow() {
    const { playing } = this.viewer.state.cine;
    if (!playing) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
    } else if (!this.frame) {
      this.due = 0;
      this.direction = 1;
      this.frame = requestAnimationFrame((now) => this.tick(now));
    }
  }

  /** The frames that come next, the first one first. @returns {Generator<State>} */
  *coming() {
    const { cine } = this.viewer.state;
    if (!cine.playing) return;
    const all = run(this.viewer);
    let { at } = all;
    let { direction } = this;
    for (let n = 0; n < Math.min(LOOKAHEAD, all.count - 1); n++) {
      [at, direction] = following(at, all.count, direction, cine.bounce);
      yield all.state(at);
    }
  }

  /** @private @param {number} now ms */
  tick(now) {
    this.advance(now);
    // Asked for after the drawing of the frame, so that this one is on the screen before the next one is thought of.
    if (this.viewer.state.cine.playing) this.frame = requestAnimationFrame((later) => this.tick(later));
  }

  /** Goes on to the next frame, if it is time. @private @param {number} now ms */
  advance(now) {
    const { viewer } = this;
    const { cine } = viewer.state;
    if (!viewer.visible || now < this.due) return;
    const all = run(viewer);
    const [next, direction] = following(all.at, all.count, this.direction, cine.bounce);
    const state = all.state(next);
    if (!isHere(viewer, state)) return;
    const every = 1000 / cine.fps;
    this.due = now - this.due > LATE * every ? now + every : this.due + every;
    this.direction = direction;
    viewer.travel = { name: state.scene.plane, direction };
    viewer.state = state;
    viewer.changed();
  }

  destroy() {
    cancelAnimationFrame(this.frame);
  }
}

/**
 * Whether a frame can be drawn. Where the kernel has to cut its planes, one is asked for when those on the screen have come.
 * @param {Viewer} viewer @param {State} state
 */
function isHere(viewer, state) {
  const { meta, stage, transport } = viewer;
  for (const { source, step, range } of needs(viewer, state, stage.panesOf(meta, state))) {
    const cut = range[1] - range[0] >= FEW && meta.sources[source].reslice && stage.answered;
    if (!cut && !transport.complete(source, step, range)) return false;
  }
  return true;
}
