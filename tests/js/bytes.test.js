import assert from "node:assert/strict";
import test from "node:test";

import { Book } from "../../dicomlab/teach/js/file/book.js";
import { partsOf, toneOf, wordsOf } from "../../dicomlab/teach/js/shared/bytes.js";
import { vectors } from "./vectors.js";

/** @type {any} */
const told = vectors("bytes");
/** @type {{book: Book, parts: [string, number, number][][], sizes: number[]}[]} */
const files = told.files.map((/** @type {any} */ one) => ({ ...one, book: new Book(one.facts) }));
const [explicit, implicit, big, cut, frames, deflated] = files.map((one) => one.book);

/** @param {Book} book @param {string} keyword */
const row = (book, keyword) => {
  const found = book.rows.find((one) => one.keyword === keyword);
  assert.ok(found, keyword);
  return found;
};
/** @param {Book} book @param {import("../../dicomlab/teach/js/shared/bytes.js").Row} one @param {string} name */
const says = (book, one, name) => {
  const part = book.parts(one).find((part) => part.name === name);
  assert.ok(part, name);
  return wordsOf(one, part, (at) => book.spaces[one.space].byte(at), book.meanings);
};

test("the parts of each row are those of Python, in the same colours", () => {
  for (const { book, parts } of files) {
    assert.deepEqual(book.rows.map((one) => partsOf(one, book.layouts).map(({ name, start, end }) => [name, start, end])), parts);
  }
  for (const [kind, part, tone] of told.tones) assert.equal(toneOf(kind, part), tone, `${kind} ${part}`);
});

test("each byte finds its row and its part, and each line its place", () => {
  for (const { book, sizes } of files) {
    book.spaces.forEach((space, number) => {
      assert.equal(space.size, sizes[number]);
      for (let at = 0; at < space.size; at += 1) {
        const one = space.row(at);
        assert.ok(one && one.start <= at && at < one.end);
        const part = book.part(one, at);
        assert.ok(part && part.start <= at && at < part.end);
        const line = space.line(space.lineOf(at));
        assert.ok(line.at <= at && (line.gap || at < line.at + 16));
      }
      assert.equal(space.row(space.size), undefined);
    });
  }
});

test("lines that are not there are one gap, and the bytes behind it have their own addresses", () => {
  const { facts } = told.files[0];
  const whole = explicit.spaces[0];
  const bytes = Array.from({ length: whole.size }, (_, at) => whole.byte(at) ?? 0);
  const piece = (/** @type {number} */ a, /** @type {number} */ b) => [a, Buffer.from(bytes.slice(a, b)).toString("base64")];
  const some = new Book({ ...facts, spaces: [{ ...facts.spaces[0], hidden: [], chunks: [piece(0, 64), piece(160, 208)] }] }).spaces[0];
  assert.equal(some.lines, 4 + 1 + 3 + 1);
  assert.deepEqual(some.line(4), { at: 64, gap: 96 });
  assert.deepEqual(some.line(5), { at: 160, gap: 0 });
  assert.deepEqual([some.lineOf(63), some.lineOf(100), some.lineOf(175), some.lineOf(whole.size - 1)], [3, 4, 5, 8]);
  assert.equal(some.byte(100), null);
  assert.equal(some.byte(161), bytes[161]);
});

test("what a part says is right in each transfer syntax", () => {
  assert.equal(says(explicit, row(explicit, "Rows"), "length"), "length: 2 bytes little endian: 02 00 = 2");
  assert.equal(says(implicit, row(implicit, "Rows"), "length"), "length: 4 bytes little endian: 02 00 00 00 = 2");
  assert.equal(says(big, row(big, "Rows"), "length"), "length: 2 bytes big endian: 00 02 = 2");
  assert.equal(says(big, row(big, "Rows"), "tag"), "tag: group and element, each 2 bytes big endian: 00 28 00 10 = (0028,0010) Rows");
  assert.equal(says(explicit, row(explicit, "PixelSpacing"), "value"), "value: 8 bytes, DS, decimal string: '0.75\\0.5', 2 values");
  assert.equal(says(explicit, row(explicit, "PatientName"), "value"), "value: 8 bytes, PN, person name, parts between ^; hidden, as it may identify a patient");
  assert.equal(says(frames, row(frames, "PixelData"), "length"), "length: 4 bytes little endian: ff ff ff ff = undefined: it goes on until its delimiter");
});

test("hidden bytes are not there, and are not zeros", () => {
  const name = row(explicit, "PatientName");
  const value = explicit.parts(name).find((part) => part.name === "value");
  assert.ok(value);
  for (let at = value.start; at < value.end; at += 1) {
    assert.equal(explicit.spaces[0].byte(at), null);
    assert.ok(explicit.spaces[0].isHidden(at));
  }
  assert.equal(explicit.spaces[0].byte(value.start - 1), 0);
  assert.equal(explicit.spaces[0].byte(value.start - 2), 8);
});

test("a search finds tags, keywords, VRs and values, and keeps what they lie in", () => {
  const names = (/** @type {string} */ words) => explicit.seen([], words).map((index) => explicit.rows[index].keyword);
  assert.deepEqual(names("0028,0030"), ["PixelSpacing"]);
  assert.deepEqual(names("00280030"), ["PixelSpacing"]);
  assert.deepEqual(names("pixel sp"), ["PixelSpacing"]);
  assert.deepEqual(names("0.75"), ["PixelSpacing"]);
  assert.equal(explicit.found("code meaning"), 3);
  const path = ["SourceImageSequence", "Item", "PurposeOfReferenceCodeSequence", "Item", "CodeMeaning"];
  assert.deepEqual(names("code meaning").slice(0, 5), path);
  assert.deepEqual(names("doe"), [], "a hidden value cannot be found");
  assert.equal(explicit.first("code meaning")?.keyword, "CodeMeaning");
});

test("what a closed row holds is not seen, however deep", () => {
  const outer = row(explicit, "SourceImageSequence").index;
  const seen = explicit.seen([outer], "");
  assert.ok(seen.includes(outer));
  for (const one of explicit.rows) assert.equal(seen.includes(one.index), !explicit.path(one.index).includes(outer), one.keyword);
});

test("a delimiter belongs to what it ends, and rows of two spaces do not hold each other", () => {
  for (const { book } of files) {
    for (const one of book.rows) {
      const parent = book.rows[book.parents[one.index]];
      assert.equal(parent === undefined, one.depth === 0);
      if (parent) assert.ok(parent.depth === one.depth - 1 && parent.space === one.space, `${parent.keyword} holds ${one.keyword}`);
    }
  }
  assert.equal(deflated.spaces.length, 2);
});

test("offsets lead to the fragments of their frames", () => {
  const table = frames.rows.find((one) => one.kind === "offsets");
  assert.ok(table);
  for (let frame = 1; frame <= 3; frame += 1) {
    const link = frames.link(0, table.end - 4 * (4 - frame) + 3);
    assert.ok(link);
    assert.equal(frames.rows[link.target].kind, "fragment");
    assert.equal(frames.rows[link.target].more.frame, frame);
  }
  assert.equal(frames.link(0, table.start), undefined);
});

test("a byte of native pixels knows its pixel, in colour by plane too", () => {
  const { facts } = told.files[0];
  const pixels = { ...explicit.rows[0], index: explicit.rows.length, kind: "element", layout: "raw", start: 0, end: 2 * 3 * 4 * 2 * 2 };
  const book = new Book({ ...facts, native: { row: pixels.index, rows: 3, columns: 4, samples: 1, planar: 0, bytes: 2, stored: 12, signed: true, float: false, little: true, frames: 2 } });
  assert.deepEqual(book.pixel(pixels, 0), { frame: 0, row: 0, column: 0, sample: 0, start: 0, end: 2 });
  assert.deepEqual(book.pixel(pixels, 24 + 2 * 5 + 1), { frame: 1, row: 1, column: 1, sample: 0, start: 34, end: 36 });
  const colour = new Book({ ...facts, native: { ...book.facts.native, samples: 3, bytes: 1, planar: 1, frames: 1 } });
  assert.deepEqual(colour.pixel(pixels, 12 + 5), { frame: 0, row: 1, column: 1, sample: 1, start: 17, end: 18 });
  const mixed = new Book({ ...facts, native: { ...colour.facts.native, planar: 0 } });
  assert.deepEqual(mixed.pixel(pixels, 17), { frame: 0, row: 1, column: 1, sample: 2, start: 17, end: 18 });
});

test("the worst comes first among what is odd", () => {
  assert.ok(cut.odd.length > 0);
  assert.equal(cut.rows[cut.odd[0]].more.notes[0][0], "stop");
  assert.deepEqual(explicit.odd, []);
});
