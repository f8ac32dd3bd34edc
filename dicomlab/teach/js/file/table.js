// The table of the tags: a tree of which only the rows that can be seen are drawn.

import { make } from "../../../view/js/elements.js";
import { lengthText, nameOf, tagText } from "../shared/bytes.js";
import { rolling } from "../shared/rolling.js";

const HEIGHT = 22;
const INDENT = 13;

/** A name whose end stays where it is cut: many names begin alike. @param {string} name */
const ended = (name) => (name.length > 16 ? [make("span", "dl-namehead", {}, [name.slice(0, -8)]), make("span", "dl-nametail", {}, [name.slice(-8)])] : [make("span", "dl-namehead", {}, [name])]);

/**
 * @param {import("./book.js").Book} book
 * @param {{choose: (index: number) => void, fold: (index: number, shut: boolean) => void, enter: () => void}} tell
 */
export function tableOf(book, tell) {
  /** @type {number[]} */
  let seen = [];
  /** @type {Set<number>} */
  let shut = new Set();
  let chosen = -1;
  const id = `dl-row-${Math.random().toString(36).slice(2, 8)}`;
  const list = rolling({
    height: HEIGHT, className: "dl-tags", draw: (line) => drawn(seen[line]),
    attributes: { role: "treegrid", "aria-label": "Elements; arrow keys choose, left and right fold", "aria-rowcount": String(book.rows.length) },
  });
  /** @param {number} index */
  const drawn = (index) => {
    const row = book.rows[index];
    const worst = row.more.notes?.some((/** @type {string[]} */ note) => note[0] === "stop") ? "stop" : row.more.notes?.some((/** @type {string[]} */ note) => note[0] === "warn") ? "warn" : "";
    const twisty = make("span", "dl-twisty", { "aria-hidden": "true" }, [book.children[index] ? (shut.has(index) ? "▸" : "▾") : ""]);
    const name = make("span", "dl-tagname", {}, ended(nameOf(row)));
    if (worst) name.prepend(make("span", `dl-flag dl-${worst}`, { title: row.more.notes[0][1], role: "img", "aria-label": row.more.notes[0][1] }, ["!"]));
    // Tag and name move to the right together, so that names need not begin where the deepest does.
    const indent = `padding-left:${Math.min(row.depth, 9) * INDENT}px`;
    const node = make("div", `dl-tagrow dl-kind-${row.kind}`, { role: "row", id: `${id}-${index}`, "aria-level": String(row.depth + 1), "aria-selected": String(index === chosen), "data-index": String(index) }, [
      make("span", "dl-tagcell", { role: "gridcell", style: indent }, [twisty, make("code", "dl-t-tag", {}, [tagText(row.tag) || (row.kind === "prefix" ? "" : "")])]),
      make("span", "dl-namecell", { role: "gridcell", style: indent, title: row.more.name ?? nameOf(row) }, [name]),
      make("code", "dl-t-vr", { role: "gridcell", title: book.meanings[row.vr] ?? "" }, [row.kind === "element" || row.kind === "sequence" || row.kind === "pixels" ? row.vr.split(" ")[0] : ""]),
      make("code", "dl-t-length", { role: "gridcell" }, [lengthText(row) === "undefined" ? "undef." : lengthText(row)]),
      make("code", row.more.hidden ? "dl-t-hidden" : "dl-t-value", { role: "gridcell", title: row.more.hidden ? "Hidden: it may identify a patient" : row.text }, [row.text]),
    ]);
    if (book.children[index]) node.setAttribute("aria-expanded", String(!shut.has(index)));
    return node;
  };
  list.element.addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = /** @type {HTMLElement | null} */ (target.closest(".dl-tagrow"));
    if (!row) return;
    const index = Number(row.dataset.index);
    if (target.closest(".dl-twisty") && book.children[index]) tell.fold(index, !shut.has(index));
    tell.choose(index);
  });
  list.element.addEventListener("dblclick", (event) => {
    const row = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest(".dl-tagrow"));
    if (row && book.children[Number(row.dataset.index)]) tell.fold(Number(row.dataset.index), !shut.has(Number(row.dataset.index)));
  });
  list.element.addEventListener("keydown", (event) => {
    const at = Math.max(0, seen.indexOf(chosen));
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: list.page(), PageUp: -list.page(), Home: -seen.length, End: seen.length });
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) tell.choose(seen[Math.max(0, Math.min(seen.length - 1, at + steps[event.key]))]);
    else if (event.key === "ArrowRight" && book.children[chosen]) shut.has(chosen) ? tell.fold(chosen, false) : tell.choose(chosen + 1);
    else if (event.key === "ArrowLeft") {
      if (book.children[chosen] && !shut.has(chosen)) tell.fold(chosen, true);
      else if (book.parents[chosen] >= 0) tell.choose(book.parents[chosen]);
    } else if (event.key === "Enter") tell.enter();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    element: list.element,
    /** @param {number[]} rows @param {number[]} closed @param {number} row @param {boolean} follow */
    show(rows, closed, row, follow) {
      seen = rows;
      shut = new Set(closed);
      chosen = row;
      list.element.setAttribute("aria-activedescendant", `${id}-${row}`);
      list.set(seen.length);
      const line = seen.indexOf(row);
      if (follow && line >= 0) list.reveal(line);
    },
    destroy: list.destroy,
  };
}
