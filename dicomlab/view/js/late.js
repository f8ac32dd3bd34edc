// What is seen while slices are on their way: what is nearest to the wanted planes of all that can be drawn, under its own numbers and
// never under those of another one. So a scroll over a slow line shows the slices that arrive, and nothing flickers.

import { dot, minus, moved, normalOf } from "./plane.js";
import { nearest } from "./space.js";
import { paneName, planeName } from "./stage.js";
import { FEW, needs } from "./wishes.js";

/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {import("./types.js").State} State */

const NEAR = 200; // slices between the wanted one and the last one that are tried

export class Late {
  /** @param {import("./viewer.js").Viewer} viewer */
  constructor(viewer) {
    /** @private */ this.viewer = viewer;
    /** What each pane showed last. @private @type {Map<string, Plane>} */ this.last = new Map();
    /** @private @type {number[] | null} */ this.step = null;
  }

  /** New volumes: what was seen is of no use. */
  forget() {
    this.last.clear();
    this.step = null;
  }

  /** What is drawn now: a state that differs from the wanted one in its steps at most, and its panes. @returns {{state: State, panes: Pane[]}} */
  seen() {
    const { viewer, step } = this;
    const { state, stage } = viewer;
    const { wanted } = stage;
    let now = state;
    if (step && step.some((one, n) => one !== state.step[n]) && step.length === state.step.length) {
      const before = { ...state, step };
      if (wanted.some((pane) => !this.has(pane, state)) && wanted.every((pane) => this.has(pane, before))) now = before;
    }
    const panes = wanted.map((pane) => this.nearest(pane, now)).map((pane) => (now === state ? pane : { ...pane, late: true }));
    this.step = now.step;
    return { state: now, panes };
  }

  /** Whether a pane can be drawn. @private @param {Pane} pane @param {State} state */
  has(pane, state) {
    const { viewer } = this;
    const { transport, meta } = viewer;
    for (const { source, step, range } of needs(viewer, state, [pane])) {
      if (transport.complete(source, step, range) || transport.shows(source, step, range)) continue;
      const answer = range[1] - range[0] < FEW ? undefined : transport.answer(`${paneName(pane)}/${source}`);
      if (answer?.name !== planeName(meta.sources[source].key, step, pane.plane, state.scene)) return false;
    }
    return true;
  }

  /** Whether a slice of a pane cannot be had: then nothing is worth waiting for. @private @param {Pane} pane @param {State} state */
  isLost(pane, state) {
    const { viewer } = this;
    for (const { source, step, range } of needs(viewer, state, [pane])) {
      if (range[1] - range[0] < FEW) for (let slice = range[0]; slice <= range[1]; slice++) if (viewer.transport.failure({ source, step, slice })) return true;
    }
    return false;
  }

  /** The pane itself if it can be drawn, else what is nearest to it. @private @param {Pane} pane @param {State} state @returns {Pane} */
  nearest(pane, state) {
    const name = paneName(pane);
    if (this.isLost(pane, state)) return pane;
    const found = this.has(pane, state) ? pane : this.between(pane, state, this.last.get(name)) ?? this.cut(pane, state);
    if (found) this.last.set(name, found.plane);
    return found ?? pane;
  }

  /** The nearest slice that is here, on the way from the wanted one to the last one. @private @param {Pane} pane @param {State} state @param {Plane} [last] @returns {Pane | null} */
  between(pane, state, last) {
    if (!last || !isParallel(last, pane.plane)) return null;
    const { meta, space, isStraight, transport } = this.viewer;
    const far = dot(minus(last.origin, pane.plane.origin), normalOf(pane.plane));
    /** @param {number} by mm along the normal @returns {Pane} */
    const at = (by) => ({ ...pane, plane: { ...pane.plane, origin: moved(pane.plane.origin, by, normalOf(pane.plane)) }, late: true });
    if (isStraight) {
      const axis = meta.basis.axis[pane.name];
      const line = space.mm[axis];
      const along = space.coordinates(normalOf(pane.plane))[axis] - space.coordinates([0, 0, 0])[axis];
      const here = space.coordinates(pane.plane.origin)[axis];
      const [from, to] = [here, here + far * along].map((mm) => nearest(line, mm));
      const way = Math.sign(to - from);
      const source = pane.source ?? 0;
      const step = this.viewer.stepOf(source, state.step);
      for (let k = from, n = 0; way && k !== to && n < NEAR; k += way, n++) {
        // Along the slices most are told to be missing by one look.
        if (axis === 0 && source === 0 && !transport.shows(source, step, [k, k])) continue;
        const one = at((line[k] - here) / along);
        if (this.has(one, state)) return one;
      }
    }
    // The very plane, if the hand did not move or zoom it: then there is nothing to be drawn.
    const one = at(far);
    const still = ["width", "height", "pixel"].every((name) => last[/** @type {"width"} */ (name)] === one.plane[/** @type {"width"} */ (name)]) && last.origin.every((x, k) => Math.abs(x - one.plane.origin[k]) < 1e-6);
    if (still) one.plane = last;
    return this.has(one, state) ? one : null;
  }

  /** The plane that the kernel cut last for a pane, where it is still to be used. @private @param {Pane} pane @param {State} state @returns {Pane | null} */
  cut(pane, state) {
    const { viewer } = this;
    const { transport, meta } = viewer;
    for (const { source, step, range } of needs(viewer, state, [pane])) {
      if (transport.complete(source, step, range)) continue;
      const answer = transport.answer(`${paneName(pane)}/${source}`);
      if (!answer || range[1] - range[0] < FEW) return null;
      const { asked } = answer;
      const { plane } = pane;
      if (isParallel(asked, plane)) {
        const by = dot(minus(asked.origin, plane.origin), normalOf(plane));
        return { ...pane, plane: { ...plane, origin: moved(plane.origin, by, normalOf(plane)) }, late: answer.name !== planeName(meta.sources[source].key, step, plane, state.scene), given: true };
      }
      return asked.width === plane.width && asked.height === plane.height ? { ...pane, plane: asked, late: true, given: true } : null;
    }
    return null;
  }
}

/** @param {Plane} a @param {Plane} b */
const isParallel = (a, b) => a.right.every((x, k) => Math.abs(x - b.right[k]) < 1e-9) && a.down.every((x, k) => Math.abs(x - b.down[k]) < 1e-9);
