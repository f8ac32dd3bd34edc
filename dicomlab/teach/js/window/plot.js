// How often each value occurs, and over it the curve that makes grey of it. The window is held at three points of the curve.

import { make } from "../../../view/js/elements.js";
import { between, edgesOf } from "../../../view/js/layers.js";
import { brightness, shader } from "../../../view/js/lut.js";
import { shape } from "../../../view/js/svg.js";
import { short } from "../../../view/js/text.js";
import { SHADES } from "../../../view/js/shade.js";
import { allowed, signed } from "./formulas.js";
import { binned } from "./loss.js";

/** @typedef {import("../../../view/js/types.js").Window} Window */
/** @typedef {import("./loss.js").Population} Population */

const PAD = { left: 34, right: 12, top: 14, bottom: 38 };
const TALL = 250;
const NEAR = 16; // px from a handle that still take it
export const FUNCTIONS = /** @type {const} */ (["LINEAR", "LINEAR_EXACT", "SIGMOID"]);
const HANDLES = ["Where black begins", "Centre of the window", "Where white begins"];

/** Round numbers between two values. @param {number} low @param {number} high @param {number} about how many */
export function ticks(low, high, about) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((one) => one >= rough) ?? rough;
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high; n++) found.push(n * step + 0);
  return found;
}

/** Where the values of interest lie: all but the outermost of ten thousand. @param {Population} population @returns {[number, number]} */
export function spread({ values, counts, total, low, high }) {
  let [from, to] = [low, high];
  const least = total / 10000;
  for (let i = 0, seen = 0; i < values.length; i++) {
    seen += counts[i];
    if (seen > least) {
      from = values[i];
      break;
    }
  }
  for (let i = values.length - 1, seen = 0; i >= 0; i--) {
    seen += counts[i];
    if (seen > least) {
      to = values[i];
      break;
    }
  }
  if (!Number.isFinite(from)) from = low;
  if (!Number.isFinite(to)) to = high;
  return to > from ? [from, to] : [from - 1, to + 1];
}

export class Plot {
  /** @param {{units: string, integer: boolean}} subject @param {(window: {center: number, width: number}) => void} onWindow */
  constructor({ units, integer }, onWindow) {
    this.units = units;
    this.integer = integer;
    this.onWindow = onWindow;
    /** @private @type {Window} */ this.window = { center: 0, width: 1, function: "LINEAR" };
    /** @private @type {[number, number]} */ this.range = [0, 1];
    /** @private */ this.held = false;
    /** @private */ this.wide = 0;
    this.svg = shape("svg", { class: "dl-plot", role: "img", "aria-label": "Histogram with the transfer curve" });
    this.handles = HANDLES.map((label) => make("div", "dl-handle", { role: "slider", tabindex: "0", "aria-label": label, title: `${label}: drag, or arrow keys`, "data-lm-suppress-shortcuts": "true" }));
    this.strip = make("canvas", "dl-grey", { "aria-hidden": "true" });
    this.strip.height = 1;
    this.box = make("div", "dl-plot-box", { title: "Drag a handle, or anywhere else to move the window" }, [this.svg, this.strip, ...this.handles]);
    this.listen();
    this.observer = new ResizeObserver(() => {
      if (this.box.clientWidth !== this.wide) this.again?.();
    });
    this.observer.observe(this.box);
    /** @private @type {(() => void) | undefined} */ this.again = undefined;
  }

  /** @private @param {number} value */
  x(value) {
    const [low, high] = this.range;
    return PAD.left + ((value - low) / (high - low)) * (this.wide - PAD.left - PAD.right);
  }

  /** @private @param {number} px */
  valueAt(px) {
    const [low, high] = this.range;
    return low + ((px - PAD.left) / (this.wide - PAD.left - PAD.right)) * (high - low);
  }

  /** @private @param {number} level 0 to 1 */
  y(level) {
    return PAD.top + (1 - level) * (TALL - PAD.top - PAD.bottom);
  }

  /** @private */
  listen() {
    /** @type {{which: number, from: number, edges: [number, number]} | null} */
    let held = null;
    this.box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const box = this.box.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const apart = this.handles.map((handle) => Math.hypot(handle.offsetLeft - x, handle.offsetTop - y));
      const near = apart.indexOf(Math.min(...apart));
      const which = apart[near] < NEAR ? near : 1;
      held = { which, from: this.valueAt(x), edges: edgesOf(this.window) };
      this.held = true;
      this.handles[which].focus({ preventScroll: true });
      try {
        this.box.setPointerCapture(event.pointerId);
      } catch {
        // A pointer made by a script cannot be captured.
      }
      event.preventDefault();
    });
    this.box.addEventListener("pointermove", (event) => {
      if (!held) return;
      const by = this.valueAt(event.clientX - this.box.getBoundingClientRect().left) - held.from;
      const [low, high] = held.edges;
      this.put(low + (held.which < 2 ? by : 0), high + (held.which > 0 ? by : 0), held.which);
    });
    const letGo = () => {
      if (!held) return;
      held = null;
      this.held = false;
      this.again?.();
    };
    this.box.addEventListener("pointerup", letGo);
    this.box.addEventListener("lostpointercapture", letGo);
    this.handles.forEach((handle, which) =>
      handle.addEventListener("keydown", (event) => {
        const sign = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
        if (!sign) return;
        event.preventDefault();
        event.stopPropagation();
        const [low, high] = edgesOf(this.window);
        const step = this.integer ? Math.max(1, Math.round((high - low) / 100)) : (high - low) / 100;
        const by = sign * step * (event.shiftKey ? 10 : 1);
        this.put(low + (which < 2 ? by : 0), high + (which > 0 ? by : 0), which);
      }),
    );
  }

  /** @private @param {number} low @param {number} high @param {number} which */
  put(low, high, which) {
    if (high < low) [low, high] = which === 0 ? [high, high] : [low, low];
    const { center, width } = between(low, high, this.window.function);
    const round = (/** @type {number} */ x) => (this.integer && Math.abs(x) > 4 ? Math.round(x * 2) / 2 : Number(x.toPrecision(7)));
    const kept = allowed({ center, width, function: this.window.function });
    // Moved as a whole, the width stays to the last digit.
    this.onWindow({ center: round(kept.center), width: which === 1 ? this.window.width : Math.max(round(kept.width), this.window.function === "LINEAR" ? 1 : 1e-6) });
  }

  /**
   * @param {Population} population @param {Window} window @param {boolean} invert @param {boolean} near whether the axis shows the window alone
   * @param {number} reading the value of the pixel that is read; NaN for none
   */
  show(population, window, invert, near, reading) {
    this.again = () => this.show(population, window, invert, near, reading);
    this.wide = this.box.clientWidth;
    if (!this.wide) return;
    this.window = { center: window.center, width: window.width, function: window.function };
    const [black, white] = edgesOf(this.window);
    if (!this.held) {
      const ends = near ? [window.center - 1.25 * window.width, window.center + 1.25 * window.width] : spread(population);
      const edge = near ? 0 : 0.03 * (ends[1] - ends[0]);
      this.range = [Math.min(ends[0] - edge, black), Math.max(ends[1] + edge, white)];
      if (!(this.range[1] > this.range[0])) this.range = [this.range[0] - 1, this.range[0] + 1];
    }
    const [low, high] = this.range;
    const inner = this.wide - PAD.left - PAD.right;
    const shown = (/** @type {number} */ level) => this.y(invert ? 1 - level : level);
    // Whole values and bars of equal width must not beat against one another.
    const whole = this.integer ? Math.max(1, Math.ceil(((high - low) * 3) / inner)) : 0;
    const bins = Math.max(1, whole ? Math.ceil((high - low) / whole) : Math.floor(inner / 3));
    const from = whole ? Math.floor(low) - 0.5 : low;
    const to = whole ? from + bins * whole : high;
    const counts = binned(population, from, to, bins);
    const most = Math.log1p(Math.max(1, ...counts));
    let bars = `M${PAD.left} ${this.y(0)}`;
    counts.forEach((count, n) => {
      const [left, right] = [from + (n * (to - from)) / bins, from + ((n + 1) * (to - from)) / bins].map((v) => Math.min(Math.max(this.x(v), PAD.left), this.wide - PAD.right));
      bars += `L${left.toFixed(1)} ${this.y((0.96 * Math.log1p(count)) / most).toFixed(1)}H${right.toFixed(1)}`;
    });
    bars += `V${this.y(0)}Z`;
    const curve = (/** @type {Window} */ one) => {
      let d = "";
      const shade = one.lut ? shader(one, false) : null;
      for (let px = 0; px <= inner; px += 1) {
        const value = this.valueAt(PAD.left + px);
        const level = shade ? shade(value) / 255 : brightness(value, one);
        d += `${px ? "L" : "M"}${PAD.left + px} ${shown(level).toFixed(2)}`;
      }
      return d;
    };
    const nodes = [shape("path", { d: bars, class: "dl-bars" })];
    for (const level of [0, 128, 255]) {
      const at = this.y(level / 255);
      nodes.push(shape("path", { d: `M${PAD.left} ${at}H${this.wide - PAD.right}`, class: "dl-rule" }));
      nodes.push(shape("text", { x: PAD.left - 6, y: at + 4, "text-anchor": "end" }, String(level)));
    }
    for (const value of ticks(low, high, Math.max(3, inner / 90))) {
      nodes.push(shape("text", { x: this.x(value), y: TALL - 4, "text-anchor": "middle" }, signed(Number(value.toPrecision(6)))));
      nodes.push(shape("path", { d: `M${this.x(value)} ${TALL - 20}v4`, class: "dl-tick" }));
    }
    for (const fn of FUNCTIONS) if (window.lut || fn !== window.function) nodes.push(shape("path", { d: curve(allowed({ ...this.window, function: fn })), class: "dl-curve-other", "data-function": fn }));
    nodes.push(shape("path", { d: curve(window), class: "dl-curve-chosen" }));
    if (Number.isFinite(reading) && reading >= low && reading <= high) {
      const level = window.lut ? shader(window, false)(reading) / 255 : brightness(reading, window);
      nodes.push(shape("path", { d: `M${this.x(reading)} ${PAD.top}V${TALL - 20}`, class: "dl-reading" }));
      nodes.push(shape("circle", { cx: this.x(reading), cy: shown(level), r: 3.5, class: "dl-reading-dot" }));
    }
    this.svg.setAttribute("viewBox", `0 0 ${this.wide} ${TALL}`);
    this.svg.setAttribute("height", String(TALL));
    this.svg.setAttribute("aria-label", `Histogram from ${short(low)} to ${short(high)} ${this.units}; the curve rises from ${short(black)} to ${short(white)}`);
    this.svg.replaceChildren(...nodes);
    [black, window.center - (this.window.function === "LINEAR" ? 0.5 : 0), white].forEach((value, n) => {
      const handle = this.handles[n];
      const level = window.lut ? n / 2 : brightness(value, this.window);
      handle.style.left = `${Math.min(Math.max(this.x(value), PAD.left - 4), this.wide - PAD.right + 4)}px`;
      handle.style.top = `${shown(this.window.width > 1 || this.window.function !== "LINEAR" ? level : n / 2)}px`;
      const told = n === 1 ? window.center : value;
      for (const [name, text] of Object.entries({ now: told, min: low, max: high })) handle.setAttribute(`aria-value${name}`, String(text));
      handle.setAttribute("aria-valuetext", `${short(told)} ${this.units}`.trim());
    });
    this.paintStrip(window, invert, inner);
  }

  /** The grey of each value, under the axis. @private @param {Window} window @param {boolean} invert @param {number} inner */
  paintStrip(window, invert, inner) {
    const width = Math.max(1, Math.round(inner));
    this.strip.width = width;
    Object.assign(this.strip.style, { left: `${PAD.left}px`, top: `${TALL - PAD.bottom + 3}px`, width: `${inner}px` });
    const context = /** @type {CanvasRenderingContext2D} */ (this.strip.getContext("2d"));
    const image = context.createImageData(width, 1);
    const words = new Uint32Array(image.data.buffer);
    const shade = shader(window, invert);
    for (let px = 0; px < width; px++) words[px] = (0xff000000 | (SHADES[shade(this.valueAt(PAD.left + px + 0.5))] * 0x010101)) >>> 0;
    context.putImageData(image, 0, 0);
  }

  destroy() {
    this.observer.disconnect();
  }
}
