// What is drawn over the picture, as shapes and text: crosshair, letters of the patient, scale, what is seen. One SVG for all panes.

import { isLight, lookIn, overText, ownSteps } from "./layers.js";
import { normal, rotate } from "./scene.js";
import { cross, dot, minus, moved, normalOf } from "./plane.js";
import { AXIS_NAMES, roundLength, stepText } from "./space.js";
import { refill, shape } from "./svg.js";
import { letters, placeText, short, windowText } from "./text.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./types.js").PlaneName} PlaneName */

/** @type {Record<PlaneName, string>} */
export const COLOURS = { axial: "#ff6b6b", sagittal: "#ffd43b", coronal: "#69db7c" };

/** css px around the crossing that stay free, and from it at which a line is taken to be turned. */
const FREE = 14;

/** css px of a letter. */
const LEAST = 0.5; // degrees that a plane leans to be called tilted
const LETTER = 7.3;

/**
 * The lines in which the other planes cut a pane: each a point, a unit direction in css px, and the plane's name.
 * @param {Pane} pane @param {State} state @param {Meta} meta @param {(lps: import("./types.js").Vector3) => [number, number]} pxOf
 */
export function crosshair(pane, state, meta, pxOf) {
  const { scene } = state;
  const own = normal(scene, meta.basis, pane.name);
  const centre = pxOf(scene.position);
  return /** @type {PlaneName[]} */ (["axial", "sagittal", "coronal"])
    .filter((name) => name !== pane.name)
    .map((name) => {
      const along = cross(own, normal(scene, meta.basis, name));
      const [x, y] = [dot(along, pane.plane.right), dot(along, pane.plane.down)];
      const length = Math.hypot(x, y) || 1;
      return { name, centre, direction: /** @type {[number, number]} */ ([x / length, y / length]) };
    });
}

export class Overlay {
  /** @param {SVGSVGElement} svg */
  constructor(svg) {
    this.svg = svg;
    this.showText = true;
    this.showCross = true;
  }

  /**
   * @param {object} what
   * @param {Meta} what.meta
   * @param {State} what.state
   * @param {Pane[]} what.panes
   * @param {import("./stage.js").Stage} what.stage
   * @param {import("./space.js").Space} what.space of the first volume
   * @param {import("./space.js").Space[]} what.spaces
   * @param {(pane: Pane) => SVGElement[]} what.more
   */
  draw({ meta, state, panes, stage, space, spaces, more }) {
    const { ratio, width, height } = stage.size;
    const box = `0 0 ${width} ${height}`;
    if (this.svg.getAttribute("viewBox") !== box) this.svg.setAttribute("viewBox", box);
    const nodes = panes.map((pane, n) => {
      const [left, top, wide, high] = [pane.left / ratio, pane.top / ratio, pane.plane.width / ratio, pane.plane.height / ratio];
      const group = shape("svg", { x: left, y: top, width: wide, height: high, viewBox: `${left} ${top} ${wide} ${high}`, class: isLight(pane, state, meta) ? "dl-pane dl-light" : "dl-pane", "data-pane": pane.name });
      if (this.showCross && state.scene.layout === "planes") {
        for (const line of crosshair(pane, state, meta, (lps) => stage.pxOf(pane, lps))) group.append(...this.line(line, wide + high));
      }
      group.append(...more(pane));
      if (panes.length > 1 || state.scene.layout !== "single") {
        const colour = COLOURS[pane.name];
        group.append(shape("rect", { x: left + 0.5, y: top + 0.5, width: wide - 1, height: high - 1, fill: "none", stroke: colour, "stroke-opacity": 0.55 }));
      }
      if (this.showText) this.text(group, { left, top, wide, high }, pane, n, { meta, state, space, spaces, stage });
      return group;
    });
    refill(this.svg, nodes);
  }

  /** @private @param {{name: PlaneName, centre: [number, number], direction: [number, number]}} line @param {number} length */
  line({ name, centre: [x, y], direction: [dx, dy] }, length) {
    return [-1, 1].flatMap((sign) => {
      const ends = { x1: x + sign * dx * FREE, y1: y + sign * dy * FREE, x2: x + sign * dx * length, y2: y + sign * dy * length };
      return [shape("line", { ...ends, class: "dl-cross", stroke: COLOURS[name] })];
    });
  }

  /**
   * @private @param {SVGElement} group @param {{left: number, top: number, wide: number, high: number}} box @param {Pane} pane @param {number} n
   * @param {{meta: Meta, state: State, space: import("./space.js").Space, spaces: import("./space.js").Space[], stage: import("./stage.js").Stage}} what
   */
  text(group, { left, top, wide, high }, pane, n, { meta, state, space, spaces, stage }) {
    const { scene } = state;
    const { right, down, pixel } = pane.plane;
    const small = wide < 220 || high < 160;
    /** @param {number} x @param {number} y @param {string} anchor @param {string} text @param {string} kind */
    const put = (x, y, anchor, text, kind = "dl-text") => group.append(shape("text", { x, y, "text-anchor": anchor, class: kind }, text));
    const back = right.map((v) => -v);
    const up = down.map((v) => -v);
    put(left + 8, top + high / 2 + 4, "start", letters(back), "dl-letter");
    put(left + wide - 8, top + high / 2 + 4, "end", letters(right), "dl-letter");
    put(left + wide / 2, top + 16, "middle", letters(up), "dl-letter");
    put(left + wide / 2, top + high - 7, "middle", letters(down), "dl-letter");
    const axis = meta.basis.axis[pane.name];
    const index = indexOf(pane, state, meta, space);
    const heading = rotate(scene.turn, meta.basis.heading[pane.name]);
    const mm = dot(heading, pane.plane.origin);
    const where = placeText(mm, [letters(heading.map((v) => -v)), letters(heading)]);
    // A tilted plane goes through many slices; how far it leans says more than one of them. Another volume has slices of its
    // own; the place in mm is the same.
    const lean = (Math.acos(Math.min(Math.abs(dot(heading, meta.basis.heading[pane.name])), 1)) * 180) / Math.PI;
    const which = lean < LEAST ? `${AXIS_NAMES[axis]} ${index + 1}/${space.shape[axis]}` : `tilted by ${Math.round(lean)}°`;
    if ((!small || scene.layout === "montage") && !pane.source) put(left + 8, top + high - (small ? 7 : 24), "start", which);
    if (!small) put(left + 8, top + high - 8, "start", where);
    const leads = stage.panes.findIndex(({ source }) => source === pane.source) === n;
    if (leads && !small) {
      const { look, subject } = lookIn(pane, state, meta);
      const half = Math.floor((wide / 2 - 24) / LETTER);
      const lines = [subject.title, [subject.units && `in ${subject.units}`, `${spaces[pane.source ?? 0].mm.map(stepText).filter(Boolean).join(" × ")} mm`].filter(Boolean).join("   "), ...(pane.source ? ownSteps(pane.source, state, meta) : []), ...overText(pane, state, meta)];
      const names = [windowText(look.window), `zoom ${scene.zoom.toFixed(2)}×`, scene.slab ? `${scene.slab.mode} ${short(scene.slab.thickness)} mm` : "", look.invert ? "inverted" : ""].filter(Boolean);
      lines.forEach((line, k) => {
        // The first one ends before the letter in the middle, the others before what stands on the right.
        const room = k ? Math.floor((wide - 32) / LETTER) - (names[k]?.length ?? 0) : half;
        put(left + 8, top + 18 + 16 * k, "start", line.length > room ? `${line.slice(0, Math.max(room - 1, 0))}…` : line);
      });
      names.forEach((line, k) => put(left + wide - 8, top + 18 + 16 * k, "end", line));
    }
    if (!small) {
      const perMm = 1 / (pixel * stage.size.ratio);
      const length = roundLength(Math.min(wide / 4, 160) / perMm);
      const x2 = left + wide - 10;
      const x1 = x2 - length * perMm;
      const y = top + high - 12;
      group.append(shape("path", { d: `M${x1} ${y - 4}V${y}H${x2}V${y - 4}`, class: "dl-scale", fill: "none" }));
      put((x1 + x2) / 2, y - 7, "middle", `${short(length)} mm`);
    }
  }
}

/**
 * The index along its axis of what a pane shows: where its plane meets the line through the position, along the axis.
 * @param {Pane} pane @param {State} state @param {Meta} meta @param {import("./space.js").Space} space
 */
export function indexOf({ name, plane }, { scene }, meta, space) {
  const away = normalOf(plane);
  const heading = meta.basis.heading[name];
  const by = dot(minus(plane.origin, scene.position), away) / dot(heading, away);
  return space.nearest(moved(scene.position, by, heading))[meta.basis.axis[name]];
}
