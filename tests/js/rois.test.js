import assert from "node:assert/strict";
import test from "node:test";

import { profileOf } from "../../dicomlab/view/js/curve.js";
import { angleOf, areaOf, lengthOf, statistics, voxelsInside } from "../../dicomlab/view/js/measured.js";
import { hitOf } from "../../dicomlab/view/js/roimarks.js";
import { dragged, isSeen, isWhole, pointsOf } from "../../dicomlab/view/js/rois.js";
import { Space } from "../../dicomlab/view/js/space.js";
import { vectors } from "./vectors.js";

/** @typedef {import("../../dicomlab/view/js/types.js").Vector3} Vector3 */
/** @typedef {import("../../dicomlab/view/js/types.js").Roi} Roi */

/** @param {number} a @param {number} b @param {string} [what] */
const near = (a, b, what) => assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)), `${what}: ${a} is not ${b}`);

/** @param {Partial<Roi>} some @returns {Roi} */
const roiOf = (some) => ({ id: "one", kind: "ruler", points: [], normal: [0, 0, 1], label: "", colour: "#ffffff", ...some });

test("the voxels inside an area are those that Python finds, and so are their numbers", () => {
  let voxels = 0;
  for (const { source, values, areas } of vectors("rois")) {
    for (const { roi, area, voxels: expected, statistics: told } of areas) {
      /** @type {number[][]} */
      const found = [];
      voxelsInside(roi.kind, roi.points, roi.normal, source, (...voxel) => found.push(voxel));
      found.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      assert.deepEqual(found, expected);
      near(areaOf(roi.kind, roi.points, roi.normal), area, roi.kind);
      if (!told) continue;
      voxels += found.length;
      const [, rows, columns] = source.shape;
      const numbers = statistics(found.map(([s, r, c]) => values[(s * rows + r) * columns + c]));
      for (const name of /** @type {const} */ (["n", "mean", "sd", "min", "max"])) near(numbers[name], told[name], name);
    }
  }
  assert.ok(voxels > 500);
});

test("lengths and angles are those of Python", () => {
  for (const { points, length, angle } of vectors("rois")) {
    near(lengthOf(points), length);
    near(angleOf(points), angle);
  }
});

test("values that are no numbers do not count", () => {
  assert.deepEqual(statistics([1, NaN, 3]), { n: 2, mean: 2, sd: 1, min: 1, max: 3 });
  assert.equal(statistics([NaN]).n, 0);
});

/** @type {import("../../dicomlab/view/js/scene.js").Pane} */
const PANE = { name: "axial", number: 0, left: 0, top: 0, source: null, plane: { origin: [0, 0, 10], right: [1, 0, 0], down: [0, 1, 0], pixel: 0.5, width: 100, height: 80 } };

test("a drag from corner to corner gives the corners of a rectangle, and the axes of an ellipse, the longer one first", () => {
  assert.deepEqual(pointsOf("rectangle", [[1, 2, 10], [5, 4, 10]], PANE), [[1, 2, 10], [5, 2, 10], [5, 4, 10], [1, 4, 10]]);
  assert.deepEqual(pointsOf("ellipse", [[1, 2, 10], [5, 12, 10]], PANE), [[3, 2, 10], [3, 12, 10], [1, 7, 10], [5, 7, 10]]);
});

test("a corner of a rectangle takes its neighbours along and leaves the opposite one", () => {
  const roi = roiOf({ kind: "rectangle", points: [[0, 0, 0], [4, 0, 0], [4, 2, 0], [0, 2, 0]] });
  assert.deepEqual(dragged(roi, 2, [1, 3, 0]), [[0, 0, 0], [5, 0, 0], [5, 5, 0], [0, 5, 0]]);
  assert.deepEqual(dragged(roi, -1, [1, 1, 1]), [[1, 1, 1], [5, 1, 1], [5, 3, 1], [1, 3, 1]]);
});

test("an end of an ellipse's axis moves along it, and the other axis keeps its length", () => {
  const roi = roiOf({ kind: "ellipse", points: [[-4, 0, 0], [4, 0, 0], [0, -2, 0], [0, 2, 0]] });
  assert.deepEqual(dragged(roi, 1, [2, 7, 0]), [[-4, 0, 0], [6, 0, 0], [1, -2, 0], [1, 2, 0]]);
});

test("slips of the hand measure nothing", () => {
  assert.ok(!isWhole("ruler", [[0, 0, 0], [0.1, 0, 0]], 1));
  assert.ok(isWhole("ruler", [[0, 0, 0], [2, 0, 0]], 1));
  assert.ok(!isWhole("rectangle", [[0, 0, 0], [4, 0, 0], [4, 0, 0], [0, 0, 0]], 1));
  assert.ok(!isWhole("angle", [[0, 0, 0], [4, 0, 0]], 1));
});

test("a measurement is seen half way to the next slices, uneven ones too, and only an area has to lie flat", () => {
  const source = /** @type {any} */ ({ axes: [[0, 2, 8], { start: 0, step: 1, count: 9 }, { start: 0, step: 1, count: 9 }], direction: [0, 0, 1, 0, 1, 0, 1, 0, 0], inverse: [0, 0, 1, 0, 1, 0, 1, 0, 0], ruler: [[0, null], [0, 1], [0, 1]], shape: [3, 9, 9] });
  const meta = /** @type {any} */ ({ sources: [source], basis: { right: { axial: [1, 0, 0] }, down: { axial: [0, 1, 0] }, axis: { axial: 0 }, heading: { axial: [0, 0, 1] } } });
  const scene = /** @type {any} */ ({ turn: [1, 0, 0, 0, 1, 0, 0, 0, 1], slab: null });
  const space = new Space(source);
  const pane = { ...PANE, plane: { ...PANE.plane, origin: /** @type {Vector3} */ ([0, 0, 2]) } };
  const seen = (/** @type {number} */ z, some = {}) => isSeen(roiOf({ points: [[1, 1, z], [3, 3, z]], ...some }), pane, meta, scene, space);
  assert.deepEqual([0.9, 1.1, 4.9, 5.1].map((z) => seen(z)), [false, true, true, false]);
  assert.ok(!seen(2, { kind: "polygon", points: [[1, 1, 2], [3, 1, 2], [3, 1, 2.5]], normal: [0, 1, 0] }));
  assert.ok(!seen(2, { points: [[1, 1, 2], [3, 3, 6]] }));
  scene.slab = { mode: "mip", thickness: 10 };
  assert.ok(seen(6));
});

test("a handle is found before the line, and nothing beside it", () => {
  const px = (/** @type {Vector3} */ [x, y]) => /** @type {[number, number]} */ ([x, y]);
  const roi = roiOf({ points: [[10, 10, 0], [60, 10, 0]] });
  assert.deepEqual([[58, 12], [30, 13], [30, 25]].map(([x, y]) => hitOf(roi, px, x, y)), [1, -1, null]);
  const round = roiOf({ kind: "ellipse", points: [[0, 50, 0], [100, 50, 0], [50, 0, 0], [50, 100, 0]] });
  assert.deepEqual([[85, 85], [50, 50]].map(([x, y]) => hitOf(round, px, x, y)), [-1, null]);
});

test("a profile meets both ends of its line, in steps no longer than the finest spacing", () => {
  const line = { start: 0, step: 1, count: 9 };
  const lattice = { axes: [line, line, line], inverse: [0, 0, 1, 0, 1, 0, 1, 0, 0], ruler: /** @type {[number, number][]} */ ([[0, 1], [0, 1], [0, 1]]) };
  const slice = Float32Array.from({ length: 81 }, (_, k) => k % 9);
  const { step, values } = profileOf({ lattice, shape: [9, 9, 9], finest: 1, values: () => slice }, [[1, 4, 4], [3.5, 4, 4]], true);
  near(step, 2.5 / 3);
  [1, 1 + 2.5 / 3, 1 + 5 / 3, 3.5].forEach((value, k) => assert.ok(Math.abs(values[k] - value) < 1e-6));
  assert.equal(values.length, 4);
});
