import assert from "node:assert/strict";
import test from "node:test";

import { multiplied, rotation } from "../../dicomlab/view/js/scene.js";
import { Space, nearest, roundLength, stepText } from "../../dicomlab/view/js/space.js";
import { letters } from "../../dicomlab/view/js/text.js";
import { volumes } from "./vectors.js";

test("the corners of the voxels that Python found are the edges of the space", () => {
  for (const [name, one] of volumes()) {
    const space = new Space(one);
    assert.deepEqual(space.within(one.basis.middle), one.basis.middle, name);
    for (const corner of one.basis.corners) {
      const inside = corner.map((/** @type {number} */ v, /** @type {number} */ k) => v + 1e-3 * (one.basis.middle[k] - v));
      const outside = corner.map((/** @type {number} */ v, /** @type {number} */ k) => v - 1e-3 * (one.basis.middle[k] - v));
      const voxel = space.voxel(inside);
      assert.ok(voxel, name);
      voxel.forEach((index, axis) => assert.ok(index === 0 || index === space.shape[axis] - 1, name));
      assert.equal(space.voxel(outside), null, name);
      space.within(outside).forEach((v, k) => assert.ok(Math.abs(v - corner[k]) < 1e-9, name));
    }
  }
});

test("every voxel is found where it is", () => {
  for (const [name, one] of volumes()) {
    const space = new Space(one);
    const [slices, rows, columns] = space.shape;
    for (let s = 0; s < slices; s++) for (const r of [0, rows - 1]) for (const c of [0, columns - 1]) assert.deepEqual(space.voxel(space.lps([s, r, c])), [s, r, c], name);
  }
});

test("the nearest position is found in rising and falling axes", () => {
  const rising = [-3, -1.5, 0, 1.5, 3, 4.5, 6];
  assert.deepEqual([-99, -3, -2.2, 0.1, 99].map((at) => nearest(rising, at)), [0, 0, 1, 2, 6]);
  assert.deepEqual([-99, 0.1, 99].map((at) => nearest(rising.slice().reverse(), at)), [6, 4, 0]);
  assert.equal(nearest([7], -5), 0);
});

test("a scale bar has a round length", () => {
  assert.deepEqual([0.7, 1, 4.9, 5, 99, 230].map(roundLength), [0.5, 1, 2, 5, 50, 200]);
});

test("spacing is told as it is, uneven or even", () => {
  assert.equal(stepText(Array.from({ length: 24 }, (_, i) => -60 + 2.5 * i)), "2.5");
  assert.equal(stepText([0, -0.7031, -1.4062]), "0.703");
  assert.equal(stepText([0, 2, 4, 18]), "2…14");
  assert.equal(stepText([7]), "");
});

test("letters follow the largest component and leave out what is below five degrees", () => {
  /** @type {[number[], string][]} */
  const cases = [[[1, 0, 0], "L"], [[-1, 0, 0], "R"], [[0, 1, 0], "P"], [[0, -2, 0], "A"], [[0, 0, 1], "H"], [[0.3, -0.9, 0.1], "ALH"], [[0.3, -0.9, 0.05], "AL"], [[0.07, 0, 1], "H"]];
  for (const [vector, text] of cases) assert.equal(letters(vector), text);
});

test("tilts add up about one axis, and stay rotations however many there are", () => {
  const near = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.forEach((x, i) => assert.ok(Math.abs(x - b[i]) < 1e-9));
  near(rotation([0, 0, 1], Math.PI / 2), [0, -1, 0, 1, 0, 0, 0, 0, 1]);
  near(multiplied(rotation([0, 1, 0], 0.3), rotation([0, 1, 0], 0.4)), rotation([0, 1, 0], 0.7));
  let turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let n = 0; n < 5000; n++) turn = multiplied(rotation([0.6, 0, 0.8], 0.01 * (n % 7)), turn);
  for (const i of [0, 1, 2]) {
    for (const j of [0, 1, 2]) {
      const product = [0, 1, 2].reduce((sum, k) => sum + turn[3 * i + k] * turn[3 * j + k], 0);
      assert.ok(Math.abs(product - Number(i === j)) < 1e-12);
    }
  }
});
