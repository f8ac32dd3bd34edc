// Scene, plane, sample and draw against their Python twins: equal to the last bit.

import assert from "node:assert/strict";
import test from "node:test";

import { base64 } from "../../dicomlab/view/js/codec.js";
import { GROUND, PaneDrawer } from "../../dicomlab/view/js/draw.js";
import { courses, normalOf, pixelOf, placeOf } from "../../dicomlab/view/js/plane.js";
import { reach, sample, slabOffsets } from "../../dicomlab/view/js/sample.js";
import { panes } from "../../dicomlab/view/js/scene.js";
import { paletteFrom } from "../../dicomlab/view/js/shade.js";
import { difference, floats, vectors, volumes } from "./vectors.js";

const all = volumes();
/** Without minus zeros. @param {any} x */
const plain = (x) => JSON.parse(JSON.stringify(x));

test("every pane of every scene lies where Python puts it, to the last bit", () => {
  for (const { volume, scene, stage, panes: expected, starts } of vectors("scenes")) {
    const one = all.get(volume);
    const found = panes(scene, one.basis, one, stage[0], stage[1]);
    assert.deepEqual(plain(found), plain(expected.map((/** @type {object} */ pane) => ({ ...pane, source: null }))), `${volume} ${JSON.stringify(scene)}`);
    const ways = courses(one, found[0].plane).map(({ start, right, down }) => [start, right, down]);
    assert.deepEqual(plain(ways), plain(starts), volume);
  }
});

test("every value under every pixel is that of Python, to the last bit", () => {
  for (const { volume, plane, interpolation, slab, values } of vectors("samples")) {
    const found = sample(all.get(volume).source, plane, interpolation, slab);
    assert.equal(difference(found, floats(values)), "", `${volume} ${interpolation} ${JSON.stringify({ slab, plane })}`);
  }
});

test("an array that is written again keeps nothing of what was in it", () => {
  for (const { volume, plane, interpolation, slab, values } of vectors("samples").slice(0, 40)) {
    const used = new Float32Array(plane.width * plane.height).fill(77);
    const found = sample(all.get(volume).source, plane, interpolation, slab, used);
    assert.equal(found, used);
    assert.equal(difference(found, floats(values)), "");
  }
});

test("a plane needs the slices that it is said to reach, and no others", () => {
  for (const { volume, plane, interpolation, slab, values } of vectors("samples")) {
    const { source } = all.get(volume);
    const range = reach(source, plane, slab);
    const inside = (/** @type {number} */ k) => range !== null && k >= range[0] && k <= range[1];
    const found = sample({ ...source, values: (k) => (inside(k) ? source.values(k) : null) }, plane, interpolation, slab);
    assert.equal(difference(found, floats(values)), "", `${volume} ${range}`);
  }
});

test("while a slice is not here its pixels are no numbers, and all others are as they will be", () => {
  for (const { volume, plane, interpolation, slab, values } of vectors("samples")) {
    const { source } = all.get(volume);
    if (slab) continue;
    const expected = floats(values);
    for (let gone = 0; gone < source.shape[0]; gone++) {
      const found = sample({ ...source, values: (k) => (k === gone ? null : source.values(k)) }, plane, interpolation, slab);
      found.forEach((x, i) => assert.ok(x !== x || x === expected[i], `${volume} without slice ${gone}`));
    }
  }
});

test("every pixel of every picture is that of Python: windows, colours, two volumes in every way, labels", () => {
  const palettes = new Map(vectors("palettes").map(({ name, text }) => [name, paletteFrom(text)]));
  for (const { volumes: names, looks, scene, stage, mode, split, labels, rgb } of vectors("pictures")) {
    const first = all.get(names[0]);
    const [width, height] = stage;
    const out = new Uint8Array(3 * width * height).fill(GROUND);
    for (const { left, top, plane } of panes(scene, first.basis, first, width, height)) {
      const images = names.map((/** @type {string} */ name, /** @type {number} */ n) => ({
        ...looks[n],
        source: all.get(name).source,
        key: name,
        smooth: all.get(name).smooth,
        palette: palettes.get(looks[n].cmap),
      }));
      const styles = labels && new Map(Object.entries(labels).map(([value, style]) => [Number(value), style]));
      const layers = styles ? [{ source: all.get("marks").source, key: "marks", labels: styles }] : [];
      const words = new Uint32Array(plane.width * plane.height);
      const how = { interpolation: scene.interpolation, slab: scene.slab, mode, split, labels: layers };
      const drawer = new PaneDrawer();
      drawer.draw(plane, images, how, words);
      const again = new Uint32Array(words.length);
      drawer.draw(plane, images, how, again); // from what it kept
      assert.deepEqual(again, words);
      for (let y = 0; y < plane.height; y++) {
        for (let x = 0; x < plane.width; x++) {
          const word = words[y * plane.width + x];
          out.set([word & 255, (word >>> 8) & 255, (word >>> 16) & 255], 3 * ((top + y) * width + left + x));
        }
      }
    }
    assert.equal(difference(out, base64(rgb)), "", JSON.stringify({ names, mode, scene }));
  }
});

test("a window that changes needs no voxel again, a voxel that comes does", () => {
  const { source } = all.get("axial");
  let asked = 0;
  const watched = { ...source, values: (/** @type {number} */ k) => (asked++, source.values(k)) };
  const { plane } = vectors("scenes")[0].panes[0];
  const drawer = new PaneDrawer();
  const draw = (/** @type {number} */ center, key = "a") => {
    const out = new Uint32Array(plane.width * plane.height);
    const layer = { source: watched, key, window: { center, width: 100, function: /** @type {const} */ ("LINEAR") }, invert: false, palette: paletteFrom(""), opacity: 1, fade: false, smooth: true };
    drawer.draw(plane, [layer], { interpolation: "linear", slab: null, mode: "fusion", split: 0.5, labels: [] }, out);
    return out;
  };
  const first = draw(0);
  assert.ok(asked > 0);
  asked = 0;
  assert.notDeepEqual(draw(300), first);
  assert.equal(asked, 0);
  draw(300, "b");
  assert.ok(asked > 0);
});

test("a point of a pane and its place in the patient lead to each other", () => {
  for (const { panes: all } of vectors("scenes")) {
    for (const { plane } of all) {
      const [x, y] = pixelOf(plane, placeOf(plane, 3.25, -1.5));
      assert.ok(Math.abs(x - 3.25) < 1e-9 && Math.abs(y + 1.5) < 1e-9);
      assert.ok(Math.abs(Math.hypot(...normalOf(plane)) - 1) < 1e-9);
    }
  }
});

test("the planes of a slab lie evenly about its middle, no further apart than the voxels", () => {
  assert.deepEqual(slabOffsets(null, 1), [0]);
  assert.deepEqual(slabOffsets({ mode: "mip", thickness: 0 }, 1), [0]);
  assert.deepEqual(slabOffsets({ mode: "mip", thickness: 4 }, 2), [-1, 1]);
  const many = slabOffsets({ mode: "average", thickness: 10 }, 3);
  assert.equal(many.length, 4);
  assert.equal(many[0], -3.75);
});
