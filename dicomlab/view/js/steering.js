// The state of a view, and all that changes it: places, planes, windows. Nothing is drawn in here.

import { DIFFERENCE } from "./layers.js";
import { lutFrom } from "./lut.js";
import { moved } from "./plane.js";
import { IDENTITY, multiplied, rotate, rotation } from "./scene.js";
import { Space } from "./space.js";
import { paneName } from "./stage.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Look} Look */
/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./scene.js").Scene} Scene */

const ZOOM = [0.2, 50];

/** @param {number} x @param {number} low @param {number} high */
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

export class Steering {
  /** @param {Meta} meta @param {State} state @param {import("./stage.js").Stage} stage */
  constructor(meta, state, stage) {
    this.meta = meta;
    /** @type {State} */ this.state = state;
    this.stage = stage;
    /** One for each volume and mask. @type {Space[]} */ this.spaces = [];
    /** The volume that window, presets and colours are about. */ this.chosen = 0;
    /** Which way the last step went, and in which plane. @type {{name: PlaneName, direction: number}} */
    this.travel = { name: "axial", direction: 1 };
    /** What one pane was enlarged from. @private @type {Partial<Scene> | null} */ this.before = null;
  }

  /** Other volumes, or other pixels. @protected @param {Meta} meta */
  steer(meta) {
    this.meta = meta;
    this.spaces = meta.sources.map((source) => new Space(source));
    this.chosen = Math.min(this.chosen, this.state.looks.length - 1);
  }

  /** What follows a change of the state. @param {boolean} [_mine] whether the user made it, so that others have to hear of it */
  changed(_mine = true) {}

  // ---- what the state says ------------------------------------------------------------------------------------------

  get space() {
    return this.spaces[0];
  }

  /** The number of the look in hand: that of the chosen volume, or of the difference. */
  get inHand() {
    return this.state.mode === "difference" && this.meta.difference ? DIFFERENCE : this.chosen;
  }

  /** How the volume in hand is looked at. */
  get look() {
    return this.inHand === DIFFERENCE ? this.state.difference : this.state.looks[this.chosen];
  }

  /** What is said of the volume in hand. @returns {import("./types.js").Subject} */
  get subject() {
    return this.inHand === DIFFERENCE && this.meta.difference ? this.meta.difference : this.meta.sources[this.chosen];
  }

  /** What it was looked at through first. */
  get firstWindow() {
    const { first } = this.meta;
    return { ...(this.inHand === DIFFERENCE ? first.difference : first.looks[this.chosen]).window };
  }

  /** Takes a volume in hand. @param {number} source */
  choose(source) {
    this.chosen = source;
    this.changed(false);
  }

  /** Index along the axis that the plane of the first pane cuts. */
  get index() {
    return this.indexIn(this.state.scene.plane);
  }

  /** @param {PlaneName} name */
  indexIn(name) {
    return this.space.nearest(this.state.scene.position)[this.meta.basis.axis[name]];
  }

  // ---- changes --------------------------------------------------------------------------------------------------------

  /** @param {Partial<Scene>} patch */
  changeScene(patch) {
    this.state = { ...this.state, scene: { ...this.state.scene, ...patch } };
    this.changed();
  }

  /** @param {Partial<Look>} patch @param {number} [source] */
  changeLook(patch, source = this.inHand) {
    if (source === DIFFERENCE) this.state = { ...this.state, difference: { ...this.state.difference, ...patch } };
    else this.state = { ...this.state, looks: this.state.looks.map((look, n) => (n === source ? { ...look, ...patch } : look)) };
    this.changed();
  }

  /** All planes through a position. @param {Vector3} lps */
  goTo(lps) {
    this.changeScene({ position: this.space.within(lps) });
  }

  /** @param {PlaneName} name @param {number} index along the axis that the plane cuts */
  goToIndex(name, index) {
    const { meta, space, state } = this;
    const axis = meta.basis.axis[name];
    const to = clamp(Math.round(index), 0, space.shape[axis] - 1);
    const by = space.mm[axis][to] - space.coordinates(state.scene.position)[axis];
    this.travel = { name, direction: Math.sign(to - this.indexIn(name)) || this.travel.direction };
    this.changeScene({ position: moved(state.scene.position, by, meta.basis.heading[name]) });
  }

  /** The plane that shows a slice of the file as it is. @param {number} slice */
  goToSlice(slice) {
    const { axis } = this.meta.basis;
    const name = /** @type {PlaneName} */ (Object.keys(axis).find((one) => axis[/** @type {PlaneName} */ (one)] === 0));
    if (this.state.scene.layout !== "planes") this.setPlane(name);
    this.goToIndex(name, slice);
  }

  /** So many slices onwards. @param {Pane} pane @param {number} steps */
  scroll(pane, steps) {
    const { scene } = this.state;
    const { meta, space } = this;
    if (this.isStraight) {
      const to = this.indexIn(pane.name) + steps * (scene.layout === "montage" ? scene.tiles[1] * scene.stride : 1);
      if (clamp(to, 0, space.shape[meta.basis.axis[pane.name]] - 1) !== this.indexIn(pane.name)) this.goToIndex(pane.name, to);
      return;
    }
    const heading = rotate(scene.turn, meta.basis.heading[pane.name]);
    const line = space.mm[meta.basis.axis[pane.name]];
    const step = line.length > 1 ? Math.abs(line[line.length - 1] - line[0]) / (line.length - 1) : meta.sources[0].finest;
    const to = moved(scene.position, steps * step * Math.sign((line[line.length - 1] ?? 0) - line[0] || 1), heading);
    this.travel = { name: pane.name, direction: Math.sign(steps) };
    if (space.voxel(to)) this.changeScene({ position: to });
  }

  /** Whether planes lie as the voxels do. */
  get isStraight() {
    return this.state.scene.turn.every((x, i) => x === IDENTITY[i]);
  }

  /** @param {Vector3} axis @param {number} angle */
  turnAbout(axis, angle) {
    this.changeScene({ turn: multiplied(rotation(axis, angle), this.state.scene.turn) });
  }

  /** @param {number} center @param {number} width @param {import("./types.js").VoiFunction} [fn] */
  setWindow(center, width, fn = this.look.window.function) {
    // LINEAR is not defined below a width of 1 (PS3.3 C.11.2.1.2.1).
    width = Math.max(width, fn === "LINEAR" ? 1 : 1e-300);
    // No more digits than the hand can mean: a hundredth of the width, and whole numbers where values are.
    const unit = this.subject.integer && width >= 20 ? 1 : 10 ** (Math.floor(Math.log10(width)) - 2);
    /** @param {number} x */
    const round = (x) => Number((Math.round(x / unit) * unit).toPrecision(9));
    // By hand, a table becomes the linear window over the same values; where it falls, dark stays bright.
    const { lut } = this.look.window;
    const invert = this.look.invert !== (lut !== undefined && lutFrom(lut).falls);
    const window = { center: round(center), width: Math.max(round(width), unit), function: fn };
    if (fn === "LINEAR" && window.width < 1) window.width = 1;
    this.changeLook({ invert, window });
  }

  /** @param {number} index into the presets */
  choosePreset(index) {
    const preset = this.subject.presets[index];
    if (!preset) return;
    const { name, group, ...window } = preset;
    this.changeLook({ window });
  }

  /** @param {PlaneName} plane */
  setPlane(plane) {
    this.travel = { name: plane, direction: 1 };
    this.changeScene({ plane });
  }

  /** @param {import("./scene.js").Layout} layout */
  setLayout(layout) {
    this.changeScene({ layout });
  }

  /** One pane of several alone, and back. @param {Pane | undefined} pane */
  enlarge(pane) {
    const { scene } = this.state;
    if (scene.layout === "single") {
      const { before } = this;
      this.before = null;
      return before ? this.changeScene(before) : this.fit();
    }
    this.before = { layout: scene.layout, plane: scene.plane };
    if (pane) this.changeScene({ layout: "single", plane: pane.name });
  }

  /** @param {string} text "" or a mode and mm */
  setSlab(text) {
    const [mode, mm] = text.split(" ");
    this.changeScene({ slab: mm ? { mode: /** @type {any} */ (mode), thickness: Number(mm) } : null });
  }

  /** @param {number} axis @param {number} index */
  setStep(axis, index) {
    const step = [...this.state.step];
    step[axis] = index;
    this.state = { ...this.state, step };
    this.changed();
  }

  fit() {
    this.changeScene({ zoom: 1, pan: [0, 0, 0] });
  }

  /** @param {Pane} pane @param {number} x css px of the stage @param {number} y @param {number} factor */
  zoomAbout(pane, x, y, factor) {
    const { scene } = this.state;
    const zoom = clamp(scene.zoom * factor, ZOOM[0], ZOOM[1]);
    const under = this.stage.lpsAt(pane, x, y);
    this.state = { ...this.state, scene: { ...scene, zoom } };
    const after = this.stage.panesOf(this.meta, this.state).find((one) => paneName(one) === paneName(pane)) ?? pane;
    const now = this.stage.lpsAt(after, x, y);
    this.pan(under.map((v, k) => now[k] - v));
  }

  /** @param {Pane} pane @param {number} dx css px @param {number} dy */
  panBy({ plane }, dx, dy) {
    const mm = plane.pixel * this.stage.size.ratio;
    this.pan(plane.right.map((r, k) => mm * (dx * r + dy * plane.down[k])));
  }

  /** @private The picture can be pushed aside, but not lost. @param {number[]} by LPS mm */
  pan(by) {
    const { corners, middle } = this.meta.basis;
    const most = Math.max(...corners.map((corner) => Math.hypot(...corner.map((v, k) => v - middle[k]))));
    const pan = this.state.scene.pan.map((v, k) => v + by[k]);
    const length = Math.hypot(...pan);
    this.changeScene({ pan: /** @type {Vector3} */ (length > most ? pan.map((v) => (v * most) / length) : pan) });
  }
}
