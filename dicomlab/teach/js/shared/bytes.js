// Bytes as the explorers of files show them: parts of an element, their tones, what each of them says in words. Pure.

/**
 * @typedef {object} Row a run of bytes that belong together; dicomlab/teach/dissect/nodes.py
 * @property {number} index @property {number} space @property {number} start @property {number} end @property {number} depth
 * @property {string} kind @property {string} layout @property {number} tag @property {string} vr @property {number} length
 * @property {string} keyword @property {string} text @property {number} count @property {Record<string, any>} more
 */
/** @typedef {{name: string, start: number, end: number}} Part */
/** @typedef {Record<string, [string, number][]>} Layouts */

export const UNDEFINED = 0xffffffff;

/** @param {any[][]} rows @returns {Row[]} */
export function rowsOf(rows) {
  return rows.map(([space, start, end, depth, kind, layout, tag, vr, length, keyword, text, count, more], index) => {
    return { index, space, start, end, depth, kind, layout, tag, vr, length, keyword, text, count, more };
  });
}

/** @param {Row} row @param {Layouts} layouts @returns {Part[]} */
export function partsOf(row, layouts) {
  const found = [];
  let at = row.start;
  for (const [name, size] of layouts[row.layout]) {
    const end = Math.min(at + size, row.end);
    if (end > at) found.push({ name, start: at, end });
    at = end;
  }
  if (at < row.end) found.push({ name: "value", start: at, end: row.end });
  return found;
}

/** The colour of a part, by name. @param {string} kind @param {string} part */
export function toneOf(kind, part) {
  if (part === "value") {
    return { preamble: "outside", prefix: "prefix", offsets: "offsets", fragment: "fragment", deflated: "fragment", hidden: "outside", rest: "rest" }[kind] ?? "value";
  }
  return part === "tag" && ["item", "item_end", "sequence_end", "offsets", "fragment"].includes(kind) ? "item" : part;
}

/** @param {number} tag */
export function tagText(tag) {
  return tag < 0 ? "" : `(${hex(tag >>> 16, 4)},${hex(tag & 0xffff, 4)})`;
}

/** @param {number} value @param {number} [digits] */
export const hex = (value, digits = 2) => value.toString(16).padStart(digits, "0");

/** @param {number} count @param {string} one */
export const several = (count, one) => `${count.toLocaleString("en-GB")} ${one}${count === 1 ? "" : "s"}`;

/** The name of a row, as short as it goes. @param {Row} row */
export function nameOf(row) {
  const names = /** @type {Record<string, string>} */ ({
    preamble: "Preamble", prefix: "Prefix", deflated: "Deflated data set", rest: "Bytes outside", offsets: "Basic Offset Table",
    item: "Item", item_end: "End of the item", sequence_end: "End of the sequence",
  });
  if (row.kind === "hidden") return `${several(row.more.nodes, "more row")}, not listed`;
  if (row.kind === "fragment") return row.more.frame ? `Fragment, frame ${row.more.frame}` : "Fragment";
  return names[row.kind] ?? (row.keyword || row.more.name || (row.more.owner ? "Private element" : "Unknown"));
}

/** @param {Row} row */
export function lengthText(row) {
  if (row.layout === "raw") return String(row.end - row.start);
  return row.length === UNDEFINED ? "undefined" : String(row.length);
}

/**
 * What a part says, in a sentence.
 * @param {Row} row @param {Part} part @param {(at: number) => number | null} byteAt null where the byte is not here @param {Record<string, string>} meanings
 */
export function wordsOf(row, part, byteAt, meanings) {
  const order = row.more.big ? "big endian" : "little endian";
  const size = part.end - part.start;
  const own = Array.from({ length: Math.min(size, 12) }, (_, k) => byteAt(part.start + k));
  const bytes = own.map((one) => (one === null ? "··" : hex(one))).join(" ");
  if (part.name === "tag") {
    const what = row.kind === "element" || row.kind === "sequence" || row.kind === "pixels" ? row.more.name || (row.more.owner ? `private, of ${row.more.owner}` : "no name in the dictionary") : nameOf(row);
    return `tag: group and element, each 2 bytes ${order}: ${bytes} = ${tagText(row.tag)} ${what}`;
  }
  if (part.name === "vr") return `VR: two letters, ${row.vr}: ${meanings[row.vr] ?? "not in the standard"}`;
  if (part.name === "reserved") return `reserved: 2 bytes between VR and length, 00 00, and without a meaning`;
  if (part.name === "length") {
    const says = row.length === UNDEFINED ? "undefined: it goes on until its delimiter" : String(row.length);
    return `length: ${size} bytes ${order}: ${bytes} = ${says}`;
  }
  return valueWords(row, size, meanings);
}

const NUMBERS = ["US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"];

/** Text of the file in quotes; what its bytes mean as numbers without. @param {string} vr @param {string} text */
export const quoted = (vr, text) => (NUMBERS.includes(vr.split(" ")[0]) ? text : `'${text}'`);

/** @param {Row} row @param {number} size @param {Record<string, string>} meanings */
function valueWords(row, size, meanings) {
  const many = several(size, "byte");
  if (row.kind === "preamble") return `preamble: ${many} that readers skip; zeros, or the head of another format`;
  if (row.kind === "prefix") return "prefix: the four letters by which a reader knows the file";
  if (row.kind === "offsets") return `value: ${many} of offsets, 4 each: where the first fragment of each frame begins, counted from the first fragment`;
  if (row.kind === "fragment") return `value: ${many} of compressed pixels${row.more.frame ? `, frame ${row.more.frame}` : ""}`;
  if (row.kind === "deflated") return `value: ${many}, the deflated data set; what it inflates to has addresses of its own`;
  if (row.kind === "hidden") return `${many} of ${several(row.more.nodes, "row")} that are not listed here`;
  if (row.kind === "rest") return `${many} that belong to no element`;
  const means = meanings[row.vr];
  const said = means ? `${row.vr}, ${means}` : row.vr || "no VR is known";
  if (row.more.hidden) return `value: ${many}, ${said}; hidden, as it may identify a patient`;
  if (!row.text) return `value: ${many}, ${said}`;
  return `value: ${many}, ${said}: ${quoted(row.vr, row.text)}, ${several(row.count, "value")}`;
}
