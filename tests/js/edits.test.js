// The mask that is edited: strokes, undo, and a kernel that is slow, forgets a message, or hears one twice.

import assert from "node:assert/strict";
import test from "node:test";
import { inflateSync, deflateSync } from "node:zlib";

import { ball, bucket, disc } from "../../dicomlab/view/js/brush.js";
import { Edits } from "../../dicomlab/view/js/edits.js";

/** @typedef {[number, number, number]} Voxel */

/** @type {Voxel} */
const SHAPE = [4, 6, 8];

/** A kernel that has the mask, and can lose messages (dicomlab/view/editing.py). */
class Kernel {
  /** @param {number} [bytes] of a voxel */
  constructor(bytes = 1) {
    /** @type {any} */ this.Type = bytes === 1 ? Uint8Array : Uint16Array;
    /** What it says to a question. @type {{told: object, buffers: Uint8Array[]}} */ this.verdict = { told: {}, buffers: [] };
    /** @type {any[]} */ this.proposed = [];
    /** @type {number[][]} */ this.slices = Array.from({ length: SHAPE[0] }, () => new this.Type(SHAPE[1] * SHAPE[2]));
    this.done = new Map();
    /** Which of the messages that come are lost. @type {(n: number) => boolean} */ this.loses = () => false;
    this.heard = 0;
    this.busy = false;
    /** @type {any[]} */ this.queue = [];
    this.edits = new Edits({ send: (message, buffers) => this.hear(message, buffers) });
    this.meta = { key: "k", shape: SHAPE, edited: { bytes, mm3: SHAPE.slice(0, 1).flatMap((n) => Array(n).fill(2)) } };
  }

  open() {
    this.edits.hold(/** @type {any} */ (this.meta));
  }

  /** @param {any} message @param {Uint8Array[]} [buffers] */
  hear(message, buffers = []) {
    if (message.type === "paint" && this.loses(this.heard++)) return;
    this.queue.push([message, buffers]);
    if (!this.busy) this.work();
  }

  work() {
    while (this.queue.length) {
      const [message, buffers] = this.queue.shift();
      this.answer(message, buffers);
    }
  }

  /** @param {any} message @param {Uint8Array[]} buffers */
  answer(message, buffers) {
    const reply = (/** @type {object} */ told, /** @type {Uint8Array[]} */ more = []) => this.edits.receive({ key: "k", id: message.id, session: message.session, ...told }, more, (_, parts) => (this.proposed = parts));
    if (message.type === "load") {
      const full = this.slices.map((_, k) => k).filter((k) => this.slices[k].some(Boolean));
      return reply({ type: "voxels", slices: full, next: null }, full.map((k) => deflateSync(Buffer.from(/** @type {any} */ (this.slices[k]).buffer))));
    }
    if (message.type === "propose") return reply(this.verdict.told, this.verdict.buffers);
    const done = this.done.get(message.session) ?? -1;
    if (message.id === done + 1) {
      message.parts.forEach((/** @type {any} */ { slice, box: [top, left, bottom, right] }, /** @type {number} */ n) => {
        const raw = inflateSync(buffers[n]);
        const values = new this.Type(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
        for (let r = top, i = 0; r < bottom; r++) for (let c = left; c < right; c++) this.slices[slice][r * SHAPE[2] + c] = values[i++];
      });
      this.done.set(message.session, message.id);
    }
    return reply({ type: "painted", session: message.session, id: this.done.get(message.session) ?? -1, missing: message.id > done + 1 });
  }

  get isSame() {
    return this.slices.every((values, k) => values.every((value, i) => value === this.edits.values(k)[i]));
  }
}

/** A stroke of some voxels. @param {Edits} edits @param {number[][]} voxels @param {number} value */
function draw(edits, voxels, value) {
  edits.begin();
  for (const [s, r, c] of voxels) edits.set(s, r, c, value);
  return edits.end();
}

/** However slow the machine is. @param {() => boolean} is */
const until = async (is) => {
  for (let n = 0; n < 1000 && !is(); n++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(is());
};

const settled = async (/** @type {Kernel} */ kernel) => {
  await until(() => !kernel.edits.isPending);
};

const random = (/** @type {number} */ seed) => () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648);

for (const bytes of [1, 2]) {
  test(`what is drawn arrives in the kernel, ${8 * bytes} bits a voxel`, async () => {
    const kernel = new Kernel(bytes);
    kernel.slices[2][5] = 3;
    kernel.open();
    await until(() => kernel.edits.loaded);
    assert.equal(kernel.edits.loaded, true);
    assert.equal(kernel.edits.at(2, 0, 5), 3);
    const high = bytes === 1 ? 200 : 60000;
    draw(kernel.edits, [[0, 1, 1], [0, 1, 2], [3, 5, 7]], high);
    await settled(kernel);
    assert.ok(kernel.isSame);
    assert.equal(kernel.slices[3][47], high);
    assert.equal(kernel.edits.ml(high), 0.006);
    assert.deepEqual(kernel.edits.middle(high)?.slice(0, 2), [0, 1]);
  });
}

test("strokes that are drawn while the kernel computes all arrive, in their order", async () => {
  const kernel = new Kernel();
  kernel.open();
  await until(() => kernel.edits.loaded);
  kernel.busy = true;
  const next = random(5);
  for (let n = 0; n < 60; n++) {
    draw(kernel.edits, Array.from({ length: 5 }, () => SHAPE.map((size) => Math.floor(next() * size))), Math.floor(next() * 4));
    if (n % 7 === 3) kernel.edits.retrace("undo");
    if (n % 21 === 4) kernel.edits.retrace("redo");
  }
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.ok(!kernel.isSame);
  assert.ok(kernel.queue.length <= 8, "more would wait in the page, not in the kernel's queue");
  kernel.busy = false;
  kernel.work();
  await settled(kernel);
  assert.ok(kernel.isSame);
});

test("a message that is lost goes again, and one that comes twice counts once", async () => {
  const kernel = new Kernel();
  kernel.open();
  await until(() => kernel.edits.loaded);
  kernel.loses = (n) => n === 1 || n === 4;
  const next = random(9);
  for (let n = 0; n < 12; n++) {
    draw(kernel.edits, Array.from({ length: 4 }, () => SHAPE.map((size) => Math.floor(next() * size))), 1 + (n % 3));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await settled(kernel);
  assert.ok(kernel.isSame);
});

test("what another page asks for changes nothing here", async () => {
  const kernel = new Kernel();
  kernel.slices[1][3] = 1;
  kernel.open();
  await until(() => kernel.edits.loaded);
  kernel.busy = true;
  draw(kernel.edits, [[1, 0, 0]], 1);
  const one = deflateSync(Buffer.from(/** @type {any} */ (kernel.slices[1]).buffer));
  await kernel.edits.receive({ type: "voxels", key: "k", session: "another page", id: 0, slices: [1], next: null }, [one], () => {});
  assert.equal(kernel.edits.at(1, 0, 0), 1, "what was drawn and is under way stays");
  assert.equal(kernel.edits.ml(1), 0.004, "and nothing is counted twice");
  kernel.verdict = { told: { type: "proposed", op: "smooth", label: 1, parts: [] }, buffers: [] };
  kernel.edits.propose("smooth", 1);
  await kernel.edits.receive({ type: "proposed", key: "k", session: "another page", id: 1, label: 1, parts: [] }, [], () => assert.fail("of another page"));
  assert.equal(kernel.edits.asked, "smooth");
  kernel.busy = false;
  kernel.work();
  await settled(kernel);
  assert.ok(kernel.isSame);
});

test("the last message goes again too, if nobody answers it for long", async () => {
  const kernel = new Kernel();
  let now = 0;
  kernel.edits = new Edits({ send: (message, buffers) => kernel.hear(message, buffers), now: () => now });
  kernel.open();
  await until(() => kernel.edits.loaded);
  kernel.loses = (n) => n === 0;
  draw(kernel.edits, [[2, 3, 4]], 1);
  await until(() => kernel.heard > 0);
  kernel.edits.tend();
  assert.ok(!kernel.isSame);
  now = 20000;
  kernel.edits.tend();
  await settled(kernel);
  assert.ok(kernel.isSame);
});

test("taking back gives the very voxels that were there, and doing again too", () => {
  const kernel = new Kernel();
  kernel.busy = true;
  kernel.open();
  const { edits } = kernel;
  const copy = () => Array.from({ length: SHAPE[0] }, (_, k) => [...edits.values(k)]);
  const next = random(3);
  const history = [copy()];
  for (let n = 0; n < 20; n++) {
    const voxels = Array.from({ length: 1 + Math.floor(next() * 9) }, () => SHAPE.map((size) => Math.floor(next() * size)));
    if (draw(edits, voxels, Math.floor(next() * 3))) history.push(copy());
  }
  const last = history.length - 1;
  for (let n = last - 1; n >= 0; n--) {
    assert.ok(edits.retrace("undo"));
    assert.deepEqual(copy(), history[n]);
  }
  assert.equal(edits.retrace("undo"), false);
  for (let n = 1; n <= last; n++) {
    edits.retrace("redo");
    assert.deepEqual(copy(), history[n]);
  }
  const counted = [1, 2].map((label) => history[last].flat().filter((value) => value === label).length);
  assert.deepEqual([1, 2].map((label) => Math.round(/** @type {number} */ (edits.ml(label)) * 500)), counted);
});

test("what was taken back is not done again once something else was drawn", () => {
  const kernel = new Kernel();
  kernel.busy = true;
  kernel.open();
  draw(kernel.edits, [[0, 0, 0]], 1);
  kernel.edits.retrace("undo");
  draw(kernel.edits, [[3, 5, 7]], 2);
  assert.equal(kernel.edits.retrace("redo"), false);
  assert.equal(kernel.edits.at(0, 0, 0), 0);
});

test("a stroke that is given up, or changes nothing, leaves nothing", () => {
  const kernel = new Kernel();
  kernel.busy = true;
  kernel.open();
  const { edits } = kernel;
  draw(edits, [[0, 0, 0]], 1);
  edits.begin();
  edits.set(0, 0, 0, 2);
  edits.set(1, 0, 0, 2);
  edits.cancel();
  assert.deepEqual([edits.at(0, 0, 0), edits.at(1, 0, 0)], [1, 0]);
  assert.equal(draw(edits, [[0, 0, 0]], 1), false);
  edits.retrace("undo");
  assert.equal(edits.at(0, 0, 0), 0);
  assert.equal(edits.when("undo"), undefined);
});

test("what the kernel proposes is handed over once, and what it refuses is said", async () => {
  const kernel = new Kernel();
  kernel.open();
  await until(() => kernel.edits.loaded);
  kernel.verdict = { told: { type: "proposed", op: "grow", label: 1, parts: [{ slice: 1, box: [0, 0, 1, 2] }] }, buffers: [deflateSync(Buffer.from([1, 2]))] };
  kernel.edits.propose("grow", 1);
  await until(() => kernel.edits.asked === "");
  assert.deepEqual([...kernel.proposed[0].codes], [1, 2]);
  assert.equal(kernel.edits.asked, "");
  kernel.verdict = { told: { type: "refused", error: "outside" }, buffers: [] };
  kernel.edits.propose("grow", 1);
  await until(() => kernel.edits.asked === "");
  assert.equal(kernel.edits.trouble, "outside");
  kernel.busy = true;
  kernel.proposed = [];
  kernel.verdict = { told: { type: "proposed", op: "grow", label: 1, parts: [] }, buffers: [] };
  kernel.edits.propose("grow", 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(kernel.edits.stop());
  assert.equal(kernel.edits.stop(), false);
  kernel.busy = false;
  kernel.work();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(kernel.proposed, [], "what was stopped comes too late");
});

test("what another page paints is fetched, when the hand rests", async () => {
  const kernel = new Kernel();
  kernel.open();
  await until(() => kernel.edits.loaded);
  draw(kernel.edits, [[0, 0, 0]], 1);
  await settled(kernel);
  kernel.slices[2][7] = 5;
  kernel.edits.receive({ type: "painted", key: "k", session: "of another page", id: 3, missing: false }, [], () => {});
  assert.equal(kernel.edits.at(2, 0, 7), 0);
  await until(() => kernel.edits.at(2, 0, 7) === 5);
  await until(() => kernel.edits.loaded);
  assert.ok(kernel.isSame);
  assert.equal(kernel.edits.when("undo"), undefined);
});

test("another mask forgets the strokes of the one before", () => {
  const kernel = new Kernel();
  kernel.busy = true;
  kernel.open();
  draw(kernel.edits, [[0, 0, 0]], 1);
  kernel.edits.hold(/** @type {any} */ ({ ...kernel.meta, key: "other" }));
  assert.equal(kernel.edits.at(0, 0, 0), 0);
  assert.equal(kernel.edits.when("undo"), undefined);
  kernel.edits.hold(null);
  assert.equal(kernel.edits.has("other"), false);
});

// ---- which voxels a brush touches ------------------------------------------------------------------------------------------

const at = (/** @type {number} */ size, /** @type {number} */ step, /** @type {number} */ start) => ({ start, step, count: size });
const PLACE = {
  axes: [at(9, 2.5, -10), at(20, 0.7, -7), at(24, -0.9, 10)],
  direction: [0, 0.6, 0.8, 0, 0.8, -0.6, 1, 0, 0],
  inverse: [0, 0, 1, 0.6, 0.8, 0, 0.8, -0.6, 0],
  ruler: [[-10, 2.5], [-7, 0.7], [10, -0.9]],
};

const centre = (/** @type {number} */ s, /** @type {number} */ r, /** @type {number} */ c) => {
  const mm = [-10 + 2.5 * s, -7 + 0.7 * r, 10 - 0.9 * c];
  return [0, 1, 2].map((k) => PLACE.direction[3 * k] * mm[0] + PLACE.direction[3 * k + 1] * mm[1] + PLACE.direction[3 * k + 2] * mm[2]);
};

const far = (/** @type {number[]} */ p, /** @type {number[]} */ a, /** @type {number[]} */ b) => {
  const way = b.map((x, k) => x - a[k]);
  const squared = way.reduce((sum, x) => sum + x * x, 0);
  const share = squared ? Math.min(Math.max(way.reduce((sum, x, k) => sum + x * (p[k] - a[k]), 0) / squared, 0), 1) : 0;
  return Math.hypot(...p.map((x, k) => x - a[k] - share * way[k]));
};

const every = function* () {
  for (let s = 0; s < 9; s++) for (let r = 0; r < 20; r++) for (let c = 0; c < 24; c++) yield [s, r, c];
};

test("a ball on its way touches the voxels whose centres are within its radius, on an oblique grid", () => {
  const next = random(11);
  for (let n = 0; n < 20; n++) {
    const [from, to] = [0, 1].map(() => [0, 1, 2].map((k) => centre(4, 10, 12)[k] + 8 * (next() - 0.5)));
    const radius = 1 + 5 * next();
    const found = new Set();
    ball(/** @type {any} */ (from), /** @type {any} */ (to), radius, /** @type {any} */ (PLACE), (s, r, c) => found.add(`${s},${r},${c}`));
    const expected = new Set();
    for (const [s, r, c] of every()) if (far(centre(s, r, c), from, to) <= radius) expected.add(`${s},${r},${c}`);
    assert.deepEqual([...found].sort(), [...expected].sort());
  }
});

test("a disc on its way touches the voxels of its slice whose centres are within its radius", () => {
  const next = random(12);
  const [right, down, normal] = [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]];
  for (let n = 0; n < 20; n++) {
    const [from, to] = [0, 1].map(() => {
      const lps = [0, 1, 2].map((k) => centre(4, 10, 12)[k] + 8 * (next() - 0.5));
      lps[2] = centre(4, 0, 0)[2] + 0.4;
      return lps;
    });
    const radius = 1 + 5 * next();
    const found = new Set();
    // The disc is drawn where the way ends; where it began it was drawn before.
    disc(/** @type {any} */ (from), /** @type {any} */ (from), radius, /** @type {any} */ ({ right, down }), /** @type {any} */ (normal), /** @type {any} */ (PLACE), (s, r, c) => found.add(`${s},${r},${c}`));
    disc(/** @type {any} */ (from), /** @type {any} */ (to), radius, /** @type {any} */ ({ right, down }), /** @type {any} */ (normal), /** @type {any} */ (PLACE), (s, r, c) => found.add(`${s},${r},${c}`));
    const expected = new Set();
    const flat = (/** @type {number[]} */ p) => [p[0], p[1], 0];
    for (const [s, r, c] of every()) if (s === 4 && far(flat(centre(s, r, c)), flat(from), flat(to)) <= radius) expected.add(`${s},${r},${c}`);
    assert.deepEqual([...found].sort(), [...expected].sort());
  }
});

test("a bucket fills what hangs together side by side, in the plane of its axis", () => {
  const labels = ["....#...", "..#.#...", ".#.#.#..", "..#...#.", ".....#..", "........"];
  const look = (/** @type {number} */ s, /** @type {number} */ r, /** @type {number} */ c) => (s === 1 && labels[r][c] === "#" ? 7 : 0);
  /** @type {number[][]} */
  const found = [];
  bucket(/** @type {any} */ (SHAPE), [1, 2, 2], 0, look, (s, r, c) => found.push([s, r, c]));
  assert.deepEqual(found, [[1, 2, 2]]);
  /** @type {string[]} */
  const many = [];
  bucket(/** @type {any} */ (SHAPE), [1, 0, 0], 0, look, (_, r, c) => many.push(`${r},${c}`));
  assert.ok(!many.includes("2,2") && many.includes("5,7") && many.includes("2,4"));
  /** @type {number[][]} */
  const across = [];
  bucket(/** @type {any} */ (SHAPE), [1, 2, 1], 1, look, (s, r, c) => across.push([s, r, c]));
  assert.deepEqual(across, [[1, 2, 1]]);
  /** @type {string[]} */
  const edge = [];
  bucket(/** @type {any} */ (SHAPE), [1, 2, 7], 0, (_, r, c) => (c === 7 && r < 4 ? 0 : c === 0 ? 0 : 1), (_, r, c) => edge.push(`${r},${c}`));
  assert.deepEqual(edge.sort(), ["0,7", "1,7", "2,7", "3,7"], "behind the last column is nothing, not the next row");
});
