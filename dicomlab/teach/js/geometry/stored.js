// The slice that is read as its file stores it: rows downwards, columns to the right, with the sides of the patient.

import { make } from "../../../view/js/elements.js";
import { letters } from "../../../view/js/text.js";
import { ROLES } from "./scene.js";

const WIDE = 150; // px, at most
const HIGH = 126;
const FRAME = [200, 170];

export class Stored {
  constructor() {
    this.canvas = make("canvas", "", { role: "img" });
    this.sides = [0, 1, 2, 3].map(() => make("span", ""));
    this.element = make("figure", "dl-stored", {}, [make("figcaption", "", {}, ["The slice as stored"]), make("div", "dl-stored-frame", {}, [this.canvas, ...this.sides])]);
  }

  /**
   * @param {HTMLCanvasElement | undefined} picture @param {import("./planes.js").Grid} grid @param {import("./planes.js").Setting} setting @param {number[]} voxel
   */
  show(picture, { r, c }, { spacing, rows, columns }, voxel) {
    const ratio = this.canvas.ownerDocument.defaultView?.devicePixelRatio ?? 1;
    const scale = Math.min(WIDE / (columns * spacing[1]), HIGH / (rows * spacing[0]));
    const [wide, high] = [Math.max(columns * spacing[1] * scale, 2), Math.max(rows * spacing[0] * scale, 2)];
    this.canvas.width = Math.round(wide * ratio);
    this.canvas.height = Math.round(high * ratio);
    Object.assign(this.canvas.style, { width: `${wide}px`, height: `${high}px` });
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, wide, high);
    if (picture) context.drawImage(picture, 0, 0, wide, high);
    const [x, y] = [((voxel[2] + 0.5) / columns) * wide, ((voxel[1] + 0.5) / rows) * high];
    context.beginPath();
    context.arc(x, y, 4, 0, 7);
    context.strokeStyle = "#ffd33d";
    context.lineWidth = 1.8;
    context.stroke();
    context.fillStyle = ROLES.origin;
    context.fillRect(0, 0, 4, 4);
    const negative = (/** @type {number[]} */ way) => way.map((one) => -one);
    const texts = [letters(negative(r)), letters(r), letters(negative(c)), letters(c)];
    const [left, top] = [(FRAME[0] - wide) / 2, (FRAME[1] - high) / 2];
    const places = [
      { right: `${FRAME[0] - left + 4}px`, top: `${FRAME[1] / 2 - 8}px` },
      { left: `${left + wide + 4}px`, top: `${FRAME[1] / 2 - 8}px` },
      { left: "50%", top: `${top - 18}px`, transform: "translateX(-50%)" },
      { left: "50%", top: `${top + high + 2}px`, transform: "translateX(-50%)" },
    ];
    this.sides.forEach((side, n) => {
      side.textContent = texts[n];
      Object.assign(side.style, places[n]);
    });
    this.canvas.setAttribute("aria-label", `Slice ${voxel[0]}: ${texts[0]} on the left, ${texts[1]} on the right, ${texts[2]} above, ${texts[3]} below${picture ? "" : "; no picture of it is here"}`);
  }
}
