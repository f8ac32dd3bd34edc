import assert from "node:assert/strict";
import test from "node:test";

import { scaleFrom } from "../../dicomlab/view/js/codec.js";
import { Painter, honest, table, valueOf } from "../../dicomlab/view/js/lut.js";
import { vectors } from "./vectors.js";

test("every one of the 65,536 codes gets the grey that Python gives it, in every function", () => {
  for (const { window, scale, invert, runs } of vectors("tables")) {
    const words = table(window, invert, { ...scale, special: false, exact: true });
    let code = 0;
    for (const [shade, count] of runs) {
      for (let n = 0; n < count; n++, code++) {
        const word = (0xff000000 | (shade * 0x010101)) >>> 0;
        if (words[code] !== word) assert.fail(`${JSON.stringify({ window, scale, invert })} code ${code}: ${words[code] & 255}, not ${shade}`);
      }
    }
    assert.equal(code, 65536);
  }
});

test("codes become the values that Python says they are", () => {
  for (const { scale, codes, values } of vectors("codes")) {
    const ours = codes.map((/** @type {number} */ code) => valueOf(code, scaleFrom(scale)));
    const texts = ours.map((/** @type {number} */ x) => (Number.isFinite(x) ? x : Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf"));
    assert.deepEqual(texts, values);
  }
});

test("a value shows no more digits than were kept", () => {
  const scale = { signed: false, special: true, exact: false, slope: 0.0034, intercept: 0 };
  assert.equal(honest(12.34567, scale), "≈ 12.35");
  assert.equal(honest(12345.67, { ...scale, slope: 30 }), "≈ 12300");
  assert.equal(honest(3.41568e-15, { ...scale, slope: 1.5e-19 }), "≈ 3.416e-15");
  assert.equal(honest(1.16131e38, { ...scale, slope: 5.2e33 }), "≈ 1.1613e+38");
  assert.equal(honest(-1024, { ...scale, exact: true, slope: 1 }), "-1024");
  assert.equal(honest(0.1 + 0.2, { ...scale, exact: true }), "0.3");
  assert.equal(honest(NaN, scale), "NaN");
  assert.equal(honest(-Infinity, scale), "-inf");
});

test("not a number is drawn like the lowest value", () => {
  const scale = { signed: false, special: true, exact: true, slope: 1, intercept: 0 };
  /** @type {import("../../dicomlab/view/js/types.js").Window} */
  const window = { center: 50, width: 100, function: "LINEAR" };
  assert.equal(table(window, false, scale)[65535] & 255, 0);
  assert.equal(table(window, true, scale)[65535] & 255, 255);
  assert.equal(table(window, false, scale)[65534] & 255, 255);
  assert.equal(table(window, false, scale)[65533] & 255, 0);
});

test("a picture whose rows have scales of their own is painted row by row, and missing rows stay clear", () => {
  const scale = { signed: false, special: false, exact: true, slope: 1, intercept: 0 };
  const picture = {
    codes: Uint16Array.of(0, 100, 0, 100, 0, 100),
    rows: 3,
    cols: 2,
    scales: [scale, { ...scale, slope: 0.5 }, scale],
    missing: Uint8Array.of(0, 0, 1),
  };
  const out = new Uint32Array(6).fill(7);
  const turn = { transpose: true, flipX: false, flipY: true };
  new Painter().paint(picture, turn, { center: 50, width: 100, function: "LINEAR_EXACT" }, false, out);
  // Transposed: two rows of three; flipped: the second column comes first.
  assert.deepEqual([...out].map((word) => word >>> 24 && word & 255), [255, 128, 0, 0, 0, 0]);
  assert.deepEqual([out[2], out[5]], [0, 0]);
});
