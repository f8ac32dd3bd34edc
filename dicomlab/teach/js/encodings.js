// One element in several transfer syntaxes, part by part beside each other, and how large the files are.

import { make } from "../../view/js/elements.js";
import { alike, bars, blocksOf, placesOf, wordsOfPart } from "./encodings/rows.js";
import { several, tagText } from "./shared/bytes.js";
import { explorer } from "./shared/explorer.js";
import { rolling } from "./shared/rolling.js";

/** @param {import("./shared/explorer.js").Stage} stage */
function draw({ root, facts, state, choose }) {
  /** @type {{tag: number, keyword: string, name: string, vr: string, same: boolean}[]} */
  const elements = facts.elements;
  const chosen = () => Math.max(0, Math.min(elements.length - 1, Math.trunc(Number(state().element)) || 0));
  const query = () => (typeof state().query === "string" ? state().query.trim().toLowerCase() : "");
  /** @type {number[]} */
  let seen = [];
  const seenNow = () => elements.map((_, index) => index).filter((index) => `${tagText(elements[index].tag)} ${elements[index].keyword} ${elements[index].name} ${elements[index].vr}`.toLowerCase().includes(query()));

  const search = make("input", "dl-search", { type: "search", placeholder: "Search tag or name", "aria-label": "Search the elements" });
  search.addEventListener("input", () => {
    const now = search.value.trim().toLowerCase();
    choose({ query: search.value });
    if (now && seen.length && !seen.includes(chosen())) choose({ element: seen[0] });
  });
  const id = `dl-element-${Math.random().toString(36).slice(2, 8)}`;
  const list = rolling({
    height: 22, className: "dl-elements", attributes: { role: "listbox", "aria-label": "Elements; arrow keys choose" },
    draw: (line) => {
      const one = elements[seen[line]];
      return make("div", "dl-element", { role: "option", id: `${id}-${seen[line]}`, "aria-selected": String(seen[line] === chosen()), "data-index": String(seen[line]) }, [
        make("code", "dl-t-tag", {}, [tagText(one.tag)]),
        make("span", "", { title: one.name }, [one.keyword]),
      ]);
    },
  });
  list.element.addEventListener("click", (event) => {
    const row = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest(".dl-element"));
    if (row) choose({ element: Number(row.dataset.index) });
  });
  list.element.addEventListener("keydown", (event) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: list.page(), PageUp: -list.page(), Home: -seen.length, End: seen.length });
    if (!(event.key in steps) || !seen.length || event.ctrlKey || event.metaKey || event.altKey) return;
    choose({ element: seen[Math.max(0, Math.min(seen.length - 1, Math.max(0, seen.indexOf(chosen())) + steps[event.key]))] });
    event.preventDefault();
    event.stopPropagation();
  });

  const none = make("div", "dl-soft dl-none", { role: "status" });
  const head = make("div", "dl-enchead");
  const said = make("div", "dl-said", { "aria-live": "polite" });
  const rows = make("div", "dl-encrows");
  const sizes = make("div", "dl-sizes", {}, [make("div", "dl-head", {}, ["Sizes of the files ", make("span", "dl-chip dl-p-tag", {}, ["header"]), " ", make("span", "dl-chip dl-p-fragment", {}, ["pixels"]), " ", make("span", "dl-chip dl-p-offsets", {}, ["both, deflated"])]), ...bars(facts.encodings)]);
  root.append(
    make("div", "dl-encpanes", {}, [
      make("div", "dl-encside", {}, [search, none, list.element]),
      make("div", "dl-encmain", {}, [head, rows, said]),
    ]),
    sizes,
  );
  const hover = (/** @type {string} */ text) => {
    said.textContent = text;
  };
  let before = -1;
  return {
    update() {
      const index = chosen();
      const one = elements[index];
      if (document.activeElement !== search && search.value !== (state().query ?? "")) search.value = state().query ?? "";
      seen = seenNow();
      list.element.setAttribute("aria-activedescendant", `${id}-${index}`);
      list.set(seen.length);
      none.textContent = seen.length ? "" : "No element of this file has that in its tag, name or VR.";
      if (index !== before && seen.includes(index)) list.reveal(seen.indexOf(index));
      const present = facts.encodings.filter((/** @type {any} */ encoding) => encoding.elements[index]).length;
      const same = one.tag >>> 16 === 2 ? "Group 2 is written alike in all of them, and says which encoding follows." : one.same ? `Read again by pydicom, its value is the same in ${present === facts.encodings.length ? "all" : "these"} ${present}.` : "Read again by pydicom, its value is not the same in all of them.";
      head.replaceChildren(make("code", "dl-t-tag", {}, [tagText(one.tag)]), make("strong", "", {}, [` ${one.keyword} `]), make("span", one.same ? "dl-soft" : "dl-warning", {}, [same]));
      rows.replaceChildren(
        ...alike(facts.encodings, index).map(({ encodings, entry }) => {
          const names = encodings.map((encoding) => encoding.name).join(", ");
          const places = entry ? `${several(entry.size, "byte")}, ${placesOf(encodings, index, one.tag)}` : "not in this file";
          const about = encodings.length === 1 || one.keyword === "PixelData" ? encodings[0].about : "";
          return make("div", "dl-encoding", {}, [
            make("div", "dl-encname", {}, [make("strong", "", {}, [names]), make("span", "dl-soft", {}, [` ${places}${about ? `. ${about}` : ""}`])]),
            make("div", "dl-blocks dl-thin", {}, entry ? blocksOf(entry, (part) => hover(`${names}: ${wordsOfPart(entry, part)}`)) : []),
          ]);
        }),
      );
      said.textContent = "Point at a part to hear what it says.";
      root.dataset.element = String(index);
      root.dataset.ready = "true";
      before = index;
    },
    destroy: list.destroy,
  };
}

export default explorer("encodings", "One data set in several transfer syntaxes", draw);
