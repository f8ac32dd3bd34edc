// The facts of a file, ready to be asked: which row and part a byte belongs to, which lines of bytes there are, which rows are seen. Pure.

import { hex, nameOf, partsOf, rowsOf, tagText } from "../shared/bytes.js";

/** @typedef {import("../shared/bytes.js").Row} Row */
/** @typedef {{start: number, bytes: Uint8Array}} Chunk */
/** @typedef {{at: number, gap: number}} Line a line of bytes, or a gap of so many bytes that are not here */

export class Book {
  /** @param {Record<string, any>} facts */
  constructor(facts) {
    this.facts = facts;
    this.wide = facts.wide;
    this.layouts = facts.layouts;
    this.meanings = facts.meanings;
    this.rows = rowsOf(facts.rows);
    /** @type {Space[]} */
    this.spaces = facts.spaces.map((/** @type {any} */ one, /** @type {number} */ number) => new Space(one, this.rows.filter((row) => row.space === number), facts.wide));
    /** Each row's parent, -1 at the top. @type {number[]} */
    this.parents = [];
    /** @type {number[]} */
    const open = [];
    for (const row of this.rows) {
      const closes = row.kind === "item_end" || row.kind === "sequence_end";
      const holds = (/** @type {Row} */ one) => one.depth < row.depth && one.space === row.space;
      while (open.length && !holds(this.rows[open[open.length - 1]])) open.pop();
      this.parents.push(open.at(-1) ?? -1);
      if (!closes) open.push(row.index);
    }
    this.children = this.rows.map((row) => this.parents[row.index + 1] === row.index);
  }

  /** @param {Row} row */
  parts(row) {
    return partsOf(row, this.layouts);
  }

  /** @param {Row} row @param {number} at */
  part(row, at) {
    return this.parts(row).find((one) => at >= one.start && at < one.end);
  }

  /** Rows that have something odd, the worst first. */
  get odd() {
    const rank = /** @type {Record<string, number>} */ ({ stop: 0, warn: 1, tell: 2 });
    const worst = (/** @type {Row} */ row) => Math.min(...row.more.notes.map((/** @type {string[]} */ note) => rank[note[0]]));
    const found = this.rows.filter((row) => row.more.notes && worst(row) < 2);
    return found.sort((a, b) => worst(a) - worst(b) || a.index - b.index).map((row) => row.index);
  }

  /** Those that hold many rows, and are closed at first. */
  get bulky() {
    const within = this.rows.map(() => 0);
    for (const row of this.rows) for (let up = this.parents[row.index]; up >= 0; up = this.parents[up]) within[up] += 1;
    return this.rows.filter((row) => row.kind === "sequence" && within[row.index] > 40).map((row) => row.index);
  }

  /** Rows that are seen: found by the search with what they lie in, or those that no closed one holds. @param {number[]} closed @param {string} query */
  seen(closed, query) {
    const words = query.trim().toLowerCase();
    if (words) {
      const keep = new Set();
      for (const row of this.rows) if (matches(row, words)) for (let up = row.index; up >= 0; up = this.parents[up]) keep.add(up);
      return this.rows.filter((row) => keep.has(row.index)).map((row) => row.index);
    }
    const shut = new Set(closed);
    /** @type {boolean[]} */
    const away = [];
    for (const row of this.rows) {
      const up = this.parents[row.index];
      away.push(up >= 0 && (away[up] || shut.has(up)));
    }
    return this.rows.filter((row) => !away[row.index]).map((row) => row.index);
  }

  /** How many rows a search finds. @param {string} query */
  found(query) {
    const words = query.trim().toLowerCase();
    return words ? this.rows.filter((row) => matches(row, words)).length : this.rows.length;
  }

  /** The first row that a search finds. @param {string} query */
  first(query) {
    const words = query.trim().toLowerCase();
    return words ? this.rows.find((row) => matches(row, words)) : undefined;
  }

  /** What holds a row, from the outside. @param {number} index */
  path(index) {
    const found = [];
    for (let up = this.parents[index]; up >= 0; up = this.parents[up]) found.unshift(up);
    return found;
  }

  /** The offset that a byte belongs to. @param {number} space @param {number} at */
  link(space, at) {
    if (space !== this.spaces.length - 1) return undefined;
    const one = this.facts.links.find((/** @type {number[]} */ [start, end]) => at >= start && at < end);
    return one && { start: one[0], end: one[1], target: one[2], frame: one[3] };
  }

  /** Which pixel a byte of native pixels belongs to, counted from 0, and its bytes. @param {Row} row @param {number} at */
  pixel(row, at) {
    const native = this.facts.native;
    if (!native || native.row !== row.index) return undefined;
    const head = this.parts(row).at(-1)?.start ?? row.start;
    const number = Math.floor((at - head) / native.bytes);
    const start = head + number * native.bytes;
    if (at < head || start + native.bytes > row.end) return undefined;
    const plane = native.rows * native.columns;
    const frame = Math.floor(number / (plane * native.samples));
    const within = number - frame * plane * native.samples;
    const pixel = native.planar && native.samples > 1 ? within % plane : Math.floor(within / native.samples);
    const sample = native.planar && native.samples > 1 ? Math.floor(within / plane) : within % native.samples;
    return { frame, row: Math.floor(pixel / native.columns), column: pixel % native.columns, sample, start, end: start + native.bytes };
  }

  /** The stored value of a pixel, null where its bytes are not here. @param {number} space @param {number} start */
  stored(space, start) {
    const { bytes, little, signed, stored, float } = this.facts.native;
    const own = Array.from({ length: bytes }, (_, k) => this.spaces[space].byte(start + k));
    if (own.some((one) => one === null) || float || bytes > 4) return null;
    if (!little) own.reverse();
    const raw = own.reduce((/** @type {number} */ sum, one, k) => sum + Number(one) * 2 ** (8 * k), 0) % 2 ** stored;
    return signed && raw >= 2 ** (stored - 1) ? raw - 2 ** stored : raw;
  }
}

export class Space {
  /** @param {{name: string, size: number, chunks: [number, string][], hidden: [number, number][]}} told @param {Row[]} rows @param {number} wide */
  constructor(told, rows, wide) {
    this.name = told.name;
    this.size = told.size;
    this.rows = rows;
    this.wide = wide;
    this.hidden = told.hidden;
    /** @type {Chunk[]} */
    this.chunks = told.chunks.map(([start, text]) => ({ start, bytes: Uint8Array.from(atob(text), (one) => one.charCodeAt(0)) }));
    /** First line of each chunk; between two chunks one line stands for the gap. @type {{line: number, start: number, end: number, gap: boolean}[]} */
    this.runs = [];
    let line = 0;
    let at = 0;
    const add = (/** @type {number} */ start, /** @type {number} */ end, /** @type {boolean} */ gap) => {
      this.runs.push({ line, start, end, gap });
      line += gap ? 1 : Math.ceil((end - start) / wide);
    };
    for (const { start, bytes } of this.chunks) {
      if (start > at) add(at, start, true);
      add(start, start + bytes.length, false);
      at = start + bytes.length;
    }
    if (at < this.size) add(at, this.size, true);
    this.lines = line;
  }

  /** @param {number} at @returns {number | null} */
  byte(at) {
    const chunk = last(this.chunks, (one) => one.start <= at);
    const found = chunk?.bytes[at - chunk.start];
    return found === undefined || this.isHidden(at) ? null : found;
  }

  /** @param {number} at */
  isHidden(at) {
    const stretch = last(this.hidden, (one) => one[0] <= at);
    return stretch !== undefined && at < stretch[1];
  }

  /** The row of a byte. @param {number} at */
  row(at) {
    const found = last(this.rows, (one) => one.start <= at);
    return found && at < found.end ? found : undefined;
  }

  /** @param {number} line @returns {Line} */
  line(line) {
    const run = last(this.runs, (one) => one.line <= line) ?? this.runs[0];
    return run.gap ? { at: run.start, gap: run.end - run.start } : { at: run.start + (line - run.line) * this.wide, gap: 0 };
  }

  /** The line where a byte stands. @param {number} at */
  lineOf(at) {
    const run = last(this.runs, (one) => one.start <= at) ?? this.runs[0];
    return run.gap ? run.line : run.line + Math.floor((Math.min(at, run.end - 1) - run.start) / this.wide);
  }
}

/** The last of a sorted list for which something holds. @template T @param {T[]} list @param {(one: T) => boolean} holds */
function last(list, holds) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low ? list[low - 1] : undefined;
}

/** @param {Row} row @param {string} words */
function matches(row, words) {
  const tag = row.tag < 0 ? "" : `${tagText(row.tag)} ${hex(row.tag, 8)}`;
  return `${tag} ${row.vr} ${nameOf(row)} ${row.more.name ?? ""} ${row.text} ${row.more.owner ?? ""}`.toLowerCase().includes(words);
}
