// What is known of one image: its place, its picture, the attributes that vary, what findings say of it.

import { make } from "../../../view/js/elements.js";

/** @typedef {import("./types.js").Stack} Stack */
/** @typedef {import("./types.js").Detail} Detail */

/**
 * @param {Detail} detail @param {number} stackNumber @param {number | null} cell
 * @param {{row: number, column: number, images: number, ghost: boolean}} place
 * @param {{src?: string, why?: string} | undefined} picture
 */
export function cellPanel(detail, stackNumber, cell, place, picture) {
  const stack = detail.stacks[stackNumber];
  const title = nameOf(stack, place.row, place.column);
  if (cell === null) {
    const why = place.images ? "Choose a cell of the grid to see its image." : place.ghost ? "No image has this position: a slice is missing." : "No image is here: this step lacks the slice.";
    return [make("div", "dl-head", {}, [place.images ? "No image chosen" : title]), make("p", "dl-soft", {}, [why])];
  }
  const count = place.images > 1 ? ` · ${place.images} images lie here` : "";
  /** @type {[string, string][]} */
  const facts = [
    ["File", stack.names?.[stack.file[cell]] ?? `number ${stack.file[cell] + 1} by name; names are hidden, as they may be those of patients`],
    ["Instance Number", String(stack.number[cell])],
  ];
  if (stack.frame) facts.push(["Frame", String(stack.frame[cell])]);
  for (const attribute of stack.attributes) {
    const k = attribute.by === "plane" ? cell : attribute.by === "row" ? stack.row[cell] : stack.column[cell];
    const value = attribute.values[k];
    if (value !== null && value !== undefined && value !== "") facts.push([attribute.name, String(value)]);
  }
  const shown = picture?.src
    ? make("img", "dl-picture", { src: picture.src, alt: `Picture of ${title}` })
    : make("div", "dl-picture dl-nothing", {}, [picture?.why ?? "…"]);
  const told = detail.findings.filter((one) => one.cells.some(([s, k]) => s === stackNumber && k === cell));
  return [
    make("div", "dl-head", {}, [title, make("span", "dl-warning", {}, [count])]),
    make("div", "dl-cell", {}, [
      shown,
      make("table", "dl-table", {}, facts.map(([term, value]) => make("tr", "", {}, [make("th", "", {}, [term]), make("td", "", {}, [value])]))),
    ]),
    ...told.map((one) => make("p", "dl-warning", {}, [`${one.code}: ${one.text}`])),
  ];
}

/** @param {Stack} stack @param {number} row @param {number} column */
function nameOf(stack, row, column) {
  const height = stack.heights[row];
  const step = stack.axes.length === 1 ? `${stack.axes[0].replaceAll("_", " ")} ${stack.steps[column]}` : stack.steps[column];
  const where = height === null ? `Image ${row + 1}` : `Slice ${row + 1} of ${stack.heights.length}, ${Number(height.toFixed(3))} mm`;
  return step ? `${where} · ${step}` : where;
}
