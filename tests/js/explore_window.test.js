import assert from "node:assert/strict";
import test from "node:test";

import { formula, level, stepOf } from "../../dicomlab/teach/js/window/formulas.js";
import { alike, binned, lossOf, lossWords, populationFrom, populationOf } from "../../dicomlab/teach/js/window/loss.js";
import { apart, colours } from "../../dicomlab/teach/js/window/picture.js";
import { spread, ticks } from "../../dicomlab/teach/js/window/plot.js";
import { base64, inflate, valuesFrom } from "../../dicomlab/view/js/codec.js";
import { shader } from "../../dicomlab/view/js/lut.js";
import { SHADES, paint } from "../../dicomlab/view/js/shade.js";
import { vectors } from "./vectors.js";

/** @type {any} */
const GIVEN = vectors("explore_window");

test("values at the edges of a window have the grey that apply_window gives them, in every function", () => {
  for (const { window, values, grey } of GIVEN.shades) assert.deepEqual(values.map(shader(window, false)), grey, JSON.stringify(window));
});

test("each pixel of a slice that travelled has the grey that apply_window gives it, and what is lost is counted alike", async () => {
  for (const { window, codes, scale, grey, loss, words } of GIVEN.pictures) {
    const bytes = await inflate(base64(codes), 2);
    const values = Float32Array.from(valuesFrom(new Uint16Array(bytes.buffer), scale));
    const out = new Uint32Array(values.length);
    paint(values, window, SHADES, out);
    assert.deepEqual([...out], grey, JSON.stringify(window));
    assert.deepEqual(lossOf(populationOf(values), window), loss, JSON.stringify(window));
    assert.deepEqual([false, true].map((invert) => lossWords(loss, invert)), words);
  }
});

test("the same tissues become one grey in both languages", () => {
  for (const { window, tissues, same, near } of GIVEN.tissues) {
    assert.deepEqual(alike(tissues, window), same);
    assert.deepEqual(alike(tissues, window, 4), near);
  }
});

test("exactly one line of a formula holds for a value, and it gives the level that is drawn", () => {
  for (const { window, values } of GIVEN.shades) {
    if (window.lut || window.width <= 1) continue;
    for (const x of values) {
      const lines = formula(window, x);
      const at = lines.findIndex(({ holds }) => holds);
      assert.equal(lines.filter(({ holds }) => holds).length, 1, `${JSON.stringify(window)} ${x}`);
      const { center: c, width: w } = window;
      const ramp = { LINEAR: ((x - (c - 0.5)) / (w - 1) + 0.5) * 255, LINEAR_EXACT: ((x - c) / w + 0.5) * 255, SIGMOID: 255 / (1 + Math.exp((-4 * (x - c)) / w)) };
      const written = window.function === "SIGMOID" ? ramp.SIGMOID : [0, 255, ramp[/** @type {"LINEAR"} */ (window.function)]][at];
      assert.ok(Math.abs(written - level(x, window)) < 1e-6, `${JSON.stringify(window)} ${x}: ${written}`);
    }
  }
});

test("one grey step is as wide as the curve is flat", () => {
  for (const fn of /** @type {const} */ (["LINEAR", "LINEAR_EXACT", "SIGMOID"])) {
    const window = { center: 40, width: 400, function: fn };
    const step = stepOf(window);
    assert.ok(Math.abs(level(40 + step / 2, window) - level(40 - step / 2, window) - 1) < 1e-4);
  }
});

test("values counted one by one are those of pixels", () => {
  const pixels = Float32Array.of(3, 5, 5, 9, NaN, 3, 3);
  const one = populationOf(pixels);
  const other = populationFrom(3, [3, 0, 2, 0, 0, 0, 1]);
  assert.deepEqual(one, other);
  assert.deepEqual([...binned(one, 3, 9, 2)], [5, 1]);
  assert.deepEqual([one.total, one.low, one.high], [6, 3, 9]);
});

test("black and white are marked whichever way round the greys run", () => {
  for (const invert of [false, true]) {
    const plain = colours(invert, false);
    const marked = colours(invert, true);
    assert.deepEqual([plain[0], plain[255]], invert ? [0xffffffff, 0xff000000] : [0xff000000, 0xffffffff]);
    assert.notEqual(marked[0], plain[0]);
    assert.deepEqual(marked.slice(1, 255), plain.slice(1, 255));
  }
});

test("the difference of two functions is counted in grey steps", () => {
  const values = Float32Array.of(-1000, 40, 240, 1000);
  const found = apart(values, { center: 40, width: 400, function: "SIGMOID" }, { center: 40, width: 400, function: "LINEAR" });
  const shade = (/** @type {any} */ fn) => [...values].map(shader({ center: 40, width: 400, function: fn }, false));
  assert.deepEqual([...found.steps], shade("SIGMOID").map((x, n) => x - shade("LINEAR")[n]));
  assert.equal(found.most, Math.max(...[...found.steps].map(Math.abs)));
});

test("an axis has round numbers, and a lone outlier does not stretch it", () => {
  assert.deepEqual(ticks(-1024, 3071, 5), [-1000, 0, 1000, 2000, 3000]);
  const pixels = Float32Array.from({ length: 30000 }, (_, i) => (i ? i % 100 : 30000));
  assert.deepEqual(spread(populationOf(pixels)), [0, 99]);
  assert.deepEqual(spread(populationOf([7, 7])), [6, 8]);
});
