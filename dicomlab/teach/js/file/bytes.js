// The bytes: 16 a line, as hexadecimal numbers and as characters, each in the colour of its part.

import { make } from "../../../view/js/elements.js";
import { hex, several, toneOf } from "../shared/bytes.js";
import { rolling } from "../shared/rolling.js";

const HEIGHT = 20;

/**
 * @param {import("./book.js").Book} book
 * @param {{choose: (at: number) => void, hover: (at: number | null) => void, enter: () => void}} tell
 */
export function bytesOf(book, tell) {
  let number = 0;
  let chosen = -1;
  let byte = -1;
  /** @type {[number, number]} */
  let lit = [0, 0];
  const list = rolling({
    height: HEIGHT, className: "dl-bytes", draw: (line) => drawn(line),
    attributes: { role: "group", "aria-label": "Bytes; arrow keys walk from byte to byte" },
  });
  /** @param {number} line */
  const drawn = (line) => {
    const space = book.spaces[number];
    const { at, gap } = space.line(line);
    const offset = make("span", "dl-offset", {}, [hex(at, 8)]);
    if (gap) {
      const row = space.row(at);
      return make("div", "dl-byteline dl-gap", { "data-at": String(at) }, [offset, make("span", "", {}, [`… ${several(gap, "byte")}${row?.kind === "element" || row?.kind === "fragment" ? " of the value" : ""} not here …`])]);
    }
    const numbers = make("span", "dl-numbers");
    const letters = make("span", "dl-letters");
    for (let k = 0; k < book.wide; k += 1) {
      const place = at + k;
      const row = place < space.size ? space.row(place) : undefined;
      if (!row) {
        numbers.append(make("span", "dl-b", {}, ["  "]));
        letters.append(make("span", "dl-c", {}, [" "]));
        continue;
      }
      const part = book.part(row, place);
      const value = space.byte(place);
      const name = part ? toneOf(row.kind, part.name) : "outside";
      let names = `dl-p-${name}`;
      if (place === part?.start) names += " dl-first";
      if (place + 1 === part?.end) names += " dl-last";
      if (row.index === chosen) names += " dl-on";
      if (place >= lit[0] && place < lit[1]) names += " dl-lit";
      if (place === byte) names += " dl-at";
      if (value === null) names += " dl-hid";
      numbers.append(make("span", `dl-b ${names}`, { "data-at": String(place) }, [value === null ? "••" : hex(value)]));
      const plain = value !== null && value > 31 && value < 127;
      letters.append(make("span", `dl-c ${names}${plain || value === null ? "" : " dl-none"}`, { "data-at": String(place) }, [value === null ? "•" : plain ? String.fromCharCode(value) : "·"]));
    }
    return make("div", "dl-byteline", {}, [offset, numbers, letters]);
  };
  /** @param {Event} event */
  const placeOf = (event) => {
    const cell = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-at]"));
    return cell ? Number(cell.dataset.at) : null;
  };
  list.element.addEventListener("click", (event) => {
    const at = placeOf(event);
    if (at !== null) tell.choose(at);
  });
  /** @type {number | null} */
  let over = null;
  const hover = (/** @type {number | null} */ at) => {
    if (at !== over) tell.hover((over = at));
  };
  list.element.addEventListener("pointerover", (event) => hover(placeOf(event)));
  list.element.addEventListener("pointerleave", () => hover(null));
  list.element.addEventListener("keydown", (event) => {
    const space = book.spaces[number];
    const row = book.rows[chosen];
    const at = byte >= 0 ? byte : (row?.start ?? 0);
    const steps = /** @type {Record<string, number>} */ ({ ArrowRight: 1, ArrowLeft: -1, ArrowDown: book.wide, ArrowUp: -book.wide, PageDown: book.wide * list.page(), PageUp: -book.wide * list.page(), Home: -at, End: space.size });
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) tell.choose(Math.max(0, Math.min(space.size - 1, at + steps[event.key])));
    else if (event.key === "Enter" || event.key === "Escape") tell.enter();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    element: list.element,
    /** @param {number} space @param {number} row @param {number} at -1 for none @param {[number, number]} stretch the part that is lit @param {number} follow a byte to be seen, -1 for none */
    show(space, row, at, stretch, follow) {
      const changed = space !== number;
      [number, chosen, byte, lit] = [space, row, at, stretch];
      if (changed) list.element.scrollTop = 0;
      list.set(book.spaces[number].lines);
      if (follow >= 0) {
        const { end } = book.rows[row];
        const first = book.spaces[number].lineOf(follow);
        list.reveal(first, Math.min(4, book.spaces[number].lineOf(end - 1) - first));
      }
    },
    destroy: list.destroy,
  };
}
