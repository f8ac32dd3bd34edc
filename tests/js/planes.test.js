import assert from "node:assert/strict";
import test from "node:test";

import { SliceCache } from "../../dicomlab/view/js/cache.js";
import { Painter } from "../../dicomlab/view/js/lut.js";
import { Space, edges, extent, nearest, pick, positions, roundLength, stepText } from "../../dicomlab/view/js/planes.js";
import { shares } from "../../dicomlab/view/js/stage.js";
import { Transport } from "../../dicomlab/view/js/transport.js";
import { vectors } from "./vectors.js";

/** @param {any} one @returns {Transport} with all slices of a volume at hand */
function loaded(one) {
  const cache = new SliceCache();
  cache.hold(one.meta.key, 1e9);
  const transport = new Transport({ cache, send: () => {} });
  transport.reset(one.meta, new Space(one.meta).shape);
  one.values.forEach((/** @type {number[][]} */ slice, /** @type {number} */ s) => {
    const codes = new Uint16Array(Int16Array.from(slice.flat()).buffer);
    cache.put(one.meta.key, 0, s, { codes, scale: { signed: true, special: false, exact: true, slope: 1, intercept: 0 } });
  });
  return transport;
}

test("every plane of every orientation equals the picture that Python renders", () => {
  for (const one of vectors("volumes")) {
    const space = new Space(one.meta);
    const transport = loaded(one);
    for (const name of /** @type {const} */ (["axial", "coronal", "sagittal"])) {
      const layout = space.layout(name);
      const { index, grey } = one.pictures[name];
      const picture = transport.picture(layout.axis, index);
      assert.ok(picture);
      const out = new Uint32Array(picture.rows * picture.cols);
      new Painter().paint(picture, layout, one.meta.window, false, out);
      const width = layout.hmm.length;
      const rows = grey.map((/** @type {number[]} */ _, /** @type {number} */ y) => [...out.subarray(y * width, (y + 1) * width)].map((word) => word & 255));
      assert.deepEqual(rows, grey, `${one.meta.key} ${name}`);
    }
  }
});

test("voxels are where Python says they are in the patient", () => {
  for (const { meta, lps } of vectors("volumes")) {
    const space = new Space(meta);
    [[0, 0, 0], [2, 1, 4]].forEach((voxel, i) => {
      space.lps(voxel).forEach((mm, j) => assert.ok(Math.abs(mm - lps[i][j]) < 1e-9));
    });
  }
});

test("a point of the screen finds the voxel drawn there, and none beside the picture", () => {
  for (const { meta } of vectors("volumes")) {
    const space = new Space(meta);
    for (const name of /** @type {const} */ (["axial", "coronal", "sagittal"])) {
      const layout = space.layout(name);
      const box = extent(layout);
      assert.deepEqual(pick(layout, box.left + 0.5, box.top + 0.5), {
        h: layout.flipX ? layout.hmm.length - 1 : 0,
        v: layout.flipY ? layout.vmm.length - 1 : 0,
      });
      assert.equal(pick(layout, box.left - 0.1, box.top + 0.5), null);
      assert.equal(pick(layout, box.left + 0.5, box.top + box.height + 0.1), null);
    }
  }
});

test("borders stand half way between voxels, uneven ones too", () => {
  assert.deepEqual([...edges(Float64Array.of(0, 2, 10))], [-1, 1, 6, 14]);
  assert.deepEqual([...edges(Float64Array.of(5))], [4.5, 5.5]);
});

test("the nearest position is found in rising and falling axes", () => {
  const rising = positions({ start: -3, step: 1.5, count: 7 });
  assert.deepEqual([-99, -3, -2.2, 0.1, 99].map((at) => nearest(rising, at)), [0, 0, 1, 2, 6]);
  assert.deepEqual([-99, 0.1, 99].map((at) => nearest(rising.slice().reverse(), at)), [6, 4, 0]);
});

test("a scale bar has a round length", () => {
  assert.deepEqual([0.7, 1, 4.9, 5, 99, 230].map(roundLength), [0.5, 1, 2, 5, 50, 200]);
});

test("spacing is told as it is, uneven or even", () => {
  assert.equal(stepText(positions({ start: -60, step: 2.5, count: 24 })), "2.5");
  assert.equal(stepText(Float64Array.of(0, -0.7031, -1.4062)), "0.703");
  assert.equal(stepText(Float64Array.of(0, 2, 4, 18)), "2…14");
  assert.equal(stepText(Float64Array.of(7)), "");
});

test("between uneven slices the picture runs in a straight line, and before the first and after the last it stands", () => {
  const mm = Float64Array.of(0, 2, 10);
  const { before, share } = shares(mm, edges(mm), 15); // one pixel a mm, from -1 to 14
  const place = [...before].map((i, k) => i + share[k]);
  const expected = [0, 0.25, 0.75, ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => 1 + (n + 0.5) / 8), 2, 2, 2, 2];
  place.forEach((one, k) => assert.ok(Math.abs(one - expected[k]) < 1e-12, `pixel ${k}: ${one}`));
});
