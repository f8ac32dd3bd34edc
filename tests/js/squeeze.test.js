import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import test from "node:test";

import { errorsOf, greyOf, inflated, nice, quantised, signedColour } from "../../dicomlab/teach/js/compression/numbers.js";
import { alike, placesOf, wordsOfPart } from "../../dicomlab/teach/js/encodings/rows.js";
import { vectors } from "./vectors.js";

/** @type {any} */
const told = vectors("squeeze");

test("fewer bits are those of Python", () => {
  for (const { bits, kept, values } of told.kept) assert.deepEqual([...quantised(told.values, bits, kept)], values, `${kept} bits`);
});

test("greys and signed colours are those of Python", () => {
  for (const { centre, width, base, slope, greys } of told.greys) assert.deepEqual(told.values.map((/** @type {number} */ one) => greyOf(base + slope * one, centre, width)), greys);
  for (const { most, colours } of told.colours) assert.deepEqual(told.differences.map((/** @type {number} */ one) => signedColour(one, most)), colours);
});

test("errors are the largest and the root of the mean square, in real units", () => {
  assert.deepEqual(errorsOf([3, -4, 0, 0], -2), { max: 8, rms: 5 });
});

test("what is deflated is inflated again", async () => {
  const numbers = Int16Array.from([1, -2, 300]);
  const text = deflateSync(new Uint8Array(numbers.buffer)).toString("base64");
  assert.deepEqual([...new Int16Array(await inflated(text))], [1, -2, 300]);
});

test("numbers are as long as they say something", () => {
  assert.deepEqual([nice(3, "HU"), nice(3.14159), nice(31.4159), nice(314.159, "HU")], ["3 HU", "3.14", "31.4", "314 HU"]);
});

/** @param {string} name @param {string} bytes @param {string} space @param {number} start */
const encoding = (name, bytes, space, start) => ({ name, about: "", space, elements: [{ start, size: 10, vr: "US", meant: "US", length: 2, big: false, text: "64", count: 1, more: 0, parts: /** @type {any} */ ([["tag", "tag", bytes, 4, 0, "Rows"]]) }] });

test("encodings of the same bytes stand together, those of a deflated stream apart", () => {
  const all = [encoding("a", "KAAQAA==", "file", 9), encoding("b", "ACgAEA==", "file", 9), encoding("c", "KAAQAA==", "file", 11), encoding("d", "KAAQAA==", "inflated", 5)];
  const found = alike(all, 0);
  assert.deepEqual(found.map((one) => one.encodings.map((each) => each.name).join()), ["a,c", "b", "d"]);
  assert.equal(placesOf(found[0].encodings, 0, 0x00280010), "from byte 9 or up to 11, as group 2 differs");
  assert.equal(placesOf(found[2].encodings, 0, 0x00280010), "from byte 5 of what it inflates to");
});

test("a part says what it is", () => {
  const entry = /** @type {any} */ ({ big: true, meant: "US", text: "64", count: 1 });
  assert.equal(wordsOfPart(entry, ["length", "length", "AAI=", 2, 0, 2]), "length: 2 bytes big endian: 00 02 = 2");
  assert.equal(wordsOfPart(entry, ["value", "value", "AEA=", 2, 0, "element"]), "value: 2 bytes: 64, 1 value");
  assert.equal(wordsOfPart({ ...entry, meant: "LO" }, ["value", "value", "NjQ=", 2, 0, "element"]), "value: 2 bytes: '64', 1 value");
  assert.equal(wordsOfPart(entry, ["value", "value", "AAA=", 2, 1, "element"]), "value: 2 bytes, hidden, as it may identify a patient");
});
