// The slice under a window, each pixel painted by the viewer's own table; two of them compared; the pixel that is read.

import { make } from "../../../view/js/elements.js";
import { ordered, paint, paletteFrom, SHADES } from "../../../view/js/shade.js";

/** @typedef {import("../../../view/js/types.js").Window} Window */
/** @typedef {{rows: number, columns: number, aspect: number, letters: string[]}} Frame */

const GREY = paletteFrom("");
export const BELOW = 0xfffa8c3c; // a blue, as ABGR
export const ABOVE = 0xff4646f0; // a red

/** The 256 greys, the darkest and the brightest in colour when they are to be seen. @param {boolean} invert @param {boolean} marked */
export function colours(invert, marked) {
  const all = Uint32Array.from(ordered(GREY, invert));
  if (marked) [all[0], all[255]] = [BELOW, ABOVE];
  return all;
}

/**
 * How far two windows' greys of the same pixels are apart.
 * @param {Float32Array} values @param {Window} one @param {Window} other
 */
export function apart(values, one, other) {
  const first = new Uint32Array(values.length);
  const second = new Uint32Array(values.length);
  paint(values, one, SHADES, first);
  paint(values, other, SHADES, second);
  const steps = new Int16Array(values.length);
  let [most, differing, sum] = [0, 0, 0];
  for (let i = 0; i < steps.length; i++) {
    steps[i] = first[i] - second[i];
    const size = Math.abs(steps[i]);
    if (size) differing++;
    sum += size;
    if (size > most) most = size;
  }
  return { steps, most, differing: steps.length ? differing / steps.length : 0, mean: steps.length ? sum / steps.length : 0 };
}

export class Picture {
  /**
   * @param {Frame} frame
   * @param {{read: (pixel: [number, number]) => void, drag: (right: number, down: number) => void}} hands
   */
  constructor(frame, hands) {
    this.frame = frame;
    this.canvas = make("canvas", "", { "aria-hidden": "true" });
    this.canvas.width = frame.columns;
    this.canvas.height = frame.rows;
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.image = this.context.createImageData(frame.columns, frame.rows);
    this.words = new Uint32Array(this.image.data.buffer);
    this.cross = make("div", "dl-cross", { hidden: "" });
    this.caption = make("div", "dl-caption");
    const letters = frame.letters.map((letter, n) => make("span", `dl-side dl-side-${"lrtb"[n]}`, {}, [letter]));
    this.stage = make(
      "div",
      "dl-picture",
      { tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true", "aria-label": "The slice. Arrow keys move the pixel that is read; with Ctrl they change the window", title: "Drag: left and right the width, up and down the centre" },
      [this.canvas, this.cross, ...letters],
    );
    this.stage.style.aspectRatio = String(frame.columns / (frame.rows * frame.aspect));
    this.element = make("figure", "dl-figure", {}, [this.caption, this.stage]);
    this.listen(hands);
    /** @private @type {[number, number] | null} */ this.pixel = null;
  }

  /** @private @param {{read: (pixel: [number, number]) => void, drag: (right: number, down: number) => void}} hands */
  listen({ read, drag }) {
    /** @type {[number, number] | null} */
    let from = null;
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = [event.clientX, event.clientY];
      try {
        this.stage.setPointerCapture(event.pointerId);
      } catch {
        // A pointer made by a script cannot be captured.
      }
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (from) {
        drag(event.clientX - from[0], event.clientY - from[1]);
        from = [event.clientX, event.clientY];
        return;
      }
      const box = this.stage.getBoundingClientRect();
      const { rows, columns } = this.frame;
      const pixel = /** @type {[number, number]} */ ([Math.floor(((event.clientY - box.top) / box.height) * rows), Math.floor(((event.clientX - box.left) / box.width) * columns)]);
      if (pixel[0] >= 0 && pixel[1] >= 0 && pixel[0] < rows && pixel[1] < columns) read(pixel);
    });
    const letGo = () => (from = null);
    this.stage.addEventListener("pointerup", letGo);
    this.stage.addEventListener("lostpointercapture", letGo);
    this.stage.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      const far = event.shiftKey ? 10 : 1;
      if (event.ctrlKey || event.metaKey) return drag(way[1] * 4 * far, way[0] * 4 * far);
      const { rows, columns } = this.frame;
      const [row, column] = this.pixel ?? [rows >> 1, columns >> 1];
      read([Math.min(Math.max(row + way[0] * far, 0), rows - 1), Math.min(Math.max(column + way[1] * far, 0), columns - 1)]);
    });
  }

  /** @param {Float32Array} values @param {Window} window @param {Uint32Array} palette @param {string} caption */
  show(values, window, palette, caption) {
    paint(values, window, palette, this.words);
    this.context.putImageData(this.image, 0, 0);
    this.say(caption);
  }

  /** The difference of greys: brighter is orange, darker blue. @param {Int16Array} steps @param {number} most @param {string} caption */
  showDifference(steps, most, caption) {
    for (let i = 0; i < steps.length; i++) {
      const share = most ? Math.abs(steps[i]) / most : 0;
      const [r, g, b] = steps[i] > 0 ? [255, 150, 40] : [60, 150, 255];
      this.words[i] = (0xff000000 | (Math.round(24 + share * (b - 24)) << 16) | (Math.round(24 + share * (g - 24)) << 8) | Math.round(24 + share * (r - 24))) >>> 0;
    }
    this.context.putImageData(this.image, 0, 0);
    this.say(caption);
  }

  /** @private @param {string} caption */
  say(caption) {
    if (this.caption.textContent !== caption) this.caption.textContent = caption;
  }

  /** @param {[number, number] | null} pixel */
  point(pixel) {
    this.pixel = pixel;
    this.cross.hidden = !pixel;
    if (!pixel) return;
    this.cross.style.left = `${(100 * (pixel[1] + 0.5)) / this.frame.columns}%`;
    this.cross.style.top = `${(100 * (pixel[0] + 0.5)) / this.frame.rows}%`;
  }
}
