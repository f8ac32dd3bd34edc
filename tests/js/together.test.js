// Viewers and volumes that go together: which step, which place, and whose numbers. Viewers are stood in for.

import assert from "node:assert/strict";
import test from "node:test";

import { Cine, run } from "../../dicomlab/view/js/cine.js";
import { curtainAt, meetShapes, ownSteps, placeOf } from "../../dicomlab/view/js/layers.js";
import { enter, isLed, lead, leave } from "../../dicomlab/view/js/link.js";
import { Measuring } from "../../dicomlab/view/js/measuring.js";
import { Space } from "../../dicomlab/view/js/space.js";
import { Stage } from "../../dicomlab/view/js/stage.js";

const UPRIGHT = { direction: [0, 0, 1, 0, 1, 0, 1, 0, 0], inverse: [0, 0, 1, 0, 1, 0, 1, 0, 0] };

/** A volume of `slices` slices of 4 x 4 voxels of 1 mm. @param {number} slices @param {object} [more] @returns {any} */
const volume = (slices, more = {}) => ({
  ...UPRIGHT,
  key: "one",
  axes: [slices, 4, 4].map((count) => ({ start: 0, step: 1, count })),
  ruler: [[0, 1], [0, 1], [0, 1]],
  shape: [slices, 4, 4],
  finest: 1,
  steps: [],
  follows: [],
  ...more,
});

/** @param {string} name @param {string[]} labels */
const axis = (name, labels) => ({ name, units: "s", labels });

test("a volume goes to the step that goes with that of the first, and says its own value where it differs", () => {
  const first = volume(2, { steps: [axis("echo", ["1", "2"]), axis("time", ["0", "5", "9"])], follows: [[0, 1], [0, 1, 2]] });
  const second = volume(2, { steps: [axis("time", ["1", "9"]), axis("phase", ["a", "b"])], follows: [[0, 0, 1], null] });
  const meta = /** @type {any} */ ({ sources: [first, second] });
  assert.equal(placeOf(meta, 1, 0, [1, 2]), 1);
  assert.equal(placeOf(meta, 1, 0, [1, 1]), 0);
  assert.equal(placeOf(meta, 1, 1, [1, 1]), 0);
  assert.deepEqual(ownSteps(1, /** @type {any} */ ({ step: [0, 1] }), meta), ["time 1 s", "phase a s"]);
  assert.deepEqual(ownSteps(1, /** @type {any} */ ({ step: [0, 2] }), meta), ["phase a s"]);
});

test("a curtain hangs in each pane at the same part of its width", () => {
  const viewer = /** @type {any} */ ({ state: { mode: "curtain", split: 0.25, looks: [{ visible: true }, { visible: true }] }, stage: { size: { ratio: 2 } } });
  assert.equal(curtainAt(viewer, /** @type {any} */ ({ left: 100, plane: { width: 80 } })), 60);
  viewer.state.looks[1].visible = false;
  assert.equal(curtainAt(viewer, /** @type {any} */ ({ left: 100, plane: { width: 80 } })), null);
});

/** @param {any} meta @param {object} state @returns {any} */
const viewerOf = (meta, state) => ({
  meta: { sources: [meta], basis: { axis: { axial: 0 }, heading: { axial: [0, 0, 1] }, right: { axial: [1, 0, 0] }, down: { axial: [0, 1, 0] } } },
  space: new Space(meta),
  state: { scene: { plane: "axial", position: [1, 1, 1], zoom: 1, pan: [0, 0, 0], turn: [1, 0, 0, 0, 1, 0, 0, 0, 1] }, looks: [], step: [], cine: {}, ...state },
  links: [],
  led: { until: 0, traits: [] },
  /** @param {any} state */
  adopt(state) {
    this.state = state;
  },
});

test("a linked viewer follows to the nearest place and step that it has, and hears no older news of these", () => {
  const long = viewerOf(volume(9, { steps: [axis("echo", ["1", "2"]), axis("time", ["0", "1", "2", "3"])] }), { step: [0, 3] });
  const short = viewerOf(volume(3, { steps: [axis("time", ["0", "1"])] }), { step: [0] });
  const other = viewerOf(volume(3), {});
  for (const one of [long, short]) one.links = [{ group: "a", what: ["position", "step"] }];
  [long, short, other].forEach(enter);
  long.state = { ...long.state, scene: { ...long.state.scene, position: [2, 1, 8], zoom: 3 } };
  lead(long);
  assert.deepEqual(short.state.scene.position, [2, 1, 2.5]);
  assert.deepEqual(short.state.step, [1]);
  assert.equal(short.state.scene.zoom, 1);
  assert.ok(isLed(short, "position") && isLed(short, "_step") && !isLed(short, "zoom") && !isLed(long, "position"));
  assert.deepEqual(other.state.scene.position, [1, 1, 1]);
  [long, short, other].forEach(leave);
});

test("the mark of the pointer is at its place in the patient in the other volume's pane", () => {
  const shapes = globalThis.document;
  /** @type {string[]} */
  const drawn = [];
  // Only what the mark needs of a page.
  Object.assign(globalThis, { document: { createElementNS: () => ({ setAttribute: (/** @type {string} */ name, /** @type {string} */ value) => name === "d" && drawn.push(value) }) } });
  const plane = { origin: [0, 0, 0], right: [1, 0, 0], down: [0, 1, 0], pixel: 1, width: 10, height: 10 };
  const panes = [0, 1].map((source) => ({ name: "axial", number: source, left: 20 * source, top: 0, plane, source }));
  const stage = Object.assign(Object.create(Stage.prototype), { size: { ratio: 1, width: 30, height: 10 }, panes });
  const viewer = /** @type {any} */ ({ state: { mode: "side", looks: [{}, {}] }, stage, pointer: [4, 5] });
  meetShapes(viewer, /** @type {any} */ (panes[0]));
  assert.deepEqual(drawn, []);
  meetShapes(viewer, /** @type {any} */ (panes[1]));
  assert.match(drawn[0], /^M15 5h6/);
  Object.assign(globalThis, { document: shapes });
});

/** A viewer with measurements, whose slices are those of `held`. @param {any} meta @param {Record<string, any>} held @returns {any} */
function measured(meta, held) {
  const viewer = viewerOf(meta, { rois: [] });
  let step = 0;
  Object.assign(viewer, {
    goToStep: (/** @type {number} */ to) => (step = to),
    stepOf: () => step,
    transport: { cache: { peek: (/** @type {string} */ key, /** @type {number} */ at, /** @type {number} */ slice) => held[`${key}/${at}/${slice}`] } },
    changed() {},
    redraw() {},
    chrome: { announce() {} },
  });
  const measuring = Object.assign(Object.create(Measuring.prototype), { viewer, known: new WeakMap(), past: [], future: [], chosen: "", draft: null, waiting: false });
  return { viewer, measuring };
}

const AREA = /** @type {any} */ ({ id: "a", kind: "rectangle", points: [[0.5, 0.5, 1], [2.5, 0.5, 1], [2.5, 2.5, 1], [0.5, 2.5, 1]], normal: [0, 0, 1], label: "", colour: "#ffffff" });

test("numbers of an area are those of the step that is shown, wait for its slice, and know how well its values are known", () => {
  const entry = (/** @type {number} */ value, exact = true) => ({ values: new Float32Array(16).fill(value), exact, step: 0.5 });
  const held = /** @type {Record<string, any>} */ ({ "one/0/1": entry(7), "one/1/1": entry(9, false) });
  const { viewer, measuring } = measured(volume(3), held);
  assert.deepEqual(measuring.found(AREA), { numbers: { n: 4, mean: 7, sd: 0, min: 7, max: 7 }, kept: { exact: true, step: 0 } });
  viewer.goToStep(1);
  assert.deepEqual(measuring.found(AREA), { numbers: { n: 4, mean: 9, sd: 0, min: 9, max: 9 }, kept: { exact: false, step: 0.5 } });
  viewer.goToStep(3);
  held["one/3/1"] = entry(2 ** 32, false);
  assert.equal(measuring.found(AREA).kept.step, 512); // float32 lie so far apart there
  viewer.goToStep(2);
  assert.equal(measuring.statistics(AREA), null);
  assert.equal(measuring.waiting, true);
  held["one/2/1"] = entry(3);
  assert.equal(measuring.statistics(AREA).mean, 3);
});

test("a drawing goes on in the plane where it began, and in no other", () => {
  const { measuring } = measured(volume(3), {});
  const paneAt = (/** @type {number} */ z) => ({ name: "axial", plane: { origin: [0, 0, z], right: [1, 0, 0], down: [0, 1, 0], pixel: 1 } });
  measuring.draft = { kind: "polygon", pane: paneAt(1), given: [[1, 1, 1]], next: null, normal: [0, 0, 1], colour: "#ffffff" };
  assert.equal(measuring.isDraftIn(paneAt(1)), true);
  assert.equal(measuring.isDraftIn(paneAt(2)), false);
});

test("a drag is taken back as a whole, and done again", () => {
  const { viewer, measuring } = measured(volume(3), {});
  const ruler = { id: "r", kind: "ruler", points: [[0, 0, 1], [3, 0, 1]], normal: [0, 0, 1], label: "", colour: "#ffffff" };
  viewer.state.rois = [ruler];
  measuring.chosen = "r";
  const hit = { roi: ruler, handle: 1 };
  for (const by of [1, 2, 3]) measuring.drag(hit, [by, 0, 0]);
  measuring.say = () => {};
  measuring.dropped(hit, { plane: { pixel: 1 } });
  assert.deepEqual(viewer.state.rois[0].points[1], [6, 0, 1]);
  measuring.retrace("undo");
  assert.deepEqual(viewer.state.rois, [ruler]);
  measuring.retrace("redo");
  assert.deepEqual(viewer.state.rois[0].points[1], [6, 0, 1]);
});

/** @param {boolean} here whether its slices are @returns {any} */
function playing(here) {
  const viewer = viewerOf(volume(5), { cine: { playing: true, fps: 10, bounce: false, along: "slices" } });
  return Object.assign(viewer, {
    isStraight: true,
    visible: true,
    shown: 0,
    changed() {
      this.shown++;
    },
    layersIn: () => [0],
    stepOf: () => 0,
    stage: { answered: true, panesOf: (/** @type {any} */ _, /** @type {any} */ { scene }) => [{ plane: { origin: scene.position, right: [1, 0, 0], down: [0, 1, 0], pixel: 1, width: 2, height: 2 } }] },
    transport: { complete: () => here },
  });
}

test("a cine keeps its rate though frames come a little late, and waits for those that are not here", () => {
  const viewer = playing(true);
  const cine = /** @type {any} */ (new Cine(viewer));
  viewer.cine = cine;
  // The page draws each 16 ms; of ten frames a second none may be lost by that.
  for (let now = 5000; now < 7000; now += 16) cine.advance(now);
  assert.ok(viewer.shown >= 20 && viewer.shown <= 21, `${viewer.shown}`);
  assert.equal(run(viewer).at, (1 + viewer.shown) % 5);
  const waiting = playing(false);
  const other = /** @type {any} */ (new Cine(waiting));
  for (let now = 5000; now < 7000; now += 16) other.advance(now);
  assert.equal(waiting.shown, 0);
});
