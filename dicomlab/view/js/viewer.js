// One view: what is shown, and how it follows the hand. Windowing, zoom, planes and the probe need no kernel.

import { act } from "./actions.js";
import { Chrome } from "./chrome.js";
import { Cine } from "./cine.js";
import { listen } from "./gestures.js";
import { ColourBars } from "./bars.js";
import { Dock } from "./dock.js";
import { BUTTONS, keymap } from "./keymap.js";
import { DIFFERENCE, meetShapes } from "./layers.js";
import { enter, lead, leave } from "./link.js";
import { lutFrom } from "./lut.js";
import { Measuring } from "./measuring.js";
import { showState } from "./captions.js";
import { Overlay } from "./overlay.js";
import { moved } from "./plane.js";
import { IDENTITY, rotate } from "./scene.js";
import { paletteFrom } from "./shade.js";
import { Space } from "./space.js";
import { madeText, probeText } from "./probe.js";
import { Stage, imagesShown, masksShown, paneName } from "./stage.js";
import { TOOLS, multiplied, rotation, toolFor } from "./tools.js";
import { wish } from "./wishes.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Look} Look */
/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./transport.js").Want} Want */

const ZOOM = [0.2, 50];
const LOWEST = 120; // px of the stage
const PATIENCE = 1; // seconds until the viewer says that it is waiting

/** @param {number} x @param {number} low @param {number} high */
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

export class Viewer {
  /**
   * @param {object} options
   * @param {HTMLElement} options.el
   * @param {Meta} options.meta
   * @param {State} options.state
   * @param {import("./transport.js").Transport} options.transport
   * @param {(state: State) => void} options.onChange
   * @param {(active: boolean) => void} options.onDrag
   * @param {() => void} options.onVisible
   */
  constructor({ el, meta, state, transport, onChange, onDrag, onVisible }) {
    this.transport = transport;
    this.onChange = onChange;
    /** @type {State} */ this.state = state;
    this.meta = meta;
    /** @type {Space[]} */ this.spaces = [];
    this.chrome = new Chrome(el);
    this.stage = new Stage(this.chrome.canvas, transport);
    this.overlay = new Overlay(this.chrome.svg);
    this.measuring = new Measuring(this);
    /** The tool of the left button. */ this.tool = "window";
    /** What is bound to what. */ this.keymap = keymap();
    /** @type {import("./link.js").Link[]} */ this.links = [];
    /** What another viewer of the page decides for now. */ this.led = { until: 0, traits: /** @type {string[]} */ ([]) };
    this.cine = new Cine(this);
    /** What one pane was enlarged from. @private @type {Partial<Scene> | null} */ this.before = null;
    /** @private */ this.frame = 0;
    /** Which way the last step went, and in which plane. @type {{name: PlaneName, direction: number}} */
    this.travel = { name: "axial", direction: 1 };
    /** css px of the stage @type {[number, number] | null} */ this.pointer = null;
    /** @private @type {Map<string, Uint32Array>} */ this.palettes = new Map();
    /** The volume that window, presets and colours are about. */ this.chosen = 0;
    this.bars = new ColourBars();
    this.dock = new Dock(this);
    this.chrome.stage.insertBefore(this.bars.root, this.chrome.status);
    this.chrome.body.append(this.dock.root);
    this.dock.root.hidden = meta.sources.length < 2;
    this.setMeta(meta);

    const { chrome } = this;
    /** @private */ this.unlisten = listen(chrome.root, chrome.stage, chrome.grip, {
      map: () => this.keymap,
      wheel: (x, y, steps, what) => {
        if (what === "step") for (let n = Math.abs(steps); n; n--) this.act(steps > 0 ? "nextStep" : "previousStep");
        else this.scroll(this.stage.paneAt(x, y) ?? this.stage.panes[0], steps);
      },
      pan: (x, y, dx, dy) => this.panBy(this.stage.paneAt(x, y) ?? this.stage.panes[0], dx, dy),
      zoom: (x, y, factor) => this.zoomAbout(this.stage.paneAt(x, y) ?? this.stage.panes[0], x, y, factor),
      toolAt: (x, y, button) => {
        const pane = this.stage.paneAt(x, y);
        if (!pane) return null;
        const bound = this.keymap[BUTTONS[button]];
        const tool = TOOLS[bound === "tool" ? toolFor(this, pane, x, y) : bound];
        return tool ? { tool, drag: { viewer: this, pane, start: [x, y], last: [x, y], memory: undefined } } : null;
      },
      act: (action) => this.act(action),
      hover: (x, y, follow) => {
        this.pointer = [x, y];
        const pane = this.stage.paneAt(x, y);
        if (follow && pane) this.goTo(this.stage.lpsAt(pane, x, y));
        this.measuring.follow(pane, x, y);
        chrome.stage.style.cursor = TOOLS[pane ? toolFor(this, pane, x, y) : this.tool].cursor;
        this.showProbe();
        if (this.stage.panes.some(({ source }) => source !== null)) this.redraw(); // the pointer's twins
      },
      leave: () => {
        this.pointer = null;
        this.redraw();
        this.showProbe();
      },
      dragging: onDrag,
      resize: (height) => (chrome.stage.style.height = `${Math.max(height, LOWEST)}px`),
    });
    chrome.planes.forEach((one) => one.addEventListener("click", () => this.setPlane(/** @type {PlaneName} */ (one.dataset.plane))));
    chrome.layouts.forEach((one) => one.addEventListener("click", () => this.setLayout(/** @type {any} */ (one.dataset.layout))));
    chrome.tools.forEach((one) => one.addEventListener("click", () => this.setTool(/** @type {string} */ (one.dataset.tool))));
    chrome.remove.addEventListener("click", () => this.act("remove"));
    chrome.preset.addEventListener("change", () => {
      this.choosePreset(Number(chrome.preset.value));
      chrome.root.focus({ preventScroll: true });
    });
    chrome.cmap.addEventListener("change", () => {
      this.changeLook({ cmap: chrome.cmap.value });
      chrome.root.focus({ preventScroll: true });
    });
    chrome.slab.addEventListener("change", () => {
      this.setSlab(chrome.slab.value);
      chrome.root.focus({ preventScroll: true });
    });
    chrome.layersButton.addEventListener("click", () => this.act("layers"));
    chrome.invert.addEventListener("click", () => this.act("invert"));
    chrome.reset.addEventListener("click", () => this.act("reset"));
    chrome.helpButton.addEventListener("click", () => this.act("help"));
    chrome.full.addEventListener("click", () => this.act("full"));
    chrome.save.addEventListener("click", () => this.act("save"));
    chrome.cine.addEventListener("click", () => this.act("cine"));
    chrome.fps.addEventListener("input", () => this.cine.change({ fps: Number(chrome.fps.value) }));
    chrome.bounce.addEventListener("click", () => this.cine.change({ bounce: !this.state.cine.bounce }));
    chrome.along.addEventListener("change", () => this.cine.change({ along: /** @type {any} */ (chrome.along.value) }));
    chrome.badge.addEventListener("click", () => chrome.toggle("findings"));
    chrome.slider.addEventListener("input", () => this.goToIndex(this.state.scene.plane, Number(chrome.slider.value)));
    /** @private */ this.watcher = new ResizeObserver(() => this.measure());
    this.watcher.observe(chrome.stage);
    this.visible = true;
    /** @private */ this.looker = new IntersectionObserver((entries) => {
      this.visible = entries[entries.length - 1].isIntersecting;
      onVisible();
    });
    this.looker.observe(chrome.root);
    /** @private */ this.clock = setInterval(() => {
      transport.pump();
      this.showStatus();
    }, 400);
    enter(this);
    this.measure();
  }

  /** New pixels or a new volume. @param {Meta} meta */
  setMeta(meta) {
    this.meta = meta;
    this.spaces = meta.sources.map((source) => new Space(source));
    this.palettes.clear();
    const first = meta.sources[0];
    /** @private @type {import("./types.js").Subject | null} */ this.offered = null;
    this.chosen = Math.min(this.chosen, this.state.looks.length - 1);
    this.dock.fill();
    this.chrome.fillPalettes(Object.keys(meta.palettes));
    this.chrome.fillSteps(first.steps, (axis, index) => this.setStep(axis, index));
    this.chrome.setFindings(first.findings, first.places, (slice) => this.goToSlice(slice));
    this.chrome.probe.title = madeText(this);
    this.chrome.setNote(meta.note ?? "");
    const title = first.title || "volume";
    this.chrome.stage.style.height = `${meta.height}px`;
    this.chrome.root.setAttribute("aria-label", `Slice browser: ${title}. Press question mark for mouse and keys.`);
    this.changed(false);
  }

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
    this.redraw();
  }

  /** Offers the presets of the volume in hand. @private */
  offer() {
    if (this.offered === this.subject) return;
    this.offered = this.subject;
    const presets = this.subject.presets.map((preset, index) => ({ preset, index }));
    const usual = presets.filter(({ preset }) => preset.group === "presets");
    /** Which preset each digit chooses. @type {number[]} */
    this.numbered = (usual.length ? usual : presets).slice(0, 9).map(({ index }) => index);
    this.chrome.fillPresets(this.subject.presets, (index) => String(this.numbered.indexOf(index) + 1 || ""));
  }

  /** Index along the axis that the plane of the first pane cuts. */
  get index() {
    return this.indexIn(this.state.scene.plane);
  }

  /** @param {PlaneName} name */
  indexIn(name) {
    return this.space.nearest(this.state.scene.position)[this.meta.basis.axis[name]];
  }

  /** Other keys and gestures. @param {import("./keymap.js").Keymap} own */
  setKeymap(own) {
    this.keymap = keymap(own);
    this.chrome.fillHelp(this.keymap);
  }

  /** The step of a volume that is shown: its own axes follow those of the first that have as many steps. @param {number} source @param {number[]} [step] */
  stepOf(source, step = this.state.step) {
    const { steps } = this.meta.sources[source];
    const first = this.meta.sources[0].steps;
    let number = 0;
    for (const one of steps) {
      const axis = first.findIndex((other) => other.name === one.name && other.labels.length === one.labels.length);
      number = number * one.labels.length + (axis < 0 ? 0 : clamp(step[axis] ?? 0, 0, one.labels.length - 1));
    }
    return number;
  }

  /** @param {string} cmap */
  paletteOf(cmap) {
    let words = this.palettes.get(cmap);
    if (!words) this.palettes.set(cmap, (words = paletteFrom(this.meta.palettes[cmap] ?? "")));
    return words;
  }

  /** Which volumes a pane shows, the lowest first; all that are shown, if none is named. @param {Pane} [pane] @returns {number[]} */
  shownIn(pane) {
    if (pane && pane.source !== null) return [pane.source];
    return this.state.mode === "difference" ? [0, 1] : imagesShown(this.state);
  }

  /** The volumes and masks of a pane, or of all. @param {Pane} [pane] */
  layersIn(pane) {
    return [...this.shownIn(pane), ...masksShown(this.state).map((mask) => this.state.looks.length + mask)];
  }

  /** Adopts a state from outside. @param {State} state */
  adopt(state) {
    const name = state.scene.plane;
    const before = this.indexIn(name);
    this.state = state;
    const by = this.indexIn(name) - before;
    if (by) this.travel = { name, direction: Math.sign(by) };
    this.changed(false);
  }

  /** @param {boolean} [mine] whether the user did it, so that others have to hear of it */
  changed(mine = true) {
    if (mine) {
      this.onChange(this.state);
      lead(this);
    }
    this.cine.follow();
    this.stage.lay(this.meta, this.state);
    wish(this);
    this.redraw();
  }

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

  redraw() {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    }
  }

  /** Something came from the kernel. @param {(Want & {demanded: boolean}) | {pane: string}} one */
  arrived(one) {
    if ("pane" in one || this.measuring.waiting || this.stage.complete.some((whole) => !whole)) {
      wish(this);
      this.redraw();
    }
    this.showStatus();
  }

  // ---- what the user does -------------------------------------------------------------------------------------------

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

  /** @param {string} tool */
  setTool(tool) {
    this.tool = tool;
    this.measuring.draft = null;
    this.chrome.stage.style.cursor = TOOLS[tool]?.cursor ?? "";
    this.redraw();
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
    const after = this.stage.lay(this.meta, this.state).find((one) => paneName(one) === paneName(pane)) ?? pane;
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

  /** @param {string} action */
  act(action) {
    act(this, action);
  }

  // ---- drawing --------------------------------------------------------------------------------------------------------

  /** @private */
  measure() {
    this.stage.measure(this.chrome.stage);
    this.stage.lay(this.meta, this.state);
    wish(this);
    this.draw(); // at once: a cleared canvas would flicker
  }

  /** @private */
  draw() {
    const { meta, state, stage, overlay, space, spaces } = this;
    stage.draw(meta, state, (source) => this.stepOf(source), (cmap) => this.paletteOf(cmap), (pane) => this.shownIn(pane));
    this.measuring.prepare();
    overlay.draw({ meta, state, panes: stage.panes, stage, space, spaces, more: (pane) => [...meetShapes(this, pane), ...this.measuring.marks(pane)] });
    this.bars.show(this);
    this.offer();
    showState(this);
    this.dock.show();
    this.showProbe();
    this.showStatus();
  }

  /** @private */
  showStatus() {
    const { transport, chrome, stage } = this;
    const slow = transport.waiting > PATIENCE;
    const failure = transport.problem;
    chrome.say(failure);
    if (failure) chrome.setStatus("cannot be read");
    else if (stage.complete.every(Boolean)) chrome.setStatus("");
    else chrome.setStatus(`loading …${slow ? " (kernel busy)" : ""}`);
  }

  /** @private */
  showProbe() {
    const text = this.pointer ? probeText(this, ...this.pointer) : "";
    if (this.chrome.probe.textContent !== text) this.chrome.probe.textContent = text;
  }

  destroy() {
    leave(this);
    this.unlisten();
    this.cine.destroy();
    this.watcher.disconnect();
    this.looker.disconnect();
    clearInterval(this.clock);
    cancelAnimationFrame(this.frame);
    this.stage.destroy();
    this.chrome.root.remove();
  }
}
