// Measurements of one view: which is chosen, which is being drawn, and what they say. What is kept is in the state.

import { CurvePanel } from "./curve.js";
import { statistics, voxelsInside } from "./measured.js";
import { minus, normalOf } from "./plane.js";
import { hitOf, marksOf } from "./roimarks.js";
import { textOf } from "./roitext.js";
import { FLOAT32, hex } from "./text.js";
import { COLOURS, GIVEN, dragged, inPlane, isSeen, isWhole, pointsOf } from "./rois.js";

/** @typedef {import("./types.js").Roi} Roi */
/** @typedef {import("./types.js").RoiKind} RoiKind */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./measured.js").Statistics} Statistics */
/** @typedef {{numbers: Statistics, kept: {exact: boolean, step: number}}} Found `step` is that of the coarsest values, where these were rounded */
/** @typedef {{kind: RoiKind, pane: Pane, given: Vector3[], next: Vector3 | null, normal: Vector3, colour: string, paint?: {erase: boolean, fresh: boolean, dragged: boolean}}} Draft `paint` where its inside is painted */
/** @typedef {{roi: Roi, handle: number}} Hit a handle of a measurement, -1 for all of it */

const SAME = 4; // px within which a second click is the end of a polygon
const CLOSE = 9; // px from the first corner of a polygon that close it
const MEMORY = 50; // changes that can be taken back
const LEAST = 2; // px: smaller ones are slips of the hand

export class Measuring {
  /** @param {import("./viewer.js").Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** id of the one that keys mean */ this.chosen = "";
    /** @type {Draft | null} */ this.draft = null;
    /** A place on the chosen line that the curve is read at. @type {Vector3 | null} */ this.mark = null;
    /** Whether numbers wait for slices. */ this.waiting = false;
    /** @private @type {{rois: Roi[], at: number}[]} */ this.past = [];
    /** @private @type {{rois: Roi[], at: number}[]} */ this.future = [];
    /** @private @type {WeakMap<Roi, Map<string, Found>>} */ this.known = new WeakMap();
    this.panel = new CurvePanel(viewer.chrome.stage, {
      close: () => this.choose(""),
      read: (lps) => {
        this.mark = lps;
        viewer.redraw();
      },
    });
  }

  get rois() {
    return this.viewer.state.rois;
  }

  /** @param {Roi[]} rois @param {boolean} [whole] whether it can be taken back: a part of a drag cannot */
  change(rois, whole = true) {
    if (whole) this.remember(this.rois);
    this.viewer.state = { ...this.viewer.state, rois };
    this.viewer.changed();
  }

  /** What can be come back to. @private @param {Roi[]} rois */
  remember(rois) {
    this.past = [...this.past.slice(-MEMORY), { rois, at: performance.now() }];
    this.future = [];
  }

  /** When what would be taken back, or done again, was done; nothing where there is none. @param {"undo" | "redo"} way */
  when(way) {
    return (way === "undo" ? this.past : this.future).at(-1)?.at;
  }

  /** Takes back what was done, or does it again. @param {"undo" | "redo"} way */
  retrace(way) {
    const [from, to] = way === "undo" ? [this.past, this.future] : [this.future, this.past];
    const found = from.pop();
    if (!found) return;
    to.push({ rois: this.rois, at: found.at });
    this.change(found.rois, false);
  }

  /** @param {string} id @param {Partial<Pick<Roi, "label" | "colour">>} patch */
  alter(id, patch) {
    this.change(this.rois.map((one) => (one.id === id ? { ...one, ...patch } : one)), false);
  }

  /** @param {string} id */
  choose(id) {
    if (this.chosen !== id) this.mark = null;
    this.chosen = id;
    this.viewer.redraw();
  }

  get chosenOne() {
    return this.rois.find(({ id }) => id === this.chosen) ?? null;
  }

  /** Those that are seen in a pane, the chosen one last, on top of the others. @param {Pane} pane */
  seenIn(pane) {
    const { meta, state, space } = this.viewer;
    const seen = this.rois.filter((roi) => isSeen(roi, pane, meta, state.scene, space));
    return [...seen.filter(({ id }) => id !== this.chosen), ...seen.filter(({ id }) => id === this.chosen)];
  }

  /** What of a measurement is under a point of the stage. @param {Pane} pane @param {number} x css px @param {number} y @returns {Hit | null} */
  hit(pane, x, y) {
    if (this.draft) return null;
    const { stage } = this.viewer;
    for (const roi of this.seenIn(pane).reverse()) {
      const handle = hitOf(roi, (lps) => stage.pxOf(pane, lps), x, y);
      if (handle !== null) return { roi, handle };
    }
    return null;
  }

  // ---- drawing ------------------------------------------------------------------------------------------------------

  /** @private @param {Draft} draft @param {number} x css px @param {number} y */
  placeOf({ given, normal }, x, y, pane = this.viewer.stage.panes[0]) {
    const lps = this.viewer.stage.lpsAt(pane, x, y);
    return given.length ? inPlane(lps, given[0], normal) : lps;
  }

  /** The button goes down. @param {RoiKind | "lasso"} what @param {Pane} pane @param {number} x css px @param {number} y @param {boolean} [erase] of an outline whose inside is painted */
  press(what, pane, x, y, erase = false) {
    const kind = what === "lasso" ? "polygon" : what;
    const here = this.draft?.kind === kind && this.isDraftIn(pane) ? this.draft : null;
    if (here) here.next = this.placeOf(here, x, y, pane);
    else {
      const lps = this.viewer.stage.lpsAt(pane, x, y);
      this.chosen = "";
      this.draft = { kind, pane, given: [lps], next: null, normal: normalOf(pane.plane), colour: this.nextColour() };
      if (what === "lasso") this.draft.colour = hex(this.viewer.painting.label?.colour ?? [255, 255, 255]);
      if (what === "lasso") this.draft.paint = { erase, fresh: true, dragged: false };
    }
    this.viewer.redraw();
  }

  /** The pointer moves, the button down or not. @param {Pane | undefined} pane @param {number} x css px @param {number} y */
  follow(pane, x, y) {
    const { draft } = this;
    if (!draft || !pane || !this.isDraftIn(pane)) return;
    draft.next = this.placeOf(draft, x, y, pane);
    this.viewer.redraw();
  }

  /** A stroke of an outline. @param {Pane} pane @param {number} x css px @param {number} y */
  stroke(pane, x, y) {
    const { draft } = this;
    if (!draft) return;
    const next = this.placeOf(draft, x, y, pane);
    if (this.px(pane, next, draft.given[draft.given.length - 1]) >= LEAST) draft.given.push(next);
    if (draft.paint) draft.paint.dragged = true;
    this.viewer.redraw();
  }

  /** The button is let go. @param {Pane} pane */
  release(pane) {
    const { draft } = this;
    if (!draft) return;
    const { kind, given, next, paint } = draft;
    // An outline to be painted is drawn in one go, or by its corners.
    if (kind === "freehand" || (paint?.fresh && paint.dragged)) return this.finish();
    if (paint) paint.fresh = false;
    if (next) {
      const again = kind === "polygon" && this.px(pane, next, given[given.length - 1]) < SAME;
      const closed = kind === "polygon" && given.length > 2 && this.px(pane, next, given[0]) < CLOSE;
      if (!again && !closed) given.push(next);
      draft.next = null;
      if (closed || (again && given.length > 2)) return this.finish();
    }
    if (given.length >= GIVEN[kind]) this.finish();
  }

  /** What was drawn is kept, if it is something. */
  finish() {
    const { draft, viewer } = this;
    this.draft = null;
    viewer.redraw();
    if (!draft) return;
    if (draft.paint) {
      if (draft.given.length > 2) viewer.painting.area("polygon", draft.given, draft.normal, draft.paint.erase);
      return;
    }
    const roi = this.made(draft, draft.given);
    const least = LEAST * draft.pane.plane.pixel * viewer.stage.size.ratio;
    if (!isWhole(roi.kind, roi.points, least)) return;
    roi.id = Math.random().toString(36).slice(2, 14);
    this.chosen = roi.id;
    this.change([...this.rois, roi]);
    this.say();
  }

  /** @private @param {Draft} draft @param {Vector3[]} given @returns {Roi} */
  made({ kind, pane, normal, colour }, given) {
    return { id: "", kind, points: pointsOf(kind, given, pane), normal, label: "", colour };
  }

  /** What is being drawn, as far as it is there. @returns {Roi | null} */
  get begun() {
    const { draft } = this;
    return draft && this.made(draft, draft.next && draft.kind !== "freehand" ? [...draft.given, draft.next] : draft.given);
  }

  /** @private @param {Pane} pane */
  isDraftIn(pane) {
    const { viewer, draft } = this;
    if (!draft) return false;
    return isSeen(this.made(draft, [draft.given[0]]), pane, viewer.meta, viewer.state.scene, viewer.space);
  }

  /** @private The colour that the fewest have. */
  nextColour() {
    const count = (/** @type {string} */ colour) => this.rois.filter((roi) => roi.colour === colour).length;
    return COLOURS.reduce((best, one) => (count(one) < count(best) ? one : best));
  }

  /** @private @param {Pane} pane @param {Vector3} a @param {Vector3} b */
  px(pane, a, b) {
    return Math.hypot(...minus(a, b)) / (pane.plane.pixel * this.viewer.stage.size.ratio);
  }

  // ---- changing -----------------------------------------------------------------------------------------------------

  /** @param {Hit} hit as it was @param {Vector3} by LPS mm since */
  drag({ roi, handle }, by) {
    const points = dragged(roi, handle, by);
    this.change(this.rois.map((one) => (one.id === roi.id ? { ...one, points } : one)), false);
  }

  /** A change is over: what nothing is left of is as before. @param {Hit} hit as it was @param {Pane} pane */
  dropped({ roi }, pane) {
    const now = this.chosenOne;
    if (now && !isWhole(now.kind, now.points, (LEAST / 2) * pane.plane.pixel)) this.drag({ roi, handle: -1 }, [0, 0, 0]);
    else if (now && now.points !== roi.points) this.remember(this.rois.map((one) => (one === now ? roi : one)));
    this.say();
  }

  /** One goes. @param {string} [which] */
  remove(which = this.chosen) {
    if (!this.rois.some(({ id }) => id === which)) return;
    if (which === this.chosen) this.choose("");
    this.change(this.rois.filter(({ id }) => id !== which));
    this.viewer.chrome.announce("removed");
  }

  /** The next one is chosen, and the planes go there. */
  next() {
    const { rois } = this;
    if (!rois.length) return;
    this.goTo(rois[(rois.findIndex(({ id }) => id === this.chosen) + 1) % rois.length].id);
  }

  /** One is chosen, and the planes go there. @param {string} id */
  goTo(id) {
    const roi = this.rois.find((one) => one.id === id);
    if (!roi) return;
    const n = roi.points.length;
    this.choose(id);
    this.viewer.goTo(/** @type {Vector3} */ ([0, 1, 2].map((k) => roi.points.reduce((sum, point) => sum + point[k], 0) / n)));
    this.say();
  }

  /** Leaves a drawing, a measurement or its tool. @returns {boolean} whether there was one */
  escape() {
    if (this.draft) this.draft = null;
    else if (this.chosenOne) this.choose("");
    else if (Object.hasOwn(GIVEN, this.viewer.state.tool) || this.viewer.painting.isOn) this.viewer.setTool("window");
    else return false;
    this.viewer.redraw();
    return true;
  }

  // ---- what is seen and said ----------------------------------------------------------------------------------------

  /**
   * Statistics of the voxels of a volume inside an area, at the step that is shown; null while slices are missing.
   * @param {Roi} roi @param {number} [source]
   * @returns {Found | null}
   */
  found(roi, source = 0) {
    const { viewer } = this;
    const { meta, transport } = viewer;
    const { key, shape } = meta.sources[source];
    const step = viewer.stepOf(source);
    const name = `${key}/${step}`;
    let known = this.known.get(roi);
    if (!known) this.known.set(roi, (known = new Map()));
    const before = known.get(name);
    if (before) return before;
    /** @type {number[]} */
    const values = [];
    let whole = true;
    let exact = true;
    let coarsest = 0;
    /** @type {Map<number, ArrayLike<number> | undefined>} */
    const slices = new Map();
    voxelsInside(roi.kind, roi.points, /** @type {Vector3} */ (roi.normal), meta.sources[source], (s, r, c) => {
      if (!slices.has(s)) {
        const entry = transport.cache.peek(key, step, s);
        slices.set(s, entry?.values);
        if (entry && !entry.exact) [exact, coarsest] = [false, Math.max(coarsest, Math.abs(entry.step))];
      }
      const slice = slices.get(s);
      if (slice) values.push(slice[r * shape[2] + c]);
      else whole = false;
    });
    if (!whole) {
      this.waiting = true;
      return null;
    }
    const numbers = statistics(values);
    const most = Math.max(Math.abs(numbers.min), Math.abs(numbers.max));
    // Large float32 lie further apart than the codes they came from; so it is with their deviation too.
    const made = { numbers, kept: { exact, step: exact || !Number.isFinite(most) ? coarsest : Math.max(coarsest, most * FLOAT32) } };
    known.set(name, made);
    return made;
  }

  /** The numbers alone. @param {Roi} roi @param {number} [source] */
  statistics(roi, source = 0) {
    return this.found(roi, source)?.numbers ?? null;
  }

  /** Shapes and numbers of a pane. @param {Pane} pane @returns {SVGElement[]} */
  marks(pane) {
    const { stage } = this.viewer;
    const box = { left: pane.left / stage.size.ratio, top: pane.top / stage.size.ratio, wide: pane.plane.width / stage.size.ratio, high: pane.plane.height / stage.size.ratio };
    const pxOf = (/** @type {Vector3} */ lps) => stage.pxOf(pane, lps);
    /** @type {import("./roimarks.js").Box[]} */
    const taken = [];
    const one = (/** @type {Roi} */ roi, /** @type {boolean} */ chosen) => marksOf(roi, textOf(this, roi, chosen), { pxOf, box, taken, chosen, mark: chosen ? this.mark : null });
    const made = this.seenIn(pane).flatMap((roi) => one(roi, roi.id === this.chosen));
    const begun = this.begun;
    // What is to be painted has no numbers yet.
    if (begun && this.isDraftIn(pane)) made.push(...marksOf(begun, this.draft?.paint ? [] : textOf(this, begun, true), { pxOf, box, taken, chosen: true, mark: null }));
    return made;
  }

  /** Before the panes are drawn. */
  prepare() {
    const { viewer } = this;
    const line = this.begun ?? this.chosenOne;
    this.waiting = this.panel.show(viewer, line?.kind === "profile" && line.points.length > 1 ? line : null);
    viewer.chrome.remove.disabled = !this.chosenOne;
  }

  /** Tells a screen reader of the chosen one. */
  say() {
    const one = this.chosenOne;
    if (one) this.viewer.chrome.announce(`${one.kind} ${textOf(this, one, true).join(", ")}`);
  }
}
