// The parts of an element in one encoding as blocks of bytes, and the sizes of files as bars.

import { make } from "../../../view/js/elements.js";
import { UNDEFINED, hex, quoted, several } from "../shared/bytes.js";

/** @typedef {[tone: string, name: string, bytes: string, size: number, hidden: number, words: string | number]} Part */
/** @typedef {{start: number, size: number, vr: string, meant: string, length: number, big: boolean, text: string, count: number, parts: Part[], more: number}} Entry */

/** @param {string} text */
export const bytesFrom = (text) => Array.from(atob(text), (one) => one.charCodeAt(0));

/** @typedef {{name: string, about: string, space: string, elements: (Entry | null)[]}} Encoding */

/** Encodings in which an element is the same bytes, together. @param {Encoding[]} encodings @param {number} index */
export function alike(encodings, index) {
  /** @type {Map<string, {encodings: Encoding[], entry: Entry | null}>} */
  const found = new Map();
  for (const one of encodings) {
    const entry = one.elements[index];
    const key = JSON.stringify(entry && [entry.parts, entry.size, one.space]);
    const group = found.get(key) ?? { encodings: [], entry };
    group.encodings.push(one);
    found.set(key, group);
  }
  return [...found.values()];
}

/** Where an element stands. @param {Encoding[]} encodings @param {number} index @param {number} tag */
export function placesOf(encodings, index, tag) {
  const starts = [...new Set(encodings.map((one) => one.elements[index]?.start ?? 0))];
  const first = Math.min(...starts);
  const last = Math.max(...starts);
  const inflated = encodings[0].space === "inflated" && tag >>> 16 !== 2;
  return `from byte ${first}${last > first ? ` or up to ${last}, as group 2 differs` : ""}${inflated ? " of what it inflates to" : ""}`;
}

/** What a part says. @param {Entry} entry @param {Part} part */
export function wordsOfPart(entry, [, name, bytes, size, hidden, words]) {
  const order = entry.big ? "big endian" : "little endian";
  const own = bytesFrom(bytes);
  const shown = own.slice(0, 12).map((one) => hex(one)).join(" ");
  if (name === "tag") return `tag: group and element, each 2 bytes ${order}: ${shown} = ${words || "no name"}`;
  if (name === "vr") return `VR: two letters, ${words}`;
  if (name === "reserved") return "reserved: 2 bytes without a meaning";
  if (name === "length") return `length: ${size} bytes ${order}: ${shown} = ${words === UNDEFINED ? "undefined: until the delimiter" : words}`;
  if (hidden) return `value: ${several(size, "byte")}, hidden, as it may identify a patient`;
  if (words === "fragment") return `a fragment: ${several(size, "byte")} of compressed pixels`;
  if (words === "offsets") return `the offset table: ${several(size, "byte")}`;
  return `value: ${several(size, "byte")}${entry.text ? `: ${quoted(entry.meant, entry.text)}, ${several(entry.count, "value")}` : ""}`;
}

/** @param {Entry} entry @param {(part: Part) => void} hover */
export function blocksOf(entry, hover) {
  const found = entry.parts.map((part) => {
    const [tone, name, bytes, size, hidden] = part;
    const own = bytesFrom(bytes);
    const text = own.map((one) => (hidden ? "••" : hex(one))).join(" ") + (size > own.length ? ` … ${(size - own.length).toLocaleString("en-GB")} more` : "");
    const node = make("span", `dl-block dl-p-${tone}${hidden ? " dl-hid" : ""}`, { tabindex: "0", title: wordsOfPart(entry, part) }, [make("code", "", {}, [text]), make("span", "dl-blockname", {}, [name === "vr" ? "VR" : name])]);
    node.addEventListener("pointerenter", () => hover(part));
    node.addEventListener("focus", () => hover(part));
    return node;
  });
  if (entry.more > 0) found.push(make("span", "dl-soft dl-more", {}, [`… ${several(entry.more, "part")} more`]));
  return found;
}

/** @param {{name: string, size: number, head: number, pixels: number}[]} encodings */
export function bars(encodings) {
  const most = Math.max(...encodings.map((one) => one.size));
  return encodings.map(({ name, size, head, pixels }) => {
    const share = (/** @type {number} */ part) => `${(100 * part) / most}%`;
    const pieces = head ? [["tag", head, "header"], ["fragment", pixels, "pixels"]] : [["offsets", size, "header and pixels, deflated"]];
    return make("div", "dl-size", {}, [
      make("span", "", {}, [name]),
      make("span", "dl-bar", { role: "img", "aria-label": pieces.map(([, part, word]) => `${part} bytes of ${word}`).join(", ") }, pieces.map(([tone, part, word]) => make("span", `dl-p-${tone}`, { style: `width:${share(Number(part))}`, title: `${several(Number(part), "byte")} of ${word}` }))),
      make("code", "dl-value", {}, [size.toLocaleString("en-GB")]),
      make("code", "dl-value dl-soft", {}, [most / size < 1.05 ? "" : `÷ ${(most / size).toFixed(2)}`]),
    ]);
  });
}
