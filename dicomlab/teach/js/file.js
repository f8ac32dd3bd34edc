// The explorer of a file: the table of its tags, its bytes, and the element that is chosen, taken apart.

import { button, make } from "../../view/js/elements.js";
import { Book } from "./file/book.js";
import { bytesOf } from "./file/bytes.js";
import { cardOf } from "./file/card.js";
import { tableOf } from "./file/table.js";
import { hex, nameOf, several, toneOf, wordsOf } from "./shared/bytes.js";
import { choice } from "./shared/controls.js";
import { explorer } from "./shared/explorer.js";

const LEGEND = /** @type {[string, string][]} */ ([["tag", "tag"], ["vr", "VR"], ["length", "length"], ["value", "value"], ["item", "item"], ["fragment", "fragment"], ["offsets", "offsets"], ["rest", "broken"]]);

/** @param {import("./shared/explorer.js").Stage} stage */
function draw({ root, facts, state, choose }) {
  const book = new Book(facts);
  const bulky = book.bulky;
  const odd = book.odd;
  let hovered = "";

  const chosen = () => Math.max(0, Math.min(book.rows.length - 1, Math.trunc(Number(state().row)) || 0));
  /** The byte that is chosen; -1 when the whole row is. */
  const byte = () => {
    const at = state().byte;
    const { start, end } = book.rows[chosen()];
    return Number.isInteger(at) && at >= start && at < end ? at : -1;
  };
  const closed = () => (Array.isArray(state().closed) ? state().closed : bulky);
  const query = () => (typeof state().query === "string" ? state().query : "");

  /** Choose a row; what holds it is opened. @param {number} row @param {number | null} [at] */
  const pick = (row, at = null) => {
    const path = new Set(book.path(row));
    const shut = closed();
    const kept = shut.filter((/** @type {number} */ one) => !path.has(one));
    choose({ row, byte: at, ...(kept.length < shut.length ? { closed: kept } : {}) });
  };
  /** @param {number} at */
  const pickByte = (at) => {
    hovered = "";
    const row = book.spaces[book.rows[chosen()].space].row(at);
    if (row) pick(row.index, at);
  };

  const table = tableOf(book, {
    choose: (index) => pick(index),
    fold: (index, shut) => choose({ closed: shut ? [...closed(), index] : closed().filter((/** @type {number} */ one) => one !== index) }),
    enter: () => bytes.element.focus(),
  });
  const bytes = bytesOf(book, {
    choose: pickByte,
    hover: (at) => {
      hovered = "";
      const space = book.spaces[book.rows[chosen()].space];
      const row = at === null || at === byte() ? undefined : space.row(at); // what is chosen is said anyway
      const part = row && at !== null ? book.part(row, at) : undefined;
      if (row && part) hovered = `${nameOf(row)}, ${wordsOf(row, part, (place) => space.byte(place), book.meanings)}`;
      card.show(book.rows[chosen()], byte(), hovered);
    },
    enter: () => table.element.focus(),
  });
  const card = cardOf(book, { choose: (index) => pick(index), byte: pickByte });

  const search = make("input", "dl-search", { type: "search", placeholder: "Search tag, name, value", "aria-label": "Search the table" });
  search.addEventListener("input", () => {
    const now = search.value;
    const first = book.first(now);
    choose({ query: now, ...(first === undefined ? {} : { row: first.index, byte: null }) });
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      table.element.focus();
      event.preventDefault();
    }
    event.stopPropagation();
  });
  const count = make("span", "dl-soft dl-count", { role: "status" });

  const faults = button("", "Go to what is odd, the worst first", "dl-faults");
  let next = 0;
  faults.addEventListener("click", () => {
    pick(odd[next % odd.length]);
    next += 1;
  });
  faults.hidden = odd.length === 0;
  faults.textContent = `${several(odd.length, "oddity").replace("odditys", "oddities")} ▸`;

  const spaces = choice("Which bytes", book.spaces.map((space, number) => [String(number), space.name === "file" ? "File" : "Inflated", space.name === "file" ? "The bytes of the file" : "What the deflated data set inflates to"]), (number) => {
    const first = book.rows.find((row) => row.space === Number(number));
    if (first) pick(first.index);
  });
  spaces.element.hidden = book.spaces.length < 2;

  // The legend names the colours that this file has.
  const tones = new Set(book.rows.flatMap((row) => book.parts(row).map((part) => toneOf(row.kind, part.name))));
  const hides = book.rows.some((row) => row.more.hidden) || book.spaces.some((space) => space.hidden.length > 0);
  const total = book.spaces[0].size;
  const how = `${several(total, "byte")}, ${facts.syntax.name || (facts.syntax.uid ? "a transfer syntax of a maker" : "no transfer syntax stated")}`;
  root.append(
    make("div", "dl-tools", {}, [search, count, spaces.element, faults, make("span", "dl-soft dl-how", {}, [how])]),
    make("div", "dl-panes", {}, [
      make("div", "dl-pane-table", {}, [
        make("div", "dl-taghead", { "aria-hidden": "true" }, ["Tag", "Name", "VR", "Length", "Value"].map((one) => make("span", "", {}, [one]))),
        table.element,
      ]),
      make("div", "dl-pane-bytes", {}, [
        make("div", "dl-bytehead", { "aria-hidden": "true" }, [
          make("span", "dl-offset", {}, ["byte"]),
          make("span", "dl-numbers", {}, Array.from({ length: book.wide }, (_, k) => make("span", "dl-b", {}, [hex(k)]))),
          make("span", "dl-letters", {}, ["text"]),
        ]),
        bytes.element,
      ]),
    ]),
    make("div", "dl-legend", { "aria-label": "Colours" }, [...LEGEND.filter(([name]) => tones.has(name)).map(([name, word]) => make("span", `dl-chip dl-p-${name}`, {}, [word])), ...(hides ? [make("span", "dl-chip dl-hid", {}, ["•• hidden: identity"])] : [])]),
    card.element,
  );

  let before = { row: -1, byte: -2, query: "", closed: /** @type {unknown} */ (null) };
  return {
    update() {
      const row = book.rows[chosen()];
      const at = byte();
      const words = query();
      const part = at >= 0 ? book.part(row, at) : undefined;
      const link = at >= 0 ? book.link(row.space, at) : undefined;
      const moved = row.index !== before.row || at !== before.byte;
      if (search.value !== words) search.value = words;
      const shut = closed();
      table.show(book.seen(shut, words), words ? [] : shut, row.index, moved || words !== before.query);
      const pixel = at >= 0 ? book.pixel(row, at) : undefined;
      const lit = link ?? pixel ?? part ?? row;
      bytes.show(row.space, row.index, at, [lit.start, lit.end], moved ? (at >= 0 ? at : row.start) : -1);
      card.show(row, at, hovered);
      spaces.show(String(row.space));
      const found = book.found(words);
      count.textContent = words ? `${found} of ${several(book.rows.length, "row")}` : `${several(book.rows.length, "row")}${facts.left ? `, ${facts.left.toLocaleString("en-GB")} more not listed` : ""}`;
      root.dataset.row = String(row.index);
      root.dataset.ready = "true";
      before = { row: row.index, byte: at, query: words, closed: shut };
    },
    destroy() {
      table.destroy();
      bytes.destroy();
    },
  };
}

export default explorer("file", "A DICOM file, byte by byte", draw);
