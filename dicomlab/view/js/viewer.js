// One view: what is shown, and how it follows the hand. Windowing, zoom, planes and the probe need no kernel.

import { writeCaptions } from "./captions.js";
import { Chrome } from "./chrome.js";
import { listen } from "./gestures.js";
import { honest, lutFrom, valueOf } from "./lut.js";
import { Space, extent, pick } from "./planes.js";
import { Stage } from "./stage.js";
import { millimetres } from "./text.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./planes.js").Layout} Layout */

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
    this.space = new Space(meta);
    this.chrome = new Chrome(el);
    this.stage = new Stage(this.chrome.canvas);
    /** @private */ this.frame = 0;
    /** @private */ this.direction = 1;
    /** @private */ this.showCorners = true;
    /** @private @type {[number, number] | null} */ this.pointer = null;
    /** What the canvas shows. @type {{plane: PlaneName, index: number, picture: Picture} | null} */
    this.drawn = null;
    this.setMeta(meta);

    const { chrome } = this;
    /** @private */ this.unlisten = listen(chrome.root, chrome.stage, chrome.grip, {
      step: (by) => this.goTo(this.index + by),
      zoom: (x, y, factor) => this.zoomAbout(x, y, factor),
      pan: (dx, dy) => this.panBy(dx, dy),
      window: () => this.state.window,
      setWindow: (center, width) => this.setWindow(center, width),
      fit: () => this.fit(),
      act: (action) => this.act(action),
      preset: (number) => this.choosePreset(this.numbered[number - 1] ?? -1),
      hover: (x, y) => {
        // A pointer stands for the pixel that begins where it is; on the border of two voxels it would be either.
        const half = 0.5 / this.stage.size.ratio;
        this.pointer = [x + half, y + half];
        this.showProbe();
      },
      leave: () => {
        this.pointer = null;
        this.showProbe();
      },
      dragging: onDrag,
      resize: (height) => (chrome.stage.style.height = `${Math.max(height, LOWEST)}px`),
    });
    chrome.planes.forEach((one) =>
      one.addEventListener("click", () => this.setPlane(/** @type {PlaneName} */ (one.dataset.plane))),
    );
    chrome.preset.addEventListener("change", () => {
      this.choosePreset(Number(chrome.preset.value));
      chrome.root.focus({ preventScroll: true });
    });
    chrome.invert.addEventListener("click", () => this.act("invert"));
    chrome.reset.addEventListener("click", () => this.act("reset"));
    chrome.helpButton.addEventListener("click", () => this.act("help"));
    chrome.badge.addEventListener("click", () => chrome.toggle("findings"));
    chrome.slider.addEventListener("input", () => this.goTo(Number(chrome.slider.value)));
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
    this.measure();
  }

  /** New pixels or a new volume. @param {Meta} meta */
  setMeta(meta) {
    this.meta = meta;
    this.space = new Space(meta);
    this.drawn = null;
    this.stage.forget();
    const presets = meta.presets.map((preset, index) => ({ preset, index }));
    const usual = presets.filter(({ preset }) => preset.group === "presets");
    /** Which preset each digit chooses. @private @type {number[]} */
    this.numbered = (usual.length ? usual : presets).slice(0, 9).map(({ index }) => index);
    this.chrome.fillPresets(meta.presets, (index) => String(this.numbered.indexOf(index) + 1 || ""));
    this.chrome.setFindings(meta.findings);
    const title = meta.title || "volume";
    this.chrome.stage.style.height = `${meta.height}px`;
    this.chrome.root.setAttribute("aria-label", `Slice browser: ${title}. Press question mark for mouse and keys.`);
    this.changed(false);
  }

  get layout() {
    return this.space.layout(this.state.plane);
  }

  get index() {
    return this.state.voxel[this.layout.axis];
  }

  /** Adopts a state from outside. @param {State} state */
  adopt(state) {
    const before = this.index;
    this.state = state;
    if (this.index !== before) this.direction = Math.sign(this.index - before);
    this.changed(false);
  }

  /** @private @param {boolean} [mine] whether the user did it, so that others have to hear of it */
  changed(mine = true) {
    if (mine) this.onChange(this.state);
    const { axis } = this.layout;
    this.transport.centre = this.state.voxel[0];
    this.transport.want(axis, this.index, this.direction);
    this.redraw();
  }

  redraw() {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    }
  }

  /** Something came from the kernel. @param {{axis: number, index: number, demanded: boolean}} one */
  arrived({ axis, index, demanded }) {
    const { layout } = this;
    if (axis === layout.axis && (index === this.index || demanded)) {
      // While the wanted slice is on its way, the newest one shows that the picture moves.
      if (index !== this.index && !this.transport.cache.has(this.meta.key, axis, this.index)) this.take(index);
      this.redraw();
    } else if (axis === 0 && layout.axis !== 0 && (this.drawn?.picture.missing || !this.drawn)) this.redraw();
    this.showStatus();
  }

  // ---- what the user does -------------------------------------------------------------------------------------------

  /** @param {number} index */
  goTo(index) {
    const { axis } = this.layout;
    const to = clamp(Math.round(index), 0, this.space.shape[axis] - 1);
    if (to === this.index) return;
    this.direction = Math.sign(to - this.index);
    const voxel = /** @type {[number, number, number]} */ ([...this.state.voxel]);
    voxel[axis] = to;
    this.state = { ...this.state, voxel };
    this.changed();
  }

  /** @param {number} center @param {number} width @param {import("./types.js").VoiFunction} [fn] */
  setWindow(center, width, fn = this.state.window.function) {
    // LINEAR is not defined below a width of 1 (PS3.3 C.11.2.1.2.1).
    width = Math.max(width, fn === "LINEAR" ? 1 : 1e-300);
    // No more digits than the hand can mean: a hundredth of the width, and whole numbers where values are.
    const unit = this.meta.integer && width >= 20 ? 1 : 10 ** (Math.floor(Math.log10(width)) - 2);
    /** @param {number} x */
    const round = (x) => Number((Math.round(x / unit) * unit).toPrecision(9));
    // By hand, a table becomes the linear window over the same values; where it falls, dark stays bright.
    const { lut } = this.state.window;
    const invert = this.state.invert !== (lut !== undefined && lutFrom(lut).falls);
    this.state = { ...this.state, invert, window: { center: round(center), width: Math.max(round(width), unit), function: fn } };
    if (fn === "LINEAR" && this.state.window.width < 1) this.state.window.width = 1;
    this.changed();
  }

  /** @param {number} index into meta.presets */
  choosePreset(index) {
    const preset = this.meta.presets[index];
    if (!preset) return;
    const { name, group, ...window } = preset;
    this.state = { ...this.state, window };
    this.changed();
  }

  /** @param {PlaneName} plane */
  setPlane(plane) {
    this.state = { ...this.state, plane, zoom: 1, pan: [0, 0] };
    this.changed();
  }

  fit() {
    this.setPan(1, 0, 0);
  }

  /** @param {number} x css px of the stage @param {number} y @param {number} factor */
  zoomAbout(x, y, factor) {
    const before = this.view();
    const zoom = clamp(this.state.zoom * factor, ZOOM[0], ZOOM[1]);
    const [mmX, mmY] = before.toMm(x, y);
    const scale = (before.scale / this.state.zoom) * zoom;
    const { width, height } = this.stage.size;
    this.setPan(zoom, (x - width / 2) / scale + before.centre[0] - mmX, (y - height / 2) / scale + before.centre[1] - mmY);
  }

  /** @param {number} dx css px @param {number} dy */
  panBy(dx, dy) {
    const { scale } = this.view();
    this.setPan(this.state.zoom, this.state.pan[0] + dx / scale, this.state.pan[1] + dy / scale);
  }

  /** @private The picture can be pushed aside, but not lost. @param {number} zoom @param {number} x @param {number} y */
  setPan(zoom, x, y) {
    const box = extent(this.layout);
    const pan = /** @type {[number, number]} */ ([clamp(x, -box.width / 2, box.width / 2), clamp(y, -box.height / 2, box.height / 2)]);
    this.state = { ...this.state, zoom, pan };
    this.changed();
  }

  /** @param {import("./keymap.js").KeyAction} action @returns {void} */
  act(action) {
    const { chrome } = this;
    switch (action) {
      case "next":
        return this.goTo(this.index + 1);
      case "previous":
        return this.goTo(this.index - 1);
      case "next10":
        return this.goTo(this.index + 10);
      case "previous10":
        return this.goTo(this.index - 10);
      case "first":
        return this.goTo(0);
      case "last":
        return this.goTo(this.space.shape[this.layout.axis] - 1);
      case "firstWindow":
        this.state = { ...this.state, window: { ...this.meta.window } };
        return this.changed();
      case "invert":
        this.state = { ...this.state, invert: !this.state.invert };
        return this.changed();
      case "corners":
        this.showCorners = !this.showCorners;
        return void chrome.stage.classList.toggle("dl-plain", !this.showCorners);
      case "help":
        return chrome.toggle("help");
      case "reset":
        if (chrome.closePanel()) return;
        this.state = { ...this.state, zoom: 1, pan: [0, 0], invert: this.meta.invert, window: { ...this.meta.window } };
        return this.changed();
    }
  }

  // ---- drawing --------------------------------------------------------------------------------------------------------

  /** @private */
  measure() {
    this.stage.measure(this.chrome.stage);
    this.draw(); // at once: a cleared canvas would flicker
  }

  /** The mapping between screen mm and css px of the stage. */
  view() {
    return this.stage.view(this.layout, this.state.zoom, this.state.pan);
  }

  /** @private @param {number} index @returns {boolean} whether it is here */
  take(index) {
    const picture = this.transport.picture(this.layout.axis, index);
    if (!picture) return false;
    this.drawn = { plane: this.state.plane, index, picture };
    return true;
  }

  /** @private */
  draw() {
    const { layout, state, stage } = this;
    if (this.drawn && this.drawn.plane !== state.plane) this.drawn = null;
    const known = this.drawn && this.drawn.index === this.index && !this.drawn.picture.missing;
    if (!known) this.take(this.index);
    if (this.drawn) {
      const name = `${this.meta.key} ${state.plane} ${this.drawn.index}`;
      stage.paint(name, this.drawn.picture, layout, state.window, state.invert);
      stage.compose(layout, this.view(), state.invert, this.meta.smooth);
    } else stage.clear(state.invert);
    this.showText();
    this.showProbe();
    this.showStatus();
  }

  // ---- text -----------------------------------------------------------------------------------------------------------

  /** @private */
  showText() {
    const { meta, state, space, drawn } = this;
    writeCaptions(this.chrome, {
      meta,
      state,
      space,
      shown: drawn?.index,
      complete: drawn !== null && drawn.index === this.index && !drawn.picture.missing,
      scale: this.view().scale,
      stageWidth: this.stage.size.width,
    });
  }

  /** @private */
  showStatus() {
    const { transport, chrome, layout, meta } = this;
    const failure = transport.failure(layout.axis, this.index);
    const missing = this.drawn?.picture.missing;
    const waiting = !this.drawn || this.drawn.index !== this.index;
    const slow = transport.waiting > PATIENCE;
    chrome.say(failure ?? (!this.drawn && slow ? "Waiting for the kernel …" : ""));
    if (failure) chrome.setStatus("cannot be read");
    else if (waiting) chrome.setStatus(`loading ${this.index + 1} …${slow ? " (kernel busy)" : ""}`);
    else if (missing) chrome.setStatus(`loading ${transport.cache.count(meta.key)}/${missing.length} slices …`);
    else chrome.setStatus("");
  }

  /** What is under the pointer. @returns {{voxel: number[], value: number, text: string} | null} */
  probeAt(/** @type {number} */ x, /** @type {number} */ y) {
    if (!this.drawn) return null;
    const { layout, space, meta } = this;
    const { picture, index } = this.drawn;
    const [mmX, mmY] = this.view().toMm(x, y);
    const at = pick(layout, mmX, mmY);
    if (!at) return null;
    const voxel = [0, 0, 0];
    voxel[layout.axis] = index;
    voxel[layout.h] = at.h;
    voxel[layout.v] = at.v;
    const [row, col] = layout.transpose ? [at.h, at.v] : [at.v, at.h];
    if (picture.missing?.[row]) return null;
    const scale = picture.scales[picture.scales.length === 1 ? 0 : row];
    const value = valueOf(picture.codes[row * picture.cols + col], scale);
    const lps = space.lps(voxel).map(millimetres);
    const unit = meta.units ? ` ${meta.units}` : "";
    const text = `${honest(value, scale)}${unit}   voxel [${voxel.join(", ")}]   LPS (${lps.join(", ")}) mm`;
    return { voxel, value, text };
  }

  /** @private */
  showProbe() {
    const found = this.pointer && this.probeAt(...this.pointer);
    const text = found ? found.text : "";
    if (this.chrome.probe.textContent !== text) this.chrome.probe.textContent = text;
  }

  destroy() {
    this.unlisten();
    this.watcher.disconnect();
    this.looker.disconnect();
    clearInterval(this.clock);
    cancelAnimationFrame(this.frame);
    this.drawn = null;
    this.stage.destroy();
    this.chrome.root.remove();
  }
}
