// Functional groups of a multi-frame object: shared or per frame, and how values run over the frames.

import { make } from "../../../view/js/elements.js";

/** @typedef {import("./types.js").Groups} Groups */
/** @typedef {import("./types.js").Run} Run */

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [190, 26];

/** @param {Groups} groups */
export function groupsPanel(groups) {
  const rows = groups.macros.flatMap((macro) => [
    make("tr", "dl-macro", {}, [
      make("th", "", { scope: "rowgroup" }, [macro.name]),
      make("td", "", {}, [make("span", macro.where === "shared" ? "dl-tag" : "dl-tag dl-own", {}, [macro.where])]),
    ]),
    ...macro.attributes.map((one) => make("tr", "", {}, [make("td", "dl-attribute", {}, [one.name]), make("td", "", {}, run(one))])),
  ]);
  const dimensions = groups.dimensions.map((one) =>
    make("tr", "", {}, [make("td", "dl-attribute", {}, [one.name]), make("td", "", {}, run({ name: one.name, values: one.values }))]),
  );
  const told = groups.at.length < groups.frames ? `; every ${Math.round(groups.frames / Math.max(1, groups.at.length))}th is drawn` : "";
  return [
    make("p", "dl-soft", {}, [`${groups.name} holds ${groups.frames} frames${told}. From left to right: the frames as they are stored.`]),
    make("table", "dl-table dl-groups", {}, [
      ...(dimensions.length ? [make("tr", "dl-macro", {}, [make("th", "", { colspan: "2" }, ["Dimension Index Values: which frame is which"])]), ...dimensions] : []),
      ...rows,
    ]),
  ];
}

/** @param {Run} one @returns {(Node | string)[]} */
function run(one) {
  if (!one.values) return [make("span", "dl-code", {}, [one.value ?? ""])];
  const numbers = one.values.filter((value) => value !== null);
  if (!numbers.length) return [make("span", "dl-soft", {}, ["none"])];
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const told = one.texts ? one.texts.join(", ") : low === high ? String(low) : `${low} … ${high}`;
  return [plot(one.values, low, high, one.name), make("span", "dl-code", {}, [` ${told}`])];
}

/** @param {(number | null)[]} values @param {number} low @param {number} high @param {string} name */
function plot(values, low, high, name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ width: WIDTH, height: HEIGHT, class: "dl-run", role: "img", "aria-label": `${name}, frame by frame` })) svg.setAttribute(key, String(value));
  const x = (/** @type {number} */ k) => 2 + (k * (WIDTH - 4)) / Math.max(1, values.length - 1);
  const y = (/** @type {number} */ value) => HEIGHT - 3 - ((value - low) * (HEIGHT - 6)) / (high - low || 1);
  if (values.length > 1) {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", values.flatMap((value, k) => (value === null ? [] : [`${x(k).toFixed(1)},${y(value).toFixed(1)}`])).join(" "));
    svg.append(line);
  }
  if (values.length <= 60) {
    values.forEach((value, k) => {
      if (value === null) return;
      const dot = document.createElementNS(SVG, "circle");
      for (const [key, one] of Object.entries({ cx: x(k).toFixed(1), cy: y(value).toFixed(1), r: 1.6 })) dot.setAttribute(key, String(one));
      svg.append(dot);
    });
  }
  return svg;
}
