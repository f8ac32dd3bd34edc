import assert from "node:assert/strict";
import test from "node:test";

import { look, outline, projector } from "../../dicomlab/teach/js/geometry/camera.js";
import { greyAt, slicePicture } from "../../dicomlab/teach/js/geometry/figure.js";
import { explained } from "../../dicomlab/teach/js/geometry/matrix.js";
import { coloursOf, even, placed } from "../../dicomlab/teach/js/geometry/order.js";
import { astray, findingsOf, gridOf, lpsOf, misplaced, ordered, planesOf, sound, toRas, voxelOf } from "../../dicomlab/teach/js/geometry/planes.js";
import { sides } from "../../dicomlab/teach/js/geometry/scene.js";
import { vectors } from "./vectors.js";

const CASES = vectors("explore_geometry").map(({ state, given, ...expected }) => {
  const setting = sound(state);
  const planes = planesOf(setting, given);
  return { state, expected, setting, given, planes, grid: gridOf(planes, setting) };
});

/** @param {any} found @param {any} expected @param {string} what */
function near(found, expected, what) {
  if (Array.isArray(expected)) {
    assert.equal(found.length, expected.length, what);
    expected.forEach((one, n) => near(found[n], one, `${what} ${n}`));
  } else assert.ok(Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${what}: ${found}, not ${expected}`);
}

test("planes lie where Python puts them, with the same numbers and locations", () => {
  for (const { state, expected, planes } of CASES) {
    near(planes.map(({ position }) => position), expected.positions, JSON.stringify(state));
    assert.deepEqual(planes.map(({ instance }) => instance), expected.instances);
    planes.forEach(({ location }, n) => (location === null ? assert.equal(location, expected.locations[n]) : near(location, expected.locations[n], "location")));
  }
});

test("each order of the slices is Python's, also where files are equal in what they are sorted by", () => {
  for (const { expected, planes } of CASES) {
    for (const [by, order] of Object.entries(expected.orders)) assert.deepEqual(ordered(planes, by).map(({ index }) => index), order, by);
  }
});

test("the affine in LPS and in RAS is that of Geometry to 1e-9, and there is none where Geometry has none", () => {
  for (const { state, expected, grid } of CASES) {
    assert.equal(grid.affine === null, expected.affine === null, JSON.stringify(state));
    if (!grid.affine) continue;
    near(grid.affine, expected.affine, `affine of ${JSON.stringify(state)}`);
    near(toRas(grid.affine), expected.ras, "RAS");
    near(grid.tilt, expected.tilt, "tilt");
  }
});

test("voxels and millimetres correspond as in Geometry, also between and beyond slices", () => {
  for (const { state, expected, grid, setting } of CASES) {
    expected.voxels.forEach((/** @type {number[]} */ voxel, /** @type {number} */ n) => {
      near(lpsOf(grid, setting, voxel), expected.lps[n], `lps of ${voxel}, ${JSON.stringify(state)}`);
      near(voxelOf(grid, setting, expected.lps[n]), expected.back[n], `voxel of ${expected.lps[n]}, ${JSON.stringify(state)}`);
    });
  }
});

test("findings have the codes of the reader, and its figures", () => {
  for (const { state, expected, planes, grid, setting } of CASES) {
    const found = findingsOf(planes, grid, setting).map(({ code, text }) => `${code}: ${text}`);
    assert.equal(found.length, expected.findings.length, JSON.stringify(state));
    found.forEach((line, n) => assert.ok(expected.findings[n].startsWith(line), `${line}\n${expected.findings[n]}`));
  }
});

test("the affine is equation C.7.6.2.1-1 of PS3.3 written out", () => {
  for (const { grid, setting, planes } of CASES) {
    for (const [i, j] of [[0, 0], [3, 7]]) {
      const { position } = planes[0];
      const expected = [0, 1, 2].map((x) => grid.r[x] * setting.spacing[1] * j + grid.c[x] * setting.spacing[0] * i + position[x]);
      const { affine } = grid;
      if (affine && !findingsOf(planes, grid, setting).length) near([0, 1, 2].map((x) => affine[x][1] * i + affine[x][2] * j + affine[x][3]), expected, "equation");
    }
  }
});

test("a wrong order is told in millimetres, the right one is not", () => {
  const { planes, grid } = CASES[2]; // numbered from the other end, 12 slices 25 mm apart
  near(misplaced(ordered(planes, "position"), grid), 0, "position");
  near(misplaced(ordered(planes, "instance"), grid), 11 * 25, "instance");
});

test("from the front the patient's left is on the right, from the left the front is on the left, from above the back is up", () => {
  const at = (/** @type {number} */ azimuth, /** @type {number} */ elevation, /** @type {number[]} */ place) => projector(look(azimuth, elevation), [0, 0, 0], 1, [0, 0])(place);
  near([at(0, 0, [10, 0, 0]).x, at(0, 0, [0, 0, 10]).y, at(0, 0, [0, 10, 0]).depth], [10, -10, 10], "front");
  near([at(90, 0, [0, -10, 0]).x, at(90, 0, [10, 0, 0]).depth], [-10, -10], "left");
  near([at(0, 90, [0, 10, 0]).y, at(0, 90, [0, 0, 10]).depth], [-10, -10], "above");
});

test("the outline of an ellipsoid holds the shadow of every point of it, and touches it", () => {
  const radii = [30, 12, 80];
  const view = look(33, 21);
  const { a, b, turn } = outline(view, radii);
  const project = projector(view, [0, 0, 0], 1, [0, 0]);
  let most = 0;
  for (let u = 0; u < 200; u++) {
    for (let v = 0; v < 100; v++) {
      const [p, q] = [(2 * Math.PI * u) / 200, (Math.PI * v) / 99];
      const { x, y } = project([radii[0] * Math.sin(q) * Math.cos(p), radii[1] * Math.sin(q) * Math.sin(p), radii[2] * Math.cos(q)]);
      const [s, t] = [x * Math.cos(turn) + y * Math.sin(turn), -x * Math.sin(turn) + y * Math.cos(turn)];
      most = Math.max(most, (s / a) ** 2 + (t / b) ** 2);
    }
  }
  assert.ok(most <= 1 + 1e-9 && most > 0.995, String(most));
});

test("the picture of a slice is the figure at its pixels' places, and nothing beyond the body", () => {
  const parts = /** @type {any} */ ([{ skin: true, centre: [0, 0, 0], radii: [10, 10, 10], grey: 50 }, { skin: false, centre: [5, 0, 0], radii: [2, 2, 2], grey: 200 }]);
  assert.deepEqual([[0, 0, 0], [5, 1, 0], [11, 0, 0]].map((at) => greyAt(parts, at)), [50, 200, -1]);
  assert.deepEqual([...slicePicture(parts, [-11, 0, 0], [22, 0, 0], [0, 0, 0], 3, 1)], [0, 0xff323232, 0]);
});

test("a slice reaches half a pixel beyond its outer centres", () => {
  const { planes, grid, setting } = CASES[0];
  const { corner, right, down } = sides(planes[0], grid, setting);
  near([corner, right, down], [[-182.5, -128, -140], [365, 0, 0], [0, 256, 0]], "sides");
});

test("each entry of the affine says its attribute and the numbers that make it", () => {
  const { planes, grid, setting } = CASES[4];
  for (let x = 0; x < 3; x++) {
    assert.match(explained(x, "column", "LPS", grid, setting, planes), new RegExp(`value ${x + 1} × Pixel Spacing \\(0028,0030\\) value 2`));
    assert.match(explained(x, "row", "LPS", grid, setting, planes), new RegExp(`value ${x + 4} × Pixel Spacing \\(0028,0030\\) value 1`));
    assert.equal(/sign is changed/.test(explained(x, "origin", "RAS", grid, setting, planes)), x < 2);
  }
  assert.match(explained(0, "slice", "LPS", ...only(CASES[10])), /lone slice/);
});

/** @param {any} one @returns {[any, any, any]} */
const only = ({ grid, setting, planes }) => [grid, setting, planes];

test("strips of a stack are of one height, those at true places leave the gap open", () => {
  const { planes, grid } = CASES[7]; // one of nine is missing
  assert.deepEqual(even(planes).map(({ to, from }) => Number((to - from).toFixed(9))), Array(8).fill(0.125));
  const strips = placed(planes, grid, planes);
  const gaps = strips.slice(1).map(({ from }, n) => from - strips[n].to);
  assert.deepEqual(gaps.map((gap) => gap > 1e-9), gaps.map((_, n) => n === 3));
  near([strips[0].from, strips[7].to], [0, 1], "ends");
  assert.equal(new Set(coloursOf(planes).values()).size, 8);
});

test("the slice that a fault pushes beside is the one that is drawn apart, by an eighth of its rows, and no other fault has one", () => {
  const state = { spacing: [4, 5], step: 25, slices: 12, rows: 64, columns: 73 };
  for (const fault of ["none", "missing", "uneven", "beside"]) {
    const setting = sound({ ...state, fault });
    const planes = planesOf(setting, null);
    const found = astray(planes, gridOf(planes, setting), setting);
    assert.deepEqual(found.map(({ index }) => index), fault === "beside" ? [6] : []);
    if (found.length) {
      near(found[0].mm, (73 * 5) / 8, "mm");
      near(found[0].due, [0, 0, 150], "where it should be");
    }
  }
});
