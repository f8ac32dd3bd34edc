// The slices in the order that is chosen, and what a stack of them looks like beside the truth.

import { make } from "../../../view/js/elements.js";
import { greyAt } from "./figure.js";
import { sum } from "./planes.js";
import { hue } from "./scene.js";

/** @typedef {import("./planes.js").Plane} Plane */
/** @typedef {import("./planes.js").Grid} Grid */
/** @typedef {import("./planes.js").Setting} Setting */

const WIDE = 120;
const HIGH = 210;
const EDGE = 34;

/** One line of pixels through the middle of a slice, along its columns; -1 is outside. @param {Plane} plane @param {Grid} grid @param {Setting} setting @param {import("./figure.js").Part[]} parts */
export function lineOf(plane, { r, c }, { spacing, rows, columns }, parts) {
  const start = sum(plane.position, [((rows - 1) / 2) * spacing[0], c]);
  const length = (columns - 1) * spacing[1];
  return Array.from({ length: WIDE }, (_, n) => greyAt(parts, sum(start, [(length * n) / (WIDE - 1), r])));
}

/** Colours of planes by their place in an order. @param {Plane[]} stack @returns {Map<number, string>} */
export function coloursOf(stack) {
  return new Map(stack.map((plane, n) => [plane.index, hue(stack.length > 1 ? n / (stack.length - 1) : 0)]));
}

/**
 * A stack as strips, the first at the bottom.
 * @param {HTMLCanvasElement} canvas @param {{plane: Plane, from: number, to: number}[]} strips 0 at the bottom, 1 at the top
 * @param {Map<number, string>} colours @param {Map<number, number[]>} lines @param {CSSStyleDeclaration} style
 */
export function drawStrips(canvas, strips, colours, lines, style) {
  const ratio = canvas.ownerDocument.defaultView?.devicePixelRatio ?? 1;
  const wide = WIDE + 2 * EDGE;
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(HIGH * ratio);
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${HIGH}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, wide, HIGH);
  context.font = "11px ui-monospace, Menlo, monospace";
  context.textBaseline = "middle";
  const every = Math.max(1, Math.ceil((13 * strips.length) / HIGH));
  const tiny = canvas.ownerDocument.createElement("canvas");
  tiny.width = WIDE;
  tiny.height = 1;
  const small = /** @type {CanvasRenderingContext2D} */ (tiny.getContext("2d"));
  strips.forEach(({ plane, from, to }, n) => {
    const [top, bottom] = [HIGH * (1 - to), HIGH * (1 - from)];
    const line = lines.get(plane.index);
    if (line) {
      const image = small.createImageData(WIDE, 1);
      const words = new Uint32Array(image.data.buffer);
      line.forEach((grey, x) => (words[x] = grey < 0 ? 0xff000000 : (0xff000000 | (grey * 0x010101)) >>> 0));
      small.putImageData(image, 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(tiny, 0, 0, WIDE, 1, EDGE, top, WIDE, Math.max(bottom - top, 0.5));
    }
    context.fillStyle = colours.get(plane.index) ?? "#888";
    context.fillRect(EDGE - 7, top, 5, Math.max(bottom - top - (bottom - top > 4 ? 1 : 0), 0.5));
    context.fillRect(EDGE + WIDE + 2, top, 5, Math.max(bottom - top - (bottom - top > 4 ? 1 : 0), 0.5));
    if (n % every) return;
    context.fillStyle = style.getPropertyValue("--dl-faint").trim() || "#888";
    context.textAlign = "right";
    context.fillText(plane.instance === null ? "?" : String(plane.instance), EDGE - 10, (top + bottom) / 2);
  });
}

/** Strips of equal height. @param {Plane[]} stack */
export const even = (stack) => stack.map((plane, n) => ({ plane, from: n / stack.length, to: (n + 1) / stack.length }));

/** Strips where slices lie: each is as high as the usual gap. @param {Plane[]} planes in the order of position @param {Grid} grid @param {Plane[]} all of the grid */
export function placed(planes, { heights, gaps }, all) {
  const usual = gaps.length ? [...gaps].sort((a, b) => a - b)[gaps.length >> 1] * Math.max(1, Math.round(all.length / planes.length)) : 1;
  const height = new Map(all.map((plane, k) => [plane.index, heights[k]]));
  const at = planes.map((plane) => height.get(plane.index) ?? 0);
  const low = Math.min(...at) - usual / 2;
  const span = Math.max(...at) + usual / 2 - low;
  return planes.map((plane, n) => {
    const end = at[n] + usual / 2;
    const next = (at[n + 1] ?? Infinity) - usual / 2;
    // Steps that differ by less than a tenth leave no gap to be seen.
    return { plane, from: (at[n] - usual / 2 - low) / span, to: ((next > end && next - end < usual / 10 ? next : end) - low) / span };
  });
}

export class Order {
  constructor() {
    const canvas = (/** @type {string} */ label) => make("canvas", "dl-strips", { role: "img", "aria-label": label });
    this.stacked = canvas("The stack as it would be sorted");
    this.true = canvas("The stack in the order of position, at true distances");
    this.title = make("figcaption", "dl-soft");
    this.said = make("p", "dl-told", { "data-told": "order" });
    this.element = make("div", "", {}, [
      make("div", "dl-stacks", {}, [make("figure", "", {}, [this.title, this.stacked]), make("figure", "", {}, [make("figcaption", "dl-soft", {}, ["true positions"]), this.true])]),
      this.said,
    ]);
  }

  /**
   * @param {{stack: Plane[], planes: Plane[], all: Plane[], grid: Grid, lines: Map<number, number[]>, by: string, off: number, wrong: number}} shown
   * @param {CSSStyleDeclaration} style
   */
  show({ stack, planes, all, grid, lines, by, off, wrong }, style) {
    const colours = coloursOf(planes);
    drawStrips(this.stacked, even(stack), colours, lines, style);
    drawStrips(this.true, placed(planes, grid, all), colours, lines, style);
    const name = { position: "n · Image Position", instance: "Instance Number", location: "Slice Location" }[by];
    this.title.textContent = `as array, by ${name}`;
    this.said.textContent = wrong
      ? `${wrong} of ${all.length} slices are at another place in this order. Taken for the true order, voxels would be up to ${off.toFixed(1)} mm off.`
      : off > 0.01
        ? `The order is right, but even steps would put slices up to ${off.toFixed(1)} mm off.`
        : "Each slice is where its index and the affine say.";
    this.said.classList.toggle("dl-warning", wrong > 0 || off > 0.01);
  }
}
