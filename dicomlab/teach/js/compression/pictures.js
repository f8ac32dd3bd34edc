// Three pictures of one place: the original, what is decoded, and the difference.

import { make } from "../../../view/js/elements.js";
import { greyOf, signedColour } from "./numbers.js";

/**
 * @param {number} rows @param {number} columns @param {number} aspect height of a pixel over its width
 * @param {{aim: (row: number, column: number) => void, point: (place: {row: number, column: number} | null) => void}} tell
 */
export function picturesOf(rows, columns, aspect, tell) {
  let view = { top: 0, left: 0, rows, columns };
  const names = ["Original", "Decoded", "Difference"];
  const panes = names.map((name) => {
    const canvas = make("canvas", "dl-picture", { width: String(columns), height: String(rows), role: "img", "aria-label": name, style: `aspect-ratio:${columns} / ${rows * aspect}` });
    const note = make("span", "dl-soft");
    const placeOf = (/** @type {MouseEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor(view.top + ((event.clientY - box.top) / box.height) * view.rows);
      const column = Math.floor(view.left + ((event.clientX - box.left) / box.width) * view.columns);
      return { row: Math.max(0, Math.min(rows - 1, row)), column: Math.max(0, Math.min(columns - 1, column)) };
    };
    canvas.addEventListener("pointermove", (event) => tell.point(placeOf(event)));
    canvas.addEventListener("pointerleave", () => tell.point(null));
    canvas.addEventListener("click", (event) => {
      const { row, column } = placeOf(event);
      tell.aim(row, column);
    });
    return { canvas, note, element: make("figure", "dl-figure", {}, [canvas, make("figcaption", "", {}, [make("strong", "", {}, [name]), " ", note])]) };
  });
  return {
    element: make("div", "dl-pictures", {}, panes.map((one) => one.element)),
    /**
     * @param {ArrayLike<number>} original @param {ArrayLike<number>} difference values as stored
     * @param {{slope: number, base: number, centre: number, width: number, most: number, zoom: number, at: [number, number], notes: string[]}} look
     */
    show(original, difference, { slope, base, centre, width, most, zoom, at, notes }) {
      const part = { rows: Math.max(8, Math.round(rows / zoom)), columns: Math.max(8, Math.round(columns / zoom)) };
      view = {
        ...part,
        top: Math.max(0, Math.min(rows - part.rows, Math.round(at[0] - part.rows / 2))),
        left: Math.max(0, Math.min(columns - part.columns, Math.round(at[1] - part.columns / 2))),
      };
      panes.forEach(({ canvas, note }, number) => {
        canvas.width = view.columns;
        canvas.height = view.rows;
        note.textContent = notes[number];
        const context = canvas.getContext("2d");
        if (!context) return;
        const image = context.createImageData(view.columns, view.rows);
        for (let row = 0, out = 0; row < view.rows; row += 1) {
          for (let column = 0; column < view.columns; column += 1, out += 4) {
            const k = (view.top + row) * columns + view.left + column;
            const value = number === 1 ? original[k] + difference[k] : original[k];
            const grey = greyOf(base + slope * value, centre, width);
            const colour = number === 2 ? signedColour(slope * difference[k], most) : [grey, grey, grey];
            image.data.set([...colour, 255], out);
          }
        }
        context.putImageData(image, 0, 0);
      });
    },
  };
}
