import assert from "node:assert/strict";
import test from "node:test";

import { valuesFrom } from "../../dicomlab/view/js/codec.js";
import { shader } from "../../dicomlab/view/js/lut.js";
import { SHADES, blend, ordered, paint, paletteFrom } from "../../dicomlab/view/js/shade.js";
import { honest } from "../../dicomlab/view/js/text.js";
import { codesFrom, difference, floats, vectors } from "./vectors.js";

const SPECIAL = Float32Array.of(NaN, Infinity, -Infinity, 0, -0, 0.5, 1e-30, 3e38);

test("every one of the 65,536 codes gets the grey that Python gives it, in every function", () => {
  const out = new Uint32Array(65536);
  for (const { window, scale, invert, runs } of vectors("tables")) {
    const { signed, slope, intercept } = scale;
    const values = Float32Array.from({ length: 65536 }, (_, code) => (signed && code > 32767 ? code - 65536 : code) * slope + intercept);
    paint(values, window, ordered(SHADES, invert), out);
    let code = 0;
    for (const [shade, count] of runs) {
      for (let n = 0; n < count; n++, code++) {
        if (out[code] !== shade) assert.fail(`${JSON.stringify({ window, scale, invert })} code ${code}: ${out[code]}, not ${shade}`);
      }
    }
    assert.equal(code, 65536);
  }
});

test("what is no number is dark, and infinite values are the brightest and the darkest", () => {
  for (const { window, invert, special } of vectors("tables")) {
    const out = new Uint32Array(SPECIAL.length);
    paint(SPECIAL, window, ordered(SHADES, invert), out);
    assert.deepEqual([...out], special, JSON.stringify({ window, invert }));
  }
});

test("one value alone has the shade that it has among others", () => {
  for (const { window, invert } of vectors("tables")) {
    const values = Float32Array.from({ length: 200 }, (_, i) => (i - 100) * 13.7);
    const out = new Uint32Array(200);
    paint(values, window, ordered(SHADES, invert), out);
    const shade = shader(window, invert);
    assert.deepEqual([...out], [...values].map(shade));
  }
});

test("a sigmoid of many values is the sigmoid of each", () => {
  for (const width of [0.003, 1, 350.5, 8000]) {
    for (const invert of [false, true]) {
      const window = { center: 40.25, width, function: /** @type {const} */ ("SIGMOID") };
      // Dense around every edge between two shades, and far away.
      const values = Float32Array.from({ length: 60000 }, (_, i) => 40.25 + width * (i < 50000 ? (i - 25000) / 8000 : (i - 55000) / 10));
      const out = new Uint32Array(values.length);
      paint(values, window, ordered(SHADES, invert), out);
      const shade = shader(window, invert);
      for (let i = 0; i < values.length; i++) if (out[i] !== shade(values[i])) assert.fail(`${width} ${values[i]}: ${out[i]}, not ${shade(values[i])}`);
    }
  }
});

test("a linear window gives many values, at the edges of shades too, the shade of each", () => {
  const windows = [[40, 400], [0, 2], [-600, 1500], [1e6, 3], [16777216, 255.5], [0.003, 1e-4], [0, 1.0000001], [-1e30, 1e28], [0, 1e-40], [5, 1e300]];
  for (const [center, width] of windows) {
    for (const fn of /** @type {const} */ (["LINEAR", "LINEAR_EXACT"])) {
      if (fn === "LINEAR" && width <= 1) continue;
      const window = { center, width, function: fn };
      const [middle, span] = fn === "LINEAR" ? [center - 0.5, width - 1] : [center, width];
      // Each edge, its neighbours, and values all over and beyond.
      const edges = Array.from({ length: 256 }, (_, level) => middle + ((level - 0.5) / 255 - 0.5) * span);
      const values = Float32Array.from([...edges, ...edges.flatMap((x) => [Math.fround(x) * (1 + 2e-7), Math.fround(x) * (1 - 2e-7)]), ...edges.map((_, k) => center + width * (k / 64 - 2)), ...SPECIAL]);
      const out = new Uint32Array(values.length);
      for (const invert of [false, true]) {
        paint(values, window, ordered(SHADES, invert), out);
        const shade = shader(window, invert);
        assert.deepEqual([...out], [...values].map(shade), `${center} ${width} ${fn}`);
      }
    }
  }
});

test("codes become the values that Python says they are", () => {
  for (const { scale, codes, values } of vectors("codes")) {
    const found = valuesFrom(Uint16Array.from(codes), scale);
    assert.equal(difference(Float32Array.from(found), floats(values)), "", JSON.stringify(scale));
  }
});

test("whole numbers stay whole numbers, in the 16 bits that they came in", () => {
  const codes = Uint16Array.of(65535, 1);
  assert.deepEqual(valuesFrom(codes, { kind: "i2", slope: 1, intercept: 0 }), Int16Array.of(-1, 1));
  assert.deepEqual(valuesFrom(codes, { kind: "u2", slope: 1, intercept: 0 }), Uint16Array.of(65535, 1));
});

test("bytes arrive the same in every wrapping", () => {
  const bytes = Uint8Array.of(9, 9, 1, 0, 255, 127, 0, 128);
  const view = new DataView(bytes.buffer, 2, 6);
  const expected = [1, 32767, 32768];
  assert.deepEqual([...codesFrom(view)], expected);
  assert.deepEqual([...codesFrom(bytes.slice(2).buffer)], expected);
  assert.deepEqual([...codesFrom(new Uint8Array(bytes.buffer, 2, 6))], expected);
  assert.deepEqual([...codesFrom(Buffer.from(bytes.slice(2)).toString("base64"))], expected);
  assert.notEqual(codesFrom(view).buffer, bytes.buffer, "a view would keep the whole message alive");
});

test("colour maps are those of matplotlib, and grey is its own", () => {
  for (const { name, text } of vectors("palettes")) {
    const words = paletteFrom(text);
    const bytes = text ? Buffer.from(text, "base64") : null;
    words.forEach((word, i) => {
      const expected = bytes ? [...bytes.subarray(3 * i, 3 * i + 3)] : [i, i, i];
      assert.deepEqual([word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24], [...expected, 255], `${name} ${i}`);
    });
  }
});

test("colours mix in proportion, each by itself", () => {
  const [below, above] = [0xff000a64, 0xffc8640a]; // BGR of 0, 10, 100 and 200, 100, 10
  assert.equal(blend(below, above, 0), below);
  assert.equal(blend(below, above, 1), above);
  assert.equal(blend(below, above, 0.5).toString(16), "ff643737");
});

test("a value shows no more digits than were kept", () => {
  assert.equal(honest(12.34567, { exact: false, step: 0.0034 }), "≈ 12.35");
  assert.equal(honest(12345.67, { exact: false, step: 30 }), "≈ 12300");
  assert.equal(honest(3.41568e-15, { exact: false, step: 1.5e-19 }), "≈ 3.416e-15");
  assert.equal(honest(1.16131e38, { exact: false, step: 5.2e33 }), "≈ 1.1613e+38");
  assert.equal(honest(12, { exact: true, step: 1 }), "12");
  assert.deepEqual([NaN, Infinity, -Infinity].map((x) => honest(x, { exact: true, step: 1 })), ["NaN", "+inf", "-inf"]);
});
