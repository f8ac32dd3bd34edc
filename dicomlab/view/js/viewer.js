// One view: what is shown, and how it follows the hand. Windowing, zoom, planes and the probe need no kernel.

import { Chrome, short } from "./chrome.js";
import { listen } from "./gestures.js";
import { Painter, honest, valueOf } from "./lut.js";
import { AXIS_NAMES, Space, extent, pick } from "./planes.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./planes.js").Layout} Layout */

const ZOOM = [0.2, 50];
const MOST_PIXELS = 4096; // of a picture of uneven slices
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
   */
  constructor({ el, meta, state, transport, onChange, onDrag }) {
    this.transport = transport;
    this.onChange = onChange;
    /** @type {State} */ this.state = state;
    this.meta = meta;
    this.space = new Space(meta);
    this.chrome = new Chrome(el);
    /** @private */ this.painter = new Painter();
    /** @private */ this.native = document.createElement("canvas");
    /** @private */ this.frame = 0;
    /** @private */ this.direction = 1;
    /** @private */ this.showCorners = true;
    /** @private @type {[number, number] | null} */ this.pointer = null;
    /** What the canvas shows. @type {{plane: PlaneName, index: number, picture: Picture} | null} */
    this.drawn = null;
    /** @private */ this.painted = "";
    /** @private */ this.size = { width: 1, height: 1, ratio: 1 };
    this.setMeta(meta);

    const { chrome } = this;
    /** @private */ this.unlisten = listen(chrome.root, chrome.stage, {
      step: (by) => this.goTo(this.index + by),
      zoom: (x, y, factor) => this.zoomAbout(x, y, factor),
      pan: (dx, dy) => this.panBy(dx, dy),
      window: () => this.state.window,
      setWindow: (center, width) => this.setWindow(center, width),
      fit: () => this.fit(),
      act: (action) => this.act(action),
      preset: (number) => this.choosePreset(this.numbered[number - 1] ?? -1),
      hover: (x, y) => {
        this.pointer = [x, y];
        this.showProbe();
      },
      leave: () => {
        this.pointer = null;
        this.showProbe();
      },
      dragging: onDrag,
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
    chrome.slider.addEventListener("input", () => this.goTo(Number(chrome.slider.value)));
    /** @private */ this.watcher = new ResizeObserver(() => this.measure());
    this.watcher.observe(chrome.stage);
    /** @private */ this.clock = setInterval(() => this.showStatus(), 500);
    this.measure();
  }

  /** New pixels or a new volume. @param {Meta} meta */
  setMeta(meta) {
    this.meta = meta;
    this.space = new Space(meta);
    this.drawn = null;
    this.painted = "";
    const presets = meta.presets.map((preset, index) => ({ preset, index }));
    const usual = presets.filter(({ preset }) => preset.group === "presets");
    /** Which preset each digit chooses. @private @type {number[]} */
    this.numbered = (usual.length ? usual : presets).slice(0, 9).map(({ index }) => index);
    this.chrome.fillPresets(meta.presets, (index) => String(this.numbered.indexOf(index) + 1 || ""));
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
    width = Math.max(width, fn === "LINEAR" ? 1 : 1e-9);
    // No more digits than the hand can mean: a hundredth of the width, and whole numbers where values are.
    const unit = this.meta.integer && width >= 20 ? 1 : 10 ** (Math.floor(Math.log10(width)) - 2);
    /** @param {number} x */
    const round = (x) => Number((Math.round(x / unit) * unit).toPrecision(9));
    this.state = { ...this.state, window: { center: round(center), width: Math.max(round(width), unit), function: fn } };
    if (fn === "LINEAR" && this.state.window.width < 1) this.state.window.width = 1;
    this.changed();
  }

  /** @param {number} index into meta.presets */
  choosePreset(index) {
    const preset = this.meta.presets[index];
    if (!preset) return;
    const { center, width } = preset;
    this.state = { ...this.state, window: { center, width, function: preset.function } };
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
    const { width, height } = this.size;
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
        chrome.help.hidden = !chrome.help.hidden;
        return void chrome.helpButton.setAttribute("aria-pressed", String(!chrome.help.hidden));
      case "reset":
        if (!chrome.help.hidden) return this.act("help");
        this.state = { ...this.state, zoom: 1, pan: [0, 0], invert: this.meta.invert, window: { ...this.meta.window } };
        return this.changed();
    }
  }

  // ---- drawing --------------------------------------------------------------------------------------------------------

  /** @private */
  measure() {
    const { stage, canvas } = this.chrome;
    const width = Math.max(stage.clientWidth, 1);
    const height = Math.max(stage.clientHeight, 1);
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    this.size = { width, height, ratio };
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    this.draw(); // at once: a cleared canvas would flicker
  }

  /**
   * The mapping between screen mm and css px of the stage.
   * @private
   * @returns {{scale: number, centre: [number, number], toPx: (x: number, y: number) => [number, number], toMm: (x: number, y: number) => [number, number]}}
   */
  view() {
    const box = extent(this.layout);
    const { width, height } = this.size;
    const scale = Math.min(width / box.width, height / box.height) * this.state.zoom;
    const centre = /** @type {[number, number]} */ ([box.left + box.width / 2, box.top + box.height / 2]);
    const [panX, panY] = this.state.pan;
    return {
      scale,
      centre,
      toPx: (x, y) => [(x - centre[0] + panX) * scale + width / 2, (y - centre[1] + panY) * scale + height / 2],
      toMm: (x, y) => [(x - width / 2) / scale + centre[0] - panX, (y - height / 2) / scale + centre[1] - panY],
    };
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
    if (this.drawn && this.drawn.plane !== this.state.plane) this.drawn = null;
    const known = this.drawn && this.drawn.index === this.index && !this.drawn.picture.missing;
    if (!known) this.take(this.index);
    this.paintNative();
    this.compose();
    this.showText();
    this.showProbe();
    this.showStatus();
  }

  /** @private Voxels to grey, one pixel each. */
  paintNative() {
    if (!this.drawn) return;
    const { picture, index, plane } = this.drawn;
    const { layout, native } = this;
    const gaps = picture.missing ? performance.now() : 0;
    const painted = JSON.stringify([this.meta.key, plane, index, this.state.window, this.state.invert, gaps]);
    if (painted === this.painted) return;
    this.painted = painted;
    const width = layout.transpose ? picture.rows : picture.cols;
    const height = layout.transpose ? picture.cols : picture.rows;
    if (native.width !== width || native.height !== height || !this.image) {
      native.width = width;
      native.height = height;
      /** @private */ this.image = new ImageData(width, height);
    }
    const words = new Uint32Array(this.image.data.buffer);
    this.painter.paint(picture, layout, this.state.window, this.state.invert, words);
    /** @type {CanvasRenderingContext2D} */ (native.getContext("2d")).putImageData(this.image, 0, 0);
  }

  /** @private Pixels to millimetres on the stage. */
  compose() {
    const { canvas } = this.chrome;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!this.drawn) return;
    const { layout, native } = this;
    const { scale, toPx } = this.view();
    const { ratio } = this.size;
    const [a, b, c, d] = layout.basis.map((part) => part * scale * ratio);
    const { hmm, vmm, hEdges, vEdges } = layout;
    const [h0, v0] = [hEdges[0], vEdges[0]];
    const corner = toPx(layout.basis[0] * h0 + layout.basis[2] * v0, layout.basis[1] * h0 + layout.basis[3] * v0);
    let [x, y] = [corner[0] * ratio, corner[1] * ratio];
    // Uneven positions: every row (or column) of voxels first takes as many pixels as it has millimetres.
    /** @type {HTMLCanvasElement} */
    let image = native;
    if (!evenly(vEdges)) image = stretched(image, vEdges, scale * ratio, false);
    if (!evenly(hEdges)) image = stretched(image, hEdges, scale * ratio, true);
    const stepH = (hEdges[hmm.length] - h0) / image.width;
    const stepV = (vEdges[vmm.length] - v0) / image.height;
    // Where voxels are whole pixels they are put on whole pixels, and nothing is blurred.
    const crisp = isWhole(a * stepH) && isWhole(d * stepV) && Math.abs(b) + Math.abs(c) < 1e-9;
    if (crisp) [x, y] = [Math.round(x), Math.round(y)];
    context.imageSmoothingEnabled = !crisp;
    context.imageSmoothingQuality = Math.min(a * stepH, d * stepV) < 0.6 ? "high" : "medium";
    context.setTransform(a * stepH, b * stepH, c * stepV, d * stepV, x, y);
    context.drawImage(image, 0, 0);
  }

  // ---- text -----------------------------------------------------------------------------------------------------------

  /** @private */
  showText() {
    const { chrome, layout, meta, state, space } = this;
    const mm = space.mm[layout.axis];
    const name = AXIS_NAMES[layout.axis];
    const shown = this.drawn?.index;
    const { center, width } = state.window;
    const chosen = meta.presets.findIndex(
      (preset) => preset.center === center && preset.width === width && preset.function === state.window.function,
    );
    const at = shown === undefined ? "" : `${name} ${shown + 1}/${mm.length}  [${shown}]`;
    chrome.setCorner("topLeft", [meta.title, meta.units && `in ${meta.units}`]);
    chrome.setCorner("topRight", [
      `W ${short(width)}  L ${short(center)}`,
      [chosen >= 0 ? meta.presets[chosen].name : "", state.window.function === "SIGMOID" ? "sigmoid" : "", state.invert ? "inverted" : ""]
        .filter(Boolean)
        .join(" · "),
      `zoom ${state.zoom.toFixed(2)}×`,
    ]);
    chrome.setCorner("bottomLeft", [at, shown === undefined ? "" : `${mm[shown].toFixed(2)} mm`]);
    chrome.letters.forEach((node, i) => (node.textContent = layout.letters[i]));
    chrome.setScale(this.view().scale, this.size.width);
    chrome.planes.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.plane === state.plane)));
    chrome.invert.setAttribute("aria-pressed", String(state.invert));
    chrome.preset.value = chosen >= 0 ? String(chosen) : "own";
    chrome.slider.max = String(mm.length - 1);
    chrome.slider.value = String(this.index);
    chrome.slider.disabled = mm.length < 2;
    chrome.slider.setAttribute("aria-label", name);
    chrome.slider.setAttribute("aria-valuetext", `${name} ${this.index + 1} of ${mm.length}, ${mm[this.index].toFixed(2)} mm`);
    chrome.canvas.setAttribute("aria-label", `${state.plane} picture, ${at}, window ${short(width)} level ${short(center)}`);
    chrome.root.dataset.drawn = shown === undefined ? "" : String(shown);
    chrome.root.dataset.complete = String(this.drawn !== null && shown === this.index && !this.drawn.picture.missing);
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
    const lps = space.lps(voxel).map((mm) => (Math.abs(mm) < 0.005 ? 0 : mm).toFixed(2));
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
    clearInterval(this.clock);
    cancelAnimationFrame(this.frame);
    this.drawn = null;
    this.image = undefined;
    this.native.width = this.native.height = 0;
    this.chrome.root.remove();
  }
}

/** @param {number} x */
const isWhole = (x) => x > 0.5 && Math.abs(x - Math.round(x)) < 1e-3;

/** @param {Float64Array} edges */
function evenly(edges) {
  const step = (edges[edges.length - 1] - edges[0]) / (edges.length - 1);
  return edges.every((at, i) => Math.abs(at - (edges[0] + i * step)) <= 0.01 * step);
}

/**
 * The picture with every voxel as wide (or high) as it is in millimetres; nothing is blended.
 * @param {HTMLCanvasElement} image
 * @param {Float64Array} edges
 * @param {number} density pixels a mm
 * @param {boolean} across
 */
function stretched(image, edges, density, across) {
  const count = edges.length - 1;
  const length = edges[count] - edges[0];
  const size = Math.min(Math.max(Math.ceil(length * density), count), MOST_PIXELS);
  const out = document.createElement("canvas");
  out.width = across ? size : image.width;
  out.height = across ? image.height : size;
  const context = /** @type {CanvasRenderingContext2D} */ (out.getContext("2d"));
  context.imageSmoothingEnabled = false;
  for (let i = 0; i < count; i++) {
    const from = Math.round(((edges[i] - edges[0]) / length) * size);
    const to = Math.round(((edges[i + 1] - edges[0]) / length) * size);
    if (across) context.drawImage(image, i, 0, 1, image.height, from, 0, to - from, image.height);
    else context.drawImage(image, 0, i, image.width, 1, 0, from, image.width, to - from);
  }
  return out;
}
