// The slices in the patient, in three dimensions: box, figure, slices, axes, the voxel that is read.

import { dot, minus } from "../../../view/js/plane.js";
import { look, outline, projector } from "./camera.js";
import { sum } from "./planes.js";

/** @typedef {[number, number, number]} Vector3 */
/** @typedef {import("./planes.js").Plane} Plane */
/** @typedef {import("./planes.js").Grid} Grid */
/** @typedef {import("./planes.js").Setting} Setting */
/** @typedef {import("./figure.js").Figure} Figure */

export const ROLES = { column: "#e5534b", row: "#2da44e", slice: "#3b82f6", origin: "#d9a400" };

/** From blue to orange along an order. @param {number} share 0 to 1 */
export const hue = (share) => `hsl(${Math.round(215 + 175 * share) % 360} 75% 52%)`;

/**
 * @typedef {object} Shown
 * @property {Setting} setting @property {Grid} grid
 * @property {Plane[]} planes those that are drawn @property {Map<number, string>} colours of the planes by their place in the chosen order
 * @property {Map<number, HTMLCanvasElement>} pictures
 * @property {{index: number, due: Vector3, mm: number}[]} aside slices that lie beside the line of the others
 * @property {Figure} figure @property {boolean} figured whether the figure is drawn
 * @property {"LPS" | "RAS"} system @property {Vector3 | null} voxel LPS mm @property {number} lit place of the slice that is read
 * @property {[number, number]} view @property {number} zoom
 * @property {string} pointed the column of the affine that is looked at
 */

const LETTERS = [
  ["R", "L"],
  ["A", "P"],
  ["F", "H"],
];

/** @param {HTMLCanvasElement} canvas @param {number} wide css px @param {number} high @param {CSSStyleDeclaration} style */
function prepared(canvas, wide, high, style) {
  const ratio = canvas.ownerDocument.defaultView?.devicePixelRatio ?? 1;
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(high * ratio);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, wide, high);
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim() || "#888";
  return { context, text: of("--dl-text"), faint: of("--dl-faint"), line: of("--dl-line"), back: of("--dl-back"), warn: of("--dl-warn"), ratio };
}

/** The corners of a slice: its outer pixel faces, as first corner, way along a row and way down a column. @param {Plane} plane @param {Grid} grid @param {Setting} setting */
export function sides({ position }, { r, c }, { spacing, rows, columns }) {
  const corner = sum(position, [-spacing[0] / 2, c], [-spacing[1] / 2, r]);
  const right = sum([0, 0, 0], [columns * spacing[1], r]);
  const down = sum([0, 0, 0], [rows * spacing[0], c]);
  return { corner, right, down };
}

/** The lowest and the highest x, y, z of places. @param {Vector3[]} places @returns {[Vector3, Vector3]} */
export function bounds(places) {
  const low = /** @type {Vector3} */ ([0, 1, 2].map((axis) => Math.min(...places.map((place) => place[axis]))));
  const high = /** @type {Vector3} */ ([0, 1, 2].map((axis) => Math.max(...places.map((place) => place[axis]))));
  return [low, high];
}

/** @param {[Vector3, Vector3]} box @returns {Vector3[]} */
const cornersOf = ([low, high]) => [0, 1, 2, 3, 4, 5, 6, 7].map((n) => /** @type {Vector3} */ ([n & 1 ? high[0] : low[0], n & 2 ? high[1] : low[1], n & 4 ? high[2] : low[2]]));

/** @param {HTMLCanvasElement} canvas @param {number} wide @param {number} high @param {CSSStyleDeclaration} style @param {Shown} shown */
export function drawScene(canvas, wide, high, style, shown) {
  const { context, text, faint, line, back, warn, ratio } = prepared(canvas, wide, high, style);
  const { grid, setting, planes, figure, system } = shown;
  const view = look(...shown.view);
  const slices = planes.map((plane) => ({ plane, ...sides(plane, grid, setting) }));
  const own = slices.flatMap(({ corner, right, down }) => [corner, sum(corner, [1, right]), sum(corner, [1, down]), sum(corner, [1, right], [1, down])]);
  const box = bounds([...figure.box, ...own]);
  const centre = [0, 1, 2].map((axis) => (box[0][axis] + box[1][axis]) / 2);
  const spans = cornersOf(box).map((one) => projector(view, centre, 1, [0, 0])(one));
  const fit = Math.min((wide - 56) / (2 * Math.max(...spans.map(({ x }) => Math.abs(x)))), (high - 44) / (2 * Math.max(...spans.map(({ y }) => Math.abs(y)))));
  const scale = fit * shown.zoom;
  // Zoomed in, what is looked at is the stack.
  const inside = bounds(own);
  const share = Math.min(Math.max(shown.zoom - 1, 0), 1);
  const looked = centre.map((at, axis) => at + share * ((inside[0][axis] + inside[1][axis]) / 2 - at));
  const at = projector(view, looked, scale, [wide / 2, high / 2]);

  const stroke = (/** @type {ArrayLike<number>[]} */ places, /** @type {string} */ colour, width = 1, closed = false) => {
    context.beginPath();
    places.forEach((place, n) => {
      const { x, y } = at(place);
      if (n) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    if (closed) context.closePath();
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  };
  const write = (/** @type {string} */ said, /** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ colour, font = "12px system-ui, sans-serif") => {
    context.font = font;
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = back;
    context.strokeText(said, x, y);
    context.fillStyle = colour;
    context.fillText(said, x, y);
  };
  const arrow = (/** @type {ArrayLike<number>} */ from, /** @type {ArrayLike<number>} */ to, /** @type {string} */ colour, /** @type {string} */ said) => {
    const wide_ = said.startsWith(shown.pointed) ? 4.5 : 2.2;
    const [a, b] = [at(from), at(to)];
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    stroke([from, to], colour, wide_);
    if (length > 6) {
      const [ux, uy] = [(b.x - a.x) / length, (b.y - a.y) / length];
      context.beginPath();
      context.moveTo(b.x + 3 * ux, b.y + 3 * uy);
      context.lineTo(b.x - 6 * ux - 4 * uy, b.y - 6 * uy + 4 * ux);
      context.lineTo(b.x - 6 * ux + 4 * uy, b.y - 6 * uy - 4 * ux);
      context.fillStyle = colour;
      context.fill();
      write(said, b.x + 13 * ux, b.y + 11 * uy, colour, "600 12px system-ui, sans-serif");
    } else {
      context.beginPath();
      context.arc(a.x, a.y, 4, 0, 7);
      context.fillStyle = colour;
      context.fill();
      write(said, a.x + 12, a.y - 10, colour, "600 12px system-ui, sans-serif");
    }
  };

  // The box: edges that the body hides are dashed.
  const corners = cornersOf(box);
  const deepest = Math.max(...corners.map((one) => at(one).depth));
  const hidden = corners.findIndex((one) => at(one).depth === deepest);
  for (let a = 0; a < 8; a++) {
    for (const bit of [1, 2, 4]) {
      if (a & bit) continue;
      const b = a | bit;
      context.setLineDash(a === hidden || b === hidden ? [3, 4] : []);
      stroke([corners[a], corners[b]], line, 1);
    }
  }
  context.setLineDash([]);
  // The figure: limbs that are further away first.
  const skins = figure.parts.filter(({ skin }) => skin && shown.figured).sort((one, other) => at(other.centre).depth - at(one.centre).depth);
  for (const { centre: middle, radii } of skins) {
    const { a, b, turn } = outline(view, radii);
    const { x, y } = at(middle);
    context.beginPath();
    context.ellipse(x, y, a * scale, b * scale, turn, 0, 2 * Math.PI);
    context.globalAlpha = 0.09;
    context.fillStyle = text;
    context.fill();
    context.globalAlpha = 0.28;
    context.strokeStyle = text;
    context.lineWidth = 1;
    context.stroke();
    context.globalAlpha = 1;
  }
  // Slices, those behind first.
  const behind = slices.map((one, place) => ({ ...one, place, depth: at(sum(one.corner, [0.5, one.right], [0.5, one.down])).depth })).sort((one, other) => other.depth - one.depth);
  // What lies before the slice that is read would hide it.
  const cut = behind.find(({ plane }) => plane.index === shown.lit)?.depth ?? Infinity;
  for (const { plane, corner, right, down, depth } of behind) {
    const lit = plane.index === shown.lit;
    const before = depth < cut - 1e-6;
    const [from, across, along] = [at(corner), at(sum(corner, [1, right])), at(sum(corner, [1, down]))];
    const picture = shown.pictures.get(plane.index);
    const path = [corner, sum(corner, [1, right]), sum(corner, [1, right], [1, down]), sum(corner, [1, down])];
    const colour = shown.colours.get(plane.index) ?? faint;
    context.save();
    context.globalAlpha = lit ? 0.3 : before ? 0.04 : 0.1;
    context.fillStyle = colour;
    context.beginPath();
    path.forEach((place) => context.lineTo(at(place).x, at(place).y));
    context.fill();
    // Seen from the edge, pictures behind one another are noise.
    const facing = Math.abs(dot(grid.n, view.away));
    if (picture && !before && (lit || facing > 0.2)) {
      context.globalAlpha = lit ? 1 : 0.55;
      context.setTransform(ratio * ((across.x - from.x) / picture.width), ratio * ((across.y - from.y) / picture.width), ratio * ((along.x - from.x) / picture.height), ratio * ((along.y - from.y) / picture.height), ratio * from.x, ratio * from.y);
      context.drawImage(picture, 0, 0);
    }
    context.restore();
    stroke(path, colour, lit ? 2.4 : 1.2, true);
    // Where the first pixel is: Image Position points at it.
    const first = at(plane.position);
    context.beginPath();
    context.arc(first.x, first.y, lit ? 3.5 : 2, 0, 7);
    context.fillStyle = ROLES.origin;
    context.fill();
  }
  // Slices that wander are drawn over the others: where they are, and dashed where the line of the others has them.
  for (const { index, due, mm } of shown.aside) {
    const one = slices.find(({ plane }) => plane.index === index);
    if (!one) continue;
    const round = (/** @type {Vector3} */ corner) => [corner, sum(corner, [1, one.right]), sum(corner, [1, one.right], [1, one.down]), sum(corner, [1, one.down])];
    const way = minus(one.plane.position, due);
    const empty = round(sum(one.corner, [-1, way]));
    const there = round(one.corner);
    context.globalAlpha = 0.25;
    context.fillStyle = warn;
    context.beginPath();
    there.forEach((place) => context.lineTo(at(place).x, at(place).y));
    context.fill();
    context.globalAlpha = 1;
    context.setLineDash([5, 4]);
    stroke(empty, warn, 1.6, true);
    context.setLineDash([]);
    stroke(there, warn, 2.6, true);
    // Said at the corner that stands out furthest.
    const right = dot(way, view.right) >= 0;
    const [outer] = there.map(at).sort((a, b) => (right ? b.x - a.x : a.x - b.x));
    const x = Math.min(Math.max(outer.x, 50), wide - 50);
    write(`${mm < 10 ? mm.toFixed(1) : Math.round(mm)} mm beside`, x, outer.y - 14, warn, "600 12px system-ui, sans-serif");
  }
  // The axes of the stack at its first slice.
  const first = slices[0];
  const reach = 0.32 * Math.max(Math.hypot(...first.right), Math.hypot(...first.down));
  const origin = first.plane.position;
  arrow(origin, sum(origin, [reach, grid.r]), ROLES.column, "column j");
  arrow(origin, sum(origin, [reach, grid.c]), ROLES.row, "row i");
  const length = Math.hypot(...grid.axis);
  arrow(origin, sum(origin, [reach / length, grid.axis]), ROLES.slice, "slice k");
  if (shown.pointed === "origin") {
    context.beginPath();
    context.arc(at(origin).x, at(origin).y, 7, 0, 7);
    context.fillStyle = ROLES.origin;
    context.fill();
  }
  // Letters of the patient, and where the axes of mm point.
  const floor = view.up[2] > 0.2 ? looked[2] - (high / 2 - 44) / (scale * view.up[2]) : -Infinity;
  const base = [looked[0], looked[1], Math.max(box[0][2], floor)];
  for (let axis = 0; axis < 3; axis++) {
    for (const end of [0, 1]) {
      const place = axis < 2 ? [...base] : [...looked];
      const from = at(place);
      const unit = [0, 0, 0];
      unit[axis] = end ? 1 : -1;
      const reach_ = Math.abs(box[end][axis] - place[axis]) + 16 / scale;
      // No further than the picture goes.
      const way = at(sum(/** @type {Vector3} */ (place), [1, /** @type {Vector3} */ (unit)]));
      const room = (/** @type {number} */ by, /** @type {number} */ start, /** @type {number} */ size) => (Math.abs(by) < 1e-6 ? Infinity : ((by > 0 ? size - 14 : 14) - start) / by);
      place[axis] += (end ? 1 : -1) * Math.max(0, Math.min(reach_, room(way.x - from.x, from.x, wide), room(way.y - from.y, from.y, high)));
      const { x, y } = at(place);
      write(LETTERS[axis][end], x, y, text, "600 15px system-ui, sans-serif");
    }
  }
  drawTriad(context, view, system, write, arrowAt);
  if (shown.voxel) {
    const { x, y } = at(shown.voxel);
    context.beginPath();
    context.arc(x, y, 5, 0, 7);
    context.fillStyle = "#ffd33d";
    context.fill();
    context.strokeStyle = "#000";
    context.lineWidth = 1.5;
    context.stroke();
  }

  /** An arrow in px. @param {number} x @param {number} y @param {number} dx @param {number} dy @param {string} said */
  function arrowAt(x, y, dx, dy, said) {
    const size = Math.hypot(dx, dy);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + dx, y + dy);
    context.strokeStyle = faint;
    context.lineWidth = 1.6;
    context.stroke();
    if (size > 5) {
      const [ux, uy] = [dx / size, dy / size];
      context.beginPath();
      context.moveTo(x + dx + 2 * ux, y + dy + 2 * uy);
      context.lineTo(x + dx - 5 * ux - 3 * uy, y + dy - 5 * uy + 3 * ux);
      context.lineTo(x + dx - 5 * ux + 3 * uy, y + dy - 5 * uy - 3 * ux);
      context.fillStyle = faint;
      context.fill();
    }
    write(said, x + dx + 16 * (size ? dx / size : 0.7), y + dy + 10 * (size ? dy / size : -0.7), faint, "12px system-ui, sans-serif");
  }
}

/**
 * The way in which mm are counted, in a corner.
 * @param {CanvasRenderingContext2D} context @param {import("./camera.js").Look} view @param {string} system
 * @param {(said: string, x: number, y: number, colour: string, font?: string) => void} write
 * @param {(x: number, y: number, dx: number, dy: number, said: string) => void} arrow
 */
function drawTriad(context, view, system, write, arrow) {
  const [x, y] = [58, 58];
  for (let axis = 0; axis < 3; axis++) {
    const sign = system === "RAS" && axis < 2 ? -1 : 1;
    const unit = [0, 0, 0];
    unit[axis] = sign;
    const letter = LETTERS[axis][sign > 0 ? 1 : 0];
    arrow(x, y, 26 * dot(unit, view.right), -26 * dot(unit, view.up), `+${"xyz"[axis]} ${letter}`);
  }
  write(system, x, 92, context.fillStyle.toString(), "600 12px system-ui, sans-serif");
}
