// The canvas and what is painted on it: panes, each a plane of the patient.

import { widened } from "./codec.js";
import { GROUND, PaneDrawer } from "./draw.js";
import { pixelOf, placeOf } from "./plane.js";
import { reach } from "./sample.js";
import { panes } from "./scene.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./sample.js").Source} Source */

const SWIFT = 24; // ms that a picture may take while the hand moves

export class Stage {
  /** @param {HTMLCanvasElement} canvas @param {import("./transport.js").Transport} transport */
  constructor(canvas, transport) {
    this.canvas = canvas;
    this.transport = transport;
    /** The mask that is edited. @type {import("./edits.js").Edits | null} */ this.edits = null;
    /** css px, and device px a css px */
    this.size = { width: 1, height: 1, ratio: 1 };
    /** @type {Pane[]} */ this.panes = [];
    /** Those that the state asks for; `panes` are what can be drawn of them (late.js). @type {Pane[]} */ this.wanted = [];
    /** Which of them show all that they should. @type {boolean[]} */ this.complete = [];
    /** Which of them show what they should with fewer pixels, until it has come whole. @type {boolean[]} */ this.drafts = [];
    /** Whether a pane is drawn with fewer pixels, as the hand moves. */ this.rough = false;
    /** Whether each pane shows its own plane, if a coarse one of the kernel. */ this.answered = true;
    /** @private @type {Map<string, PaneDrawer>} */ this.drawers = new Map();
    /** @private @type {Map<string, ImageData>} */ this.images = new Map();
    /** What each pane was painted of. @private @type {Map<string, string>} */ this.painted = new Map();
    /** Where the panes lay. @private */ this.laid = "";
  }

  /** Takes the size of the element that the canvas fills. @param {HTMLElement} element */
  measure(element) {
    const width = Math.max(element.clientWidth, 1);
    const height = Math.max(element.clientHeight, 1);
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    this.size = { width, height, ratio };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.laid = ""; // a canvas that is measured anew is empty
  }

  /** Lays the panes of a state. @param {Meta} meta @param {State} state */
  lay(meta, state) {
    this.wanted = this.panes = this.panesOf(meta, state);
  }

  /** Where the panes of a state would lie. @param {Meta} meta @param {State} state */
  panesOf(meta, state) {
    const sides = state.mode === "side" ? imagesShown(state) : [];
    return panes(state.scene, meta.basis, meta.sources[0], this.canvas.width, this.canvas.height, sides);
  }

  /** Whether all that is wanted is seen, if with fewer pixels. */
  get isDone() {
    return this.complete.every(Boolean) && !this.panes.some(({ late }) => late);
  }

  /** Whether every pane shows its own plane, if with fewer pixels. */
  get isSeen() {
    return this.complete.every((whole, n) => whole || this.drafts[n]) && !this.panes.some(({ late }) => late);
  }

  /** The pane under a point of the stage, in css px. @param {number} x @param {number} y */
  paneAt(x, y) {
    const { ratio } = this.size;
    return this.panes.find(
      ({ left, top, plane }) => x * ratio >= left && x * ratio < left + plane.width && y * ratio >= top && y * ratio < top + plane.height,
    );
  }

  /** LPS mm under a point of a pane, in css px of the stage. @param {Pane} pane @param {number} x @param {number} y @returns {Vector3} */
  lpsAt({ left, top, plane }, x, y) {
    const { ratio } = this.size;
    return placeOf(plane, x * ratio - left - 0.5, y * ratio - top - 0.5);
  }

  /** css px of the stage where a position is seen in a pane. @param {Pane} pane @param {Vector3} lps @returns {[number, number]} */
  pxOf({ left, top, plane }, lps) {
    const { ratio } = this.size;
    const [x, y] = pixelOf(plane, lps);
    return [(x + left + 0.5) / ratio, (y + top + 0.5) / ratio];
  }

  /** Slices of a volume as they are here. @param {Meta} meta @param {number} n @param {number} step @param {boolean} [measured] whether drafts are left out @returns {Source} */
  source(meta, n, step, measured = false) {
    const source = meta.sources[n];
    const { cache } = this.transport;
    const { edits } = this;
    if (edits?.has(source.key)) return { lattice: source, shape: source.shape, finest: source.finest, values: (slice) => edits.values(slice) };
    /** Looked up once for a picture, not for each pixel. @type {any[]} */
    const held = [];
    /** @param {number} slice */
    const look = (slice) => {
      const entry = measured ? cache.peek(source.key, step, slice) : cache.get(source.key, step, slice);
      return entry ? widened(entry.values, entry.divide, source.shape[1], source.shape[2]) : null;
    };
    return { lattice: source, shape: source.shape, finest: source.finest, values: (slice) => (held[slice] ??= look(slice)) };
  }

  /**
   * Paints all panes.
   * @param {Meta} meta
   * @param {State} state
   * @param {(source: number) => number} stepOf which step of each volume
   * @param {(cmap: string) => Uint32Array} paletteOf
   * @param {(pane: Pane) => number[]} shown which volumes a pane shows
   * @param {boolean} hurried whether speed comes before pixels
   */
  draw(meta, state, stepOf, paletteOf, shown, hurried) {
    const patience = hurried ? SWIFT / this.panes.length : Infinity;
    // Pixels come from the processor, so there they are kept: a canvas of the graphics card would fetch them to and fro.
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false, willReadFrequently: true }));
    const laid = JSON.stringify([this.canvas.width, this.canvas.height, this.panes.map(({ left, top, plane }) => [left, top, plane.width, plane.height])]);
    if (laid !== this.laid) {
      this.painted.clear();
      context.fillStyle = `rgb(${GROUND},${GROUND},${GROUND})`;
      context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    }
    this.laid = laid;
    const used = new Set();
    const { scene } = state;
    this.answered = true;
    this.rough = false;
    if (this.panes.some(({ late }) => late)) this.answered = false;
    this.drafts = this.panes.map(() => false);
    this.complete = this.panes.map((pane, number) => {
      const name = paneName(pane);
      used.add(name);
      let drawer = this.drawers.get(name);
      if (!drawer) this.drawers.set(name, (drawer = new PaneDrawer()));
      const { plane } = pane;
      let image = this.images.get(name);
      if (!image || image.width !== plane.width || image.height !== plane.height) {
        this.images.set(name, (image = new ImageData(plane.width, plane.height)));
      }
      let whole = true;
      /** @param {number} n @param {import("./sample.js").Slab} slab */
      const voxels = (n, slab) => {
        const source = this.source(meta, n, stepOf(n));
        const { key } = meta.sources[n];
        const range = reach(source, plane, slab);
        const here = this.transport.complete(n, stepOf(n), range);
        const draft = !here && range !== null && this.transport.shows(n, stepOf(n), range);
        const answer = here || draft ? undefined : this.transport.answer(`${name}/${n}`);
        if (draft) {
          whole = false;
          this.rough = this.drafts[number] = true;
        } else if (!here && !(answer && pane.given) && answer?.name !== planeName(key, stepOf(n), plane, scene)) whole = this.answered = false;
        else if (answer && answer.divide > 1) whole = false;
        return {
          source,
          key: `${key}/${stepOf(n)}/${this.edits?.has(key) ? this.edits.revision : here ? "all" : draft ? "draft" : this.transport.cache.count(key, stepOf(n))}/${answer ? `${answer.name}/${answer.divide}` : ""}`,
          given: answer,
        };
      };
      const layers = shown(pane).map((n) => {
        const look = state.mode === "difference" && n === 1 ? state.difference : state.looks[n];
        return {
          ...voxels(n, scene.slab),
          window: look.window,
          invert: look.invert,
          cmap: look.cmap,
          palette: paletteOf(look.cmap),
          opacity: look.opacity,
          fade: look.fade,
          smooth: meta.sources[n].smooth,
        };
      });
      const labels = masksShown(state).map((mask) => ({
        ...voxels(state.looks.length + mask, null),
        labels: new Map(state.labels[mask].map((look) => [look.value, look])),
      }));
      const how = JSON.stringify([plane, scene.interpolation, scene.slab, state.mode, state.split, patience]);
      const what = JSON.stringify([layers, labels.map((one) => [one, [...one.labels]])], (name, value) => (["source", "given", "palette"].includes(name) ? undefined : value));
      // What is there already is painted no second time: it would be laid over the page anew.
      if (this.painted.get(name) === how + what) return whole;
      drawer.draw(plane, layers, { interpolation: scene.interpolation, slab: scene.slab, mode: state.mode, split: state.split, labels, patience }, new Uint32Array(image.data.buffer));
      this.rough ||= drawer.rough;
      this.painted.set(name, drawer.rough ? "" : how + what);
      context.putImageData(image, pane.left, pane.top);
      return whole;
    });
    for (const name of [...this.drawers.keys()]) {
      if (!used.has(name)) {
        this.drawers.delete(name);
        this.images.delete(name);
      }
    }
  }

  destroy() {
    this.drawers.clear();
    this.images.clear();
    this.canvas.width = this.canvas.height = 0;
  }
}

/** Volumes that are shown: the first, on which the others lie, always. @param {State} state */
export const imagesShown = (state) => state.looks.map((_, n) => n).filter((n) => n === 0 || state.looks[n].visible);

/** Masks of which anything is shown. @param {State} state */
export const masksShown = (state) => state.labels.map((_, n) => n).filter((n) => state.labels[n].some(({ visible }) => visible));

/** @param {Pane} pane */
export const paneName = ({ name, number }) => `${name}${number}`;

/** What tells one picture of a plane from another. @param {string} key @param {number} step @param {import("./plane.js").Plane} plane @param {import("./scene.js").Scene} scene */
export const planeName = (key, step, plane, scene) => JSON.stringify([key, step, plane, scene.interpolation, scene.slab]);
