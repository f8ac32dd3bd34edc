// Bits a pixel against the error that they cost: one line a method, a point a variant, to be clicked.

import { make } from "../../../view/js/elements.js";
import { nice } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 244, 46, 12, 26, 34];
export const HUES = ["reserved", "item", "length", "fragment", "vr", "value"];

/** @param {string} tag @param {Record<string, string | number>} attributes @param {string} [text] */
function shape(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

/**
 * @param {import("./numbers.js").Method[]} methods @param {number} pixels @param {string} units
 * @param {(method: number, step: number) => void} choose
 */
export function chartOf(methods, pixels, units, choose) {
  const all = methods.flatMap((one) => one.variants);
  const most = Math.max(...all.map((one) => one.rms), 1e-6);
  const least = Math.min(...all.filter((one) => one.rms > 0).map((one) => one.rms), most);
  const widest = Math.max(...all.map((one) => (8 * one.size) / pixels));
  const [low, high] = [Math.log10(least) - 0.15, Math.log10(most) + 0.1];
  const x = (/** @type {number} */ size) => LEFT + ((WIDTH - LEFT - RIGHT) * ((8 * size) / pixels)) / (widest * 1.02);
  // Lossless ones lie on a line of their own below: 0 has no logarithm.
  const ground = HEIGHT - BOTTOM - 12;
  const y = (/** @type {number} */ rms) => (rms > 0 ? ground - 16 - ((ground - 16 - TOP) * (Math.log10(rms) - low)) / (high - low) : ground);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "dl-chart", role: "group", "aria-label": "Bits a pixel against error" });
  for (let power = Math.ceil(low); power <= high; power += 1) {
    svg.append(shape("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(10 ** power), y2: y(10 ** power), class: "dl-grid" }), shape("text", { x: LEFT - 5, y: y(10 ** power) + 4, "text-anchor": "end" }, String(10 ** power)));
  }
  svg.append(shape("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: ground, y2: ground, class: "dl-grid" }), shape("text", { x: LEFT - 5, y: ground + 4, "text-anchor": "end" }, "0"));
  for (let bits = 0; bits <= widest; bits += 2) svg.append(shape("text", { x: LEFT + ((WIDTH - LEFT - RIGHT) * bits) / (widest * 1.02), y: HEIGHT - 18, "text-anchor": "middle" }, String(bits)));
  svg.append(shape("text", { x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end", class: "dl-axis" }, "bits a pixel"), shape("text", { x: 4, y: 12, class: "dl-axis" }, `rms error${units ? `, ${units}` : ""}`));
  /** @type {Map<string, SVGElement>} */
  const points = new Map();
  methods.forEach((method, number) => {
    const hue = `dl-p-${HUES[number % HUES.length]}`;
    if (method.kind !== "lossless") svg.append(shape("polyline", { points: method.variants.map((one) => `${x(one.size)},${y(one.rms)}`).join(" "), class: `dl-curve ${hue}` }));
    method.variants.forEach((one, step) => {
      const word = `${method.name}, ${method.strength} ${one.strength}${method.unit}: ${nice((8 * one.size) / pixels)} bits a pixel, rms ${nice(one.rms, units)}`;
      const point = shape("circle", { cx: x(one.size), cy: y(one.rms), r: 4, class: `dl-point ${hue}` });
      point.append(shape("title", {}, word));
      point.addEventListener("click", () => choose(number, step));
      points.set(`${number}-${step}`, point);
      svg.append(point);
    });
  });
  const legend = make("div", "dl-legend", {}, methods.map((method, number) => make("span", `dl-chip dl-p-${HUES[number % HUES.length]}`, {}, [method.name])));
  return {
    element: make("div", "dl-charted", {}, [/** @type {any} */ (svg), legend]),
    /** @param {number} method @param {number} step */
    show(method, step) {
      for (const [key, point] of points) {
        const on = key === `${method}-${step}`;
        point.setAttribute("r", on ? "7" : "4");
        point.classList.toggle("dl-here", on);
        if (on) svg.append(point); // above its neighbours
      }
    },
  };
}
