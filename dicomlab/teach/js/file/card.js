// The element that is chosen, taken apart: its parts side by side, each with its bytes and with what it says.

import { button, make } from "../../../view/js/elements.js";
import { hex, lengthText, nameOf, several, tagText, toneOf, wordsOf } from "../shared/bytes.js";

const BYTES = 8;
const LINKS = 24;

/**
 * @param {import("./book.js").Book} book
 * @param {{choose: (index: number) => void, byte: (at: number) => void}} tell
 */
export function cardOf(book, tell) {
  const head = make("div", "dl-cardhead");
  const blocks = make("div", "dl-blocks");
  const said = make("div", "dl-said", { "aria-live": "polite" });
  const notes = make("div", "dl-notes");
  const element = make("div", "dl-card", {}, [head, blocks, said, notes]);

  /** @param {import("./book.js").Row} row @param {import("../shared/bytes.js").Part} part @param {boolean} on */
  const block = (row, part, on) => {
    const space = book.spaces[row.space];
    const size = part.end - part.start;
    const own = Array.from({ length: Math.min(size, BYTES) }, (_, k) => space.byte(part.start + k));
    const bytes = own.map((one) => (one === null ? "••" : hex(one))).join(" ") + (size > BYTES ? " …" : "");
    const short = shortOf(row, part);
    const hidden = row.more.hidden && part.name === "value" ? " dl-hid" : "";
    const node = make("button", `dl-block dl-p-${toneOf(row.kind, part.name)}${hidden}`, { type: "button", "aria-pressed": String(on), title: wordsOf(row, part, (at) => space.byte(at), book.meanings) }, [
      make("span", "dl-blockname", {}, [part.name === "vr" ? "VR" : part.name, make("span", "dl-soft", {}, [` ${several(size, "byte")}`])]),
      make("code", "", {}, [bytes]),
      make("span", "dl-blocksays", {}, [short]),
    ]);
    node.addEventListener("click", () => tell.byte(part.start));
    return node;
  };

  /** @param {import("./book.js").Row} row @param {import("../shared/bytes.js").Part} part */
  const shortOf = (row, part) => {
    if (part.name === "tag") return `${tagText(row.tag)} ${nameOf(row)}`;
    if (part.name === "vr") return book.meanings[row.vr] ? `${row.vr}: ${book.meanings[row.vr].split(",")[0]}` : `${row.vr}: not in the standard`;
    if (part.name === "length") return lengthText(row);
    if (part.name === "reserved") return "no meaning";
    if (row.more.hidden) return "hidden: it may identify a patient";
    return row.text || nameOf(row);
  };

  /** @param {import("./book.js").Row} row @param {number} at */
  const more = (row, at) => {
    /** @type {HTMLElement[]} */
    const found = [];
    const jump = (/** @type {string} */ text, /** @type {number} */ index) => {
      const one = button(text, text, "dl-jump");
      one.addEventListener("click", () => tell.choose(index));
      return one;
    };
    const links = row.space === book.spaces.length - 1 ? book.facts.links.filter((/** @type {number[]} */ [start]) => start >= row.start && start < row.end) : [];
    for (const [, , target, frame] of links.slice(0, LINKS)) if (target >= 0 && target < book.rows.length) found.push(jump(`frame ${frame} ▸`, target));
    if (links.length > LINKS) found.push(make("span", "dl-soft", {}, [`and ${links.length - LINKS} more`]));
    const from = book.facts.links.find((/** @type {number[]} */ one) => one[2] === row.index);
    if (from) {
      const one = button(`◂ offset ${from[3]}`, `The offset that points here: number ${from[3]}`, "dl-jump");
      one.addEventListener("click", () => tell.byte(from[0]));
      found.push(one);
    }
    if (row.kind === "fragment") {
      for (const [by, word] of /** @type {[number, string][]} */ ([[-1, "◂ previous fragment"], [1, "next fragment ▸"]])) {
        if (book.rows[row.index + by]?.kind === "fragment") found.push(jump(word, row.index + by));
      }
      if (book.facts.frames_by) found.push(make("span", "dl-soft", {}, [row.more.frame ? `Frame ${row.more.frame}: ${book.facts.frames_by}.` : `Of which frame: ${book.facts.frames_by}.`]));
    }
    const pixel = at >= 0 ? book.pixel(row, at) : undefined;
    if (pixel) {
      const value = book.stored(row.space, pixel.start);
      const where = `${book.facts.native.frames > 1 ? `frame ${pixel.frame + 1}, ` : ""}row ${pixel.row}, column ${pixel.column}${book.facts.native.samples > 1 ? `, sample ${pixel.sample}` : ""}`;
      found.push(make("span", "", {}, [`The pixel at ${where}${value === null ? "" : ` = ${value} stored`}.`]));
    }
    return found;
  };

  return {
    element,
    /** @param {import("./book.js").Row} row @param {number} at -1 when the whole row is chosen @param {string} hovered */
    show(row, at, hovered) {
      const parts = book.parts(row);
      const on = at >= 0 ? book.part(row, at) : undefined;
      const path = book.path(row.index).filter((index) => book.rows[index].kind !== "item").map((index) => nameOf(book.rows[index]));
      head.replaceChildren(
        ...(path.length ? [make("span", "dl-soft", {}, [`${path.join(" ▸ ")} ▸ `])] : []),
        make("strong", "", {}, [nameOf(row)]),
        make("span", "dl-soft", {}, [` ${row.more.name && row.more.name !== row.keyword ? `${row.more.name}, ` : ""}bytes ${row.start} to ${row.end - 1}`]),
      );
      blocks.replaceChildren(...parts.map((part) => block(row, part, part === on || part.start === on?.start)));
      const space = book.spaces[row.space];
      const part = on ?? parts.at(-1);
      said.textContent = hovered || (part ? wordsOf(row, part, (place) => space.byte(place), book.meanings) : "");
      said.classList.toggle("dl-hovered", Boolean(hovered));
      const odd = (row.more.notes ?? []).map((/** @type {string[]} */ [level, text]) => make("div", `dl-note dl-${level}`, {}, [text]));
      const others = more(row, at);
      const [says, trap] = book.facts.plain?.[row.keyword] ?? [];
      const plain = says ? [make("p", "dl-plain", {}, [says, ...(trap ? [make("span", "dl-soft", {}, [` Trap: ${trap}`])] : []), make("code", "dl-soft", {}, [` dl.explain("${row.keyword}")`])])] : [];
      notes.replaceChildren(...odd, ...plain, ...(others.length ? [make("div", "dl-jumps", {}, others)] : []));
    },
  };
}
