// How often each value occurs, the window over it, and the colours that it makes of them. Its edges can be dragged.

import { make } from "./elements.js";
import { between, edgesOf } from "./layers.js";
import { shader } from "./lut.js";
import { shape } from "./svg.js";
import { short } from "./text.js";

/** @typedef {import("./types.js").Window} Window */
/** @typedef {import("./types.js").Histogram} Numbers */

const WIDE = 220;
const HIGH = 64;
const FINE = 0.01; // of the width, that an arrow key moves an edge

export class HistogramView {
  /** @param {(center: number, width: number) => void} onWindow */
  constructor(onWindow) {
    this.onWindow = onWindow;
    /** @private @type {Numbers | null} */ this.numbers = null;
    /** @private @type {Window | null} */ this.window = null;
    /** @private @type {[number, number]} */ this.range = [0, 1];
    /** @private */ this.integer = false;
    this.svg = /** @type {SVGSVGElement} */ (shape("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "dl-histogram", preserveAspectRatio: "none" }));
    this.bars = shape("path", { class: "dl-histogram-bars" });
    this.band = shape("rect", { y: 0, height: HIGH, class: "dl-histogram-band" });
    this.svg.append(this.bars, this.band);
    this.edges = ["Lower edge of the window", "Upper edge of the window"].map((label) =>
      make("div", "dl-edge", { role: "slider", tabindex: "0", "aria-label": label, title: `${label}: drag, or arrow keys` }),
    );
    this.strip = make("canvas", "dl-strip", { "aria-hidden": "true" });
    this.strip.width = WIDE;
    this.strip.height = 1;
    this.axis = make("div", "dl-axis", {}, [make("span", ""), make("span", ""), make("span", "")]);
    this.box = make("div", "dl-histogram-box", { title: "Drag between the edges to move the window" }, [this.svg, ...this.edges]);
    this.root = make("div", "", { role: "group", "aria-label": "Histogram and window" }, [this.box, this.strip, this.axis]);
    this.listen();
  }

  /** @private */
  listen() {
    /** @type {{which: number, x: number, edges: [number, number]} | null} */
    let held = null;
    this.box.addEventListener("pointerdown", (event) => {
      if (!this.window || event.button !== 0) return;
      const edges = edgesOf(this.window);
      const at = this.edges.map((edge) => edge.getBoundingClientRect()).map(({ left, width }) => Math.abs(event.clientX - left - width / 2));
      const near = at[0] < at[1] ? 0 : 1;
      held = { which: at[near] < 9 ? near : 2, x: event.clientX, edges };
      if (held.which < 2) this.edges[held.which].focus();
      try {
        this.box.setPointerCapture(event.pointerId);
      } catch {
        // A pointer made by a script cannot be captured.
      }
      event.preventDefault();
    });
    this.box.addEventListener("pointermove", (event) => {
      if (!held) return;
      const [low, high] = this.range;
      const by = ((event.clientX - held.x) / this.box.clientWidth) * (high - low);
      const [from, to] = held.edges;
      this.put(from + (held.which === 1 ? 0 : by), to + (held.which === 0 ? 0 : by), held.which);
    });
    const letGo = () => (held = null);
    this.box.addEventListener("pointerup", letGo);
    this.box.addEventListener("lostpointercapture", letGo);
    this.edges.forEach((edge, which) =>
      edge.addEventListener("keydown", (event) => {
        const sign = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
        if (!sign || !this.window) return;
        event.preventDefault();
        event.stopPropagation();
        const [low, high] = edgesOf(this.window);
        // At least one, where values are whole: a smaller step would be rounded away.
        const unit = this.integer ? 1 : 0;
        const by = sign * Math.max(unit, (high - low) * FINE * (event.shiftKey ? 10 : 1));
        this.put(low + (which === 0 ? by : 0), high + (which === 1 ? by : 0), which);
      }),
    );
  }

  /** A window between two values; the edge that is not held stays. @private @param {number} low @param {number} high @param {number} which */
  put(low, high, which) {
    if (!this.window) return;
    if (high <= low) [low, high] = which === 0 ? [high, high] : [low, low];
    const { center, width } = between(low, high, this.window.function);
    this.onWindow(center, width);
  }

  /**
   * @param {Numbers | null} numbers @param {Window} window @param {boolean} invert @param {Uint32Array} palette
   * @param {{units: string, integer: boolean}} subject
   */
  show(numbers, window, invert, palette, { units, integer }) {
    this.root.hidden = !numbers;
    if (!numbers) return;
    this.window = window;
    this.integer = integer;
    if (numbers !== this.numbers) {
      this.numbers = numbers;
      this.range = [numbers.low, numbers.high];
      const most = Math.log1p(Math.max(...numbers.counts));
      const step = WIDE / numbers.counts.length;
      const tops = numbers.counts.map((count, k) => `L${k * step} ${HIGH - (HIGH - 3) * (Math.log1p(count) / most)}h${step}`);
      this.bars.setAttribute("d", `M0 ${HIGH}${tops.join("")}V${HIGH}Z`);
    }
    const [low, high] = this.range;
    const [from, to] = edgesOf(window);
    const share = (/** @type {number} */ value) => Math.min(Math.max((value - low) / (high - low), 0), 1);
    const [left, right] = [share(from), share(to)];
    this.band.setAttribute("x", String(left * WIDE));
    this.band.setAttribute("width", String(Math.max((right - left) * WIDE, 1)));
    [left, right].forEach((at, n) => {
      const value = n ? to : from;
      const edge = this.edges[n];
      edge.style.left = `${100 * at}%`;
      for (const [name, text] of Object.entries({ now: value, min: low, max: high })) edge.setAttribute(`aria-value${name}`, String(text));
      edge.setAttribute("aria-valuetext", `${short(value)}${units ? ` ${units}` : ""}`);
    });
    const [first, last] = this.range.map((value) => short(integer ? Math.round(value) : value));
    [first, units, last].forEach((text, n) => {
      if (this.axis.children[n].textContent !== text) this.axis.children[n].textContent = text;
    });
    this.paint(window, invert, palette);
  }

  /** The colour of each value. @private @param {Window} window @param {boolean} invert @param {Uint32Array} palette */
  paint(window, invert, palette) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.strip.getContext("2d"));
    const image = context.createImageData(WIDE, 1);
    const words = new Uint32Array(image.data.buffer);
    const shade = shader(window, invert);
    const [low, high] = this.range;
    for (let x = 0; x < WIDE; x++) words[x] = palette[shade(low + ((x + 0.5) / WIDE) * (high - low))];
    context.putImageData(image, 0, 0);
  }
}
