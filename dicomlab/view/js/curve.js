// The values along a profile, drawn live over the picture. The samples are those of `volume.dicom.profile`.

import { make } from "./elements.js";
import { frameOf, lengthOf } from "./measured.js";
import { shape } from "./svg.js";
import { cross, minus, moved } from "./plane.js";
import { reach, sample } from "./sample.js";
import { short, worked } from "./text.js";

/** @typedef {import("./types.js").Roi} Roi */
/** @typedef {import("./types.js").Vector3} Vector3 */

const WIDE = 360;
const HIGH = 120;
const PAD = { left: 8, right: 8, top: 24, bottom: 18 };

/**
 * Values along a line, from its first point to its last, no further apart than the finest spacing.
 * @param {import("./sample.js").Source} source @param {Vector3[]} points @param {boolean} smooth
 */
export function profileOf(source, [first, last], smooth) {
  const length = lengthOf([first, last]);
  const count = Math.max(Math.ceil(length / source.finest - 1e-9), 1);
  const right = /** @type {Vector3} */ (minus(last, first).map((x) => x / length));
  const plane = { origin: first, right, down: cross(right, frameOf(right)[0]), pixel: length / count, width: count + 1, height: 1 };
  return { step: length / count, right, plane, values: sample(source, plane, smooth ? "linear" : "nearest") };
}

/** How well the values of slices of the first volume are known. @param {import("./viewer.js").Viewer} viewer @param {[number, number] | null} range */
function keptOf(viewer, range) {
  const kept = { exact: true, step: 0 };
  for (let slice = range ? range[0] : 0; range && slice <= range[1]; slice++) {
    const entry = viewer.transport.cache.peek(viewer.meta.sources[0].key, viewer.stepOf(0), slice);
    if (entry && !entry.exact) Object.assign(kept, { exact: false, step: Math.max(kept.step, Math.abs(entry.step)) });
  }
  return kept;
}

export class CurvePanel {
  /** @param {HTMLElement} parent @param {{close: () => void, read: (lps: Vector3 | null) => void}} actions */
  constructor(parent, { close, read }) {
    this.svg = shape("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" });
    const button = make("button", "dl-close", { type: "button", title: "Close the curve (Esc)", "aria-label": "Close the curve" }, ["×"]);
    button.addEventListener("click", close);
    this.root = make("div", "dl-curve", { hidden: "", role: "region", "aria-label": "Values along the profile" }, [this.svg, button]);
    for (const type of ["pointerdown", "mousedown", "dblclick", "contextmenu"]) this.root.addEventListener(type, (event) => event.stopPropagation());
    this.root.addEventListener("pointermove", (event) => {
      event.stopPropagation();
      const box = this.svg.getBoundingClientRect();
      this.at = (((event.clientX - box.left) / box.width) * WIDE - PAD.left) / (WIDE - PAD.left - PAD.right);
      read(this.at >= 0 && this.at <= 1 ? this.placeAt() : null);
    });
    this.root.addEventListener("pointerleave", () => {
      this.at = NaN;
      read(null);
    });
    /** Which part of the line is read, 0 to 1. @private */ this.at = NaN;
    /** @private @type {{first: Vector3, right: Vector3, step: number, count: number} | null} */ this.line = null;
    parent.append(this.root);
  }

  /** The sample that is read. @private */
  get read() {
    return this.line && this.at >= 0 && this.at <= 1 ? Math.round(this.at * (this.line.count - 1)) : -1;
  }

  /** @private @returns {Vector3 | null} */
  placeAt() {
    return this.line && moved(this.line.first, this.read * this.line.step, this.line.right);
  }

  /** @param {import("./viewer.js").Viewer} viewer @param {Roi | null} roi a line with two ends @returns {boolean} whether values may still come */
  show(viewer, roi) {
    this.root.hidden = !roi;
    const length = roi ? lengthOf(roi.points) : 0;
    if (!roi || !(length > 0)) {
      this.line = null;
      return false;
    }
    const { units, smooth } = viewer.meta.sources[0];
    const source = viewer.stage.source(viewer.meta, 0, viewer.stepOf(0), true);
    const { step, right, plane, values } = profileOf(source, roi.points, smooth);
    const kept = keptOf(viewer, reach(source, plane));
    const text = (/** @type {number} */ value) => worked(value, short(value), kept);
    this.line = { first: roi.points[0], right, step, count: values.length };
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const unit = units ? ` ${units}` : "";
    const [wide, tall] = [WIDE - PAD.left - PAD.right, HIGH - PAD.top - PAD.bottom];
    const x = (/** @type {number} */ k) => PAD.left + (wide * k) / (values.length - 1);
    const y = (/** @type {number} */ value) => PAD.top + tall * (high > low ? 1 - (value - low) / (high - low) : 0.5);
    let d = "";
    let pen = "M";
    values.forEach((value, k) => {
      if (!Number.isFinite(value)) pen = "M";
      else {
        d += `${pen}${x(k).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = "L";
      }
    });
    const nodes = [
      shape("path", { d: `M${PAD.left} ${PAD.top}H${WIDE - PAD.right}M${PAD.left} ${HIGH - PAD.bottom}H${WIDE - PAD.right}`, class: "dl-guide" }),
      shape("path", { d, class: "dl-graph", stroke: roi.colour }),
      shape("text", { x: PAD.left, y: HIGH - 5 }, "0"),
      shape("text", { x: WIDE - PAD.right, y: HIGH - 5, "text-anchor": "end" }, `${short(length)} mm`),
    ];
    const { read } = this;
    if (read >= 0) {
      nodes.push(shape("path", { d: `M${x(read)} ${PAD.top}V${HIGH - PAD.bottom}`, class: "dl-guide" }));
      nodes.push(shape("text", { x: PAD.left, y: 15 }, `${(read * step).toFixed(1)} mm: ${Number.isNaN(values[read]) ? "no value" : text(values[read])}${unit}`));
    } else if (high >= low) nodes.push(shape("text", { x: PAD.left, y: 15 }, `${text(low)} … ${text(high)}${unit}`));
    this.svg.setAttribute("aria-label", high >= low ? `From ${text(low)} to ${text(high)}${unit} along ${short(length)} mm` : "No values");
    this.svg.replaceChildren(...nodes);
    return values.some(Number.isNaN);
  }
}
