import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";

import { SliceCache } from "../../dicomlab/view/js/cache.js";
import { coarser } from "../../dicomlab/view/js/plane.js";
import { Transport, around } from "../../dicomlab/view/js/transport.js";

/** A kernel that answers when it is told to. */
function setUp({ count = 100, budget = 1e9, rows = 10, cols = 10, sources = 1 } = {}) {
  /** @type {any[]} */
  const asked = [];
  let clock = 0;
  const cache = new SliceCache();
  /** @type {any[]} */
  const metas = Array.from({ length: sources }, (_, n) => ({ key: "abc"[n], shape: [count, rows, cols] }));
  for (const { key } of metas) cache.hold(key, budget);
  /** @type {any[]} */
  const arrivals = [];
  const transport = new Transport({ cache, send: (one) => asked.push(one), now: () => clock, onArrival: (one) => arrivals.push(one) });
  transport.reset(metas);
  const answer = (/** @type {any} */ demand, seconds = 0.001) => {
    clock += seconds;
    const head = { generation: demand.generation, key: demand.key, id: demand.id };
    if (demand.type === "plane") {
      const { width, height } = demand.plane;
      return transport.receive({ type: "plane", ...head }, [new Float32Array(width * height).fill(7).buffer]);
    }
    const { divide } = demand;
    const size = Math.ceil(rows / divide) * Math.ceil(cols / divide);
    const buffers = demand.slices.map((/** @type {number} */ slice) => new Uint16Array(size).fill(slice).buffer);
    const items = demand.slices.map((/** @type {number} */ slice, /** @type {number} */ buffer) => ({ slice, buffer, divide, kind: "u2", slope: 1, intercept: 0, exact: true }));
    transport.receive({ type: "slices", ...head, items }, buffers);
  };
  const settle = () => {
    for (let guard = 0; asked.length && guard < 1000; guard++) answer(asked.shift());
  };
  const wait = (/** @type {number} */ seconds) => {
    clock += seconds;
  };
  /** What a view of one plane of slices wants. @param {number} slice @param {number} [direction] @param {number} [step] */
  const want = (slice, direction = 1, step = 0) =>
    transport.want(transport.has({ source: 0, step, slice }) ? [] : [{ source: 0, step, slice }], [], () => [slice, ...around(slice, direction, count)].map((one) => ({ source: 0, step, slice: one })), slice);
  /** @param {string} name @param {any} [more] */
  const wantPlane = (name, more) => transport.want([], [planeWant(name, more)], () => []);
  return { transport, cache, asked, answer, settle, arrivals, metas, wait, want, wantPlane };
}

/** @param {string} name @param {any} [more] @returns {any} */
const planeWant = (name, more) => ({
  pane: "axial0/0",
  source: 0,
  step: 0,
  name,
  plane: { origin: [0, 0, 0], right: [1, 0, 0], down: [0, 1, 0], pixel: 1, width: 10, height: 7 },
  interpolation: "linear",
  slab: null,
  ...more,
});

test("the wanted slice is asked for first and alone", () => {
  const { asked, want } = setUp();
  want(50);
  assert.deepEqual(asked[0].slices, [50]);
  assert.deepEqual([asked[0].type, asked[0].source, asked[0].step, asked[0].key], ["pull", 0, 0, "a"]);
  assert.ok(asked.slice(1).every(({ slices }) => slices.length <= 4 && !slices.includes(50)));
});

test("at most two demands are outstanding, and then the newest wish is served", () => {
  const { transport, asked, answer, want } = setUp({ rows: 2000, cols: 2000 });
  transport.paused = true;
  for (let slice = 0; slice < 30; slice++) want(slice);
  assert.deepEqual(asked.map(({ slices }) => slices), [[0], [1]]);
  answer(asked[0]);
  assert.deepEqual(asked.map(({ slices }) => slices), [[0], [1], [29]]);
});

test("slices of several panes and volumes are demanded in the order of their importance", () => {
  const { transport, asked, answer } = setUp({ sources: 2 });
  transport.paused = true;
  const wants = [[0, 5], [1, 9], [0, 6]].map(([source, slice]) => ({ source, step: 0, slice }));
  transport.want(wants, [], () => []);
  assert.deepEqual(asked.map(({ source, slices }) => [source, ...slices]), [[0, 5], [1, 9]]);
  answer(asked[1]);
  assert.deepEqual([asked[2].source, asked[2].key, asked[2].slices], [0, "a", [6]]);
  assert.ok(transport.has(wants[1]) && !transport.has(wants[0]));
});

test("neighbours are fetched in the direction of travel", () => {
  const { asked, answer, want } = setUp();
  want(50, -1);
  answer(asked[0]);
  const ahead = asked.slice(1).flatMap(({ slices }) => slices);
  assert.deepEqual(asked.slice(1, 3).map(({ slices }) => slices), [[49], [48, 51]]);
  assert.ok(ahead.filter((slice) => slice < 50).length > ahead.filter((slice) => slice > 50).length);
});

test("all slices come while nothing else happens, each once", () => {
  const { cache, settle, arrivals, want } = setUp();
  want(50);
  settle();
  assert.equal(cache.count("a", 0), 100);
  assert.equal(new Set(arrivals.map(({ slice }) => slice)).size, arrivals.length);
});

test("a step of time is fetched apart from the others, and a batch never mixes two", () => {
  const { transport, asked, cache, settle } = setUp({ count: 6, sources: 2 });
  const line = [0, 1].flatMap((source) => [1, 2].flatMap((step) => [0, 1, 2, 3, 4, 5].map((slice) => ({ source, step, slice }))));
  transport.want([], [], () => line);
  /** @type {any[]} */
  const heard = [];
  while (asked.length) {
    heard.push({ ...asked[0] });
    settle();
  }
  assert.deepEqual([0, 1, 2].map((step) => [cache.count("a", step), cache.count("b", step)]), [[0, 0], [6, 6], [6, 6]]);
  assert.ok(cache.get("a", 1, 3) !== cache.get("a", 2, 3));
});

test("filling up stops at the budget, and walking on lets the oldest slices go", () => {
  const { cache, settle, want } = setUp({ budget: 40 * 200 });
  want(50);
  settle();
  assert.ok(cache.bytes <= 40 * 200);
  assert.ok(cache.count("a", 0) >= 38);
  for (let slice = 51; slice < 100; slice++) {
    want(slice);
    settle();
    assert.ok(cache.has("a", 0, slice));
    assert.ok(cache.bytes <= 40 * 200);
  }
  assert.ok(!cache.has("a", 0, 50));
});

test("while the user scrolls only neighbours are fetched, and the rest once the scroll has ended", () => {
  const { transport, cache, asked, answer, settle, wait, want } = setUp();
  transport.paused = true;
  want(39);
  transport.paused = false;
  for (let slice = 40; slice < 50; slice++) {
    wait(0.03);
    want(slice);
    while (asked.length) {
      answer(asked.shift());
    }
  }
  assert.ok(cache.has("a", 0, 58));
  assert.ok(!cache.has("a", 0, 90));
  wait(0.5);
  transport.pump();
  settle();
  assert.equal(cache.count("a", 0), 100);
});

test("a slow line is not filled with slices fetched in advance", () => {
  const { asked, answer, want } = setUp({ rows: 512, cols: 512 });
  want(50);
  for (let n = 0; n < 12; n++) {
    const flying = asked.flatMap(({ slices }) => slices).length;
    assert.ok(flying <= 2, `${flying} slices of 0.2 s each are under way`);
    const next = asked.shift();
    answer(next, 0.2 * next.slices.length); // 2.6 MB a second
  }
});

test("a fast line is kept busy", () => {
  const { asked, answer, want } = setUp({ rows: 512, cols: 512 });
  want(50);
  for (let n = 0; n < 12; n++) {
    const next = asked.shift();
    answer(next, 0.01 * next.slices.length); // 52 MB a second
  }
  assert.deepEqual(asked.map(({ slices }) => slices.length), [6, 6]);
});

test("a viewer that nobody looks at fetches what is wanted and no more", () => {
  const { transport, cache, settle, want } = setUp();
  transport.hidden = true;
  want(50);
  settle();
  assert.equal(cache.count("a", 0), 1);
  transport.hidden = false;
  transport.pump();
  settle();
  assert.equal(cache.count("a", 0), 100);
});

test("what belongs to another generation, volume or nothing asked is dropped", () => {
  const { transport, asked, answer, cache, metas, want } = setUp();
  want(50);
  const old = asked[0];
  transport.reset(metas);
  answer(old);
  assert.equal(cache.count("a", 0), 0);
  transport.receive({ type: "slices", generation: 1, key: "a", id: 99, items: [] }, []);
  transport.receive({ type: "other" }, []);
  transport.receive(undefined, []);
  assert.equal(cache.count("a", 0), 0);
});

test("a slice that cannot be read is remembered with its reason, and asked for again only when wanted again", () => {
  const { transport, asked, want } = setUp({ count: 3 });
  transport.paused = true;
  want(1);
  const [{ generation, key, id }] = asked;
  transport.receive({ type: "slices", generation, key, id, items: [{ slice: 1, error: "torn" }] }, []);
  assert.equal(transport.failure({ source: 0, step: 0, slice: 1 }), "torn");
  assert.equal(transport.problem, "torn");
  transport.pump();
  want(1);
  assert.equal(asked.length, 1, "a view that is told of the failure wishes the same again, and must not ask for ever");
  want(2);
  assert.equal(transport.problem, "", "of what is wanted now nothing is wrong");
  want(1);
  assert.equal(asked.length, 3);
});

test("a plane of the kernel comes coarse at once and fine when the hand rests", () => {
  const { transport, asked, answer, arrivals, wait, wantPlane } = setUp();
  wantPlane("p");
  assert.deepEqual([asked[0].type, asked[0].plane.width, asked[0].plane.height, asked[0].plane.pixel], ["plane", 3, 2, 4]);
  answer(asked[0]);
  assert.deepEqual(arrivals, [{ pane: "axial0/0" }]);
  assert.deepEqual([transport.answer("axial0/0")?.divide, transport.answer("axial0/0")?.values.length], [4, 6]);
  wait(1);
  transport.pump();
  assert.deepEqual([asked[1].plane.width, asked[1].plane.height], [10, 7]);
  answer(asked[1]);
  assert.deepEqual([transport.answer("axial0/0")?.divide, transport.answer("axial0/0")?.values.length], [1, 70]);
  transport.pump();
  assert.equal(asked.length, 2, "once it is whole it is not asked for again");
});

test("planes are not queued while the hand moves: one at a time, and then the newest", () => {
  const { transport, asked, answer, wantPlane } = setUp();
  for (const name of "pqrst") wantPlane(name);
  assert.equal(asked.length, 1);
  answer(asked[0]);
  assert.equal(transport.answer("axial0/0")?.name, "p");
  assert.equal(asked.length, 2);
  answer(asked[1]);
  assert.equal(transport.answer("axial0/0")?.name, "t");
});

test("coarser pixels cover the same rectangle", () => {
  const plane = planeWant("p").plane;
  const wide = coarser(plane, 4);
  // The outer corner of the first pixel stays where it is.
  assert.deepEqual(wide.origin.map((/** @type {number} */ v, /** @type {number} */ k) => v - 2 * (wide.right[k] + wide.down[k])), [-0.5, -0.5, 0]);
  assert.equal(coarser(plane, 1), plane);
});

test("a step is complete when its slices are here, whatever order they came in", () => {
  const { transport, settle, want, asked, answer } = setUp({ count: 8 });
  assert.equal(transport.complete(0, 0, null), true, "a plane beside the volume needs none");
  want(5);
  answer(asked.shift());
  assert.equal(transport.complete(0, 0, [5, 5]), true);
  assert.equal(transport.complete(0, 0, [4, 5]), false);
  settle();
  assert.equal(transport.complete(0, 0, [0, 7]), true);
  assert.equal(transport.complete(0, 1, [5, 5]), false, "another step is another volume");
});

test("the oldest unanswered demand tells how long the kernel has been silent", () => {
  const { transport, asked, answer, wait, want } = setUp({ count: 1 });
  assert.equal(transport.waiting, 0);
  want(0);
  wait(2);
  assert.equal(transport.waiting, 2);
  answer(asked[0]);
  assert.equal(transport.waiting, 0);
});

test("a kernel that has gone is known by what cannot be sent, and one that answers is there again", () => {
  const cache = new SliceCache();
  cache.hold("a", 1000);
  let broken = true;
  /** @type {any[]} */ const asked = [];
  const send = (/** @type {any} */ message) => {
    if (broken) throw new Error("Cannot send");
    asked.push(message);
  };
  const transport = new Transport({ cache, send });
  transport.reset([/** @type {any} */ ({ key: "a", shape: [2, 1, 1] })]);
  const want = (/** @type {number} */ slice) => transport.want([{ source: 0, step: 0, slice }], [], () => []);
  want(0);
  assert.equal(transport.gone, true);
  broken = false;
  want(1);
  const { id, generation } = asked[0];
  transport.receive({ type: "slices", key: "a", id, generation, items: [{ slice: 1, buffer: 0, kind: "i2", slope: 1, intercept: 0, exact: true }] }, [new ArrayBuffer(2)]);
  assert.equal(transport.gone, false);
});

test("the cache goes with the last view of a volume, and keeps what others need", () => {
  const cache = new SliceCache();
  const entry = () => ({ values: new Uint16Array(10), exact: true, step: 1, divide: 1 });
  cache.hold("a", 1000);
  cache.hold("a", 1000);
  cache.hold("b", 2000);
  assert.equal(cache.budget, 2000);
  for (const key of ["a", "b"]) cache.put(key, 0, 0, entry());
  cache.release("a");
  assert.equal(cache.count("a", 0), 1);
  cache.release("a");
  assert.equal(cache.bytes, 20);
  cache.put("a", 0, 1, entry());
  assert.equal(cache.bytes, 20, "what arrives too late is not kept");
  cache.release("b");
  assert.deepEqual([cache.bytes, cache.entries.size, cache.count("b", 0)], [0, 0, 0]);
});

test("the slice used longest ago leaves first, looking at one is no use of it, and the newest always stays", () => {
  const cache = new SliceCache();
  cache.hold("a", 60);
  const entry = (/** @type {number} */ length) => ({ values: new Uint16Array(length), exact: true, step: 1, divide: 1 });
  for (const slice of [0, 1, 2]) cache.put("a", 0, slice, entry(10));
  cache.get("a", 0, 0);
  cache.peek("a", 0, 1);
  cache.put("a", 0, 3, entry(10));
  assert.deepEqual([0, 1, 2, 3].filter((slice) => cache.has("a", 0, slice)), [0, 2, 3]);
  cache.put("a", 0, 4, entry(99));
  assert.deepEqual([...cache.entries.keys()], ["a/0/4"]);
});

test("around goes twice as far ahead as behind and finds everybody once", () => {
  assert.deepEqual([...around(5, 1, 8)], [6, 7, 4, 3, 2, 1, 0]);
  assert.deepEqual([...around(4, -1, 9)].slice(0, 6), [3, 2, 5, 1, 0, 6]);
  for (const from of [0, 3, 49]) for (const direction of [1, -1]) assert.equal(new Set(around(from, direction, 50)).size, 49);
});

test("over a slow line slices come packed, and packing is asked for when the line is known to be slow", async () => {
  const { transport, asked, answer, want, cache, wait } = setUp({ rows: 100, cols: 100 });
  want(0);
  assert.equal(asked[0].pack, false, "nothing is known of the line yet");
  answer(asked.shift(), 0.02); // 1 MB/s
  for (let guard = 0; guard < 20; guard++) {
    while (asked.length && !asked[0].pack) answer(asked.shift(), 0.1);
    wait(0.5);
    want(90 - guard);
    if (asked[0]?.pack) break;
  }
  const demand = asked.shift();
  assert.equal(demand.pack, true);
  const codes = Uint16Array.from({ length: 10000 }, (_, i) => i * 3);
  const bytes = new Uint8Array(codes.buffer);
  const packed = deflateSync(Uint8Array.from([...bytes.filter((_, i) => i % 2 === 0), ...bytes.filter((_, i) => i % 2 === 1)]));
  const items = demand.slices.map((/** @type {number} */ slice, /** @type {number} */ buffer) => ({ slice, buffer, kind: "u2", slope: 1, intercept: 0, exact: true }));
  const head = { generation: demand.generation, key: demand.key, id: demand.id };
  wait(0.1);
  transport.receive({ type: "slices", ...head, items, packed: items.map(() => 2) }, items.map(() => packed));
  await new Promise((done) => setTimeout(done, 400));
  assert.deepEqual([...(cache.peek("a", 0, demand.slices[0])?.values ?? [])], [...codes]);
  // Damaged ones are failures, not an open demand.
  want(60);
  const next = asked.find(({ slices }) => slices.includes(60));
  transport.receive({ type: "slices", generation: next.generation, key: next.key, id: next.id, items: [{ slice: 60, buffer: 0, kind: "u2", slope: 1, intercept: 0, exact: true }], packed: [2] }, [Uint8Array.of(1, 2, 3)]);
  await new Promise((done) => setTimeout(done, 400));
  assert.match(transport.failure({ source: 0, step: 0, slice: 60 }) ?? "", /damaged/);
});

test("messages bring more while they come soon, and less when they are late", () => {
  const { asked, answer, want } = setUp({ rows: 100, cols: 100, count: 300 });
  want(50);
  const sizes = [];
  for (let n = 0; n < 8; n++) {
    const next = asked.shift();
    sizes.push(next.slices.length);
    answer(next, 0.05);
  }
  assert.equal(sizes[0], 1);
  assert.equal(Math.max(...sizes), 6);
  for (let n = 0; n < 8; n++) answer(asked.shift(), 0.5);
  assert.equal(asked[asked.length - 1].slices.length, 1);
});

test("a fast scroll is met where it will be when the answer comes, and where it ends", () => {
  const { transport, asked, answer, wait, want } = setUp({ rows: 512, cols: 512, count: 300 });
  want(0);
  let at = 0;
  // 40 slices a second; an answer takes a quarter of a second.
  for (let n = 0; n < 40; n++) {
    wait(0.025);
    want(++at);
    if (n % 5 === 4 && asked.length) answer(asked.shift(), 0);
  }
  const last = asked[asked.length - 1].slices;
  assert.ok(Math.min(...last) > at, `${last} are asked for at ${at}`);
  assert.ok(Math.min(...last) < at + 40, `${last} are asked for at ${at}`);
  // Now it rests: the slice itself is asked for next.
  wait(0.2);
  while (asked.length > 1) asked.shift();
  answer(asked.shift(), 0.01);
  for (let guard = 0; guard < 5 && !transport.has({ source: 0, step: 0, slice: at }); guard++) {
    transport.pump();
    const next = asked.findIndex(({ slices }) => slices.includes(at));
    if (next >= 0) answer(asked[next]);
  }
  assert.ok(transport.has({ source: 0, step: 0, slice: at }));
});

test("a page that is full fetches nothing in a circle", () => {
  const { transport, cache, asked, answer, want } = setUp({ count: 60, budget: 20 * 200 });
  want(30);
  let messages = 0;
  for (; asked.length && messages < 200; messages++) answer(asked.shift());
  assert.ok(messages < 30, `${messages} messages`);
  assert.equal(cache.bytes, 20 * 200);
  for (let n = 0; n < 5; n++) transport.pump();
  assert.equal(asked.length, 0);
});

/** Scrolls on, 40 slices a second; an answer takes a quarter of a second. @param {ReturnType<typeof setUp>} line @param {number} count */
function rush({ asked, answer, wait, want }, count) {
  want(0);
  for (let n = 1; n <= count; n++) {
    wait(0.025);
    want(n);
    if (n % 5 === 4 && asked.length) answer(asked.shift(), 0);
  }
}

test("slices that pass by come with fewer pixels, and whole when the hand rests", () => {
  const line = setUp({ rows: 512, cols: 512, count: 300 });
  const { transport, cache, asked, answer, wait, want } = line;
  assert.equal((want(0), asked[0].divide), 1, "the first one is whole");
  asked.length = 0;
  transport.reset(line.metas);
  rush(line, 40);
  const last = asked[asked.length - 1];
  assert.ok(last.divide > 1);
  const [at] = last.slices;
  answer(last);
  assert.ok(cache.shows("a", 0, at));
  assert.equal(cache.has("a", 0, at), false, "a draft is no slice to be measured");
  assert.ok(transport.shows(0, 0, [at, at]) && !transport.complete(0, 0, [at, at]));
  want(at);
  wait(0.2);
  for (const one of asked.splice(0)) if (one !== last && !one.slices.includes(at)) answer(one);
  const whole = asked.find(({ slices }) => slices.includes(at));
  assert.equal(whole?.divide, 1);
  answer(whole);
  assert.ok(cache.has("a", 0, at));
});

test("a draft takes the place of no whole slice", () => {
  const cache = new SliceCache();
  cache.hold("a", 1000);
  const entry = (/** @type {number} */ divide) => ({ values: new Uint16Array(10), exact: true, step: 1, divide });
  cache.put("a", 0, 5, entry(2));
  assert.deepEqual([cache.count("a", 0), cache.peek("a", 0, 5)], [0, undefined]);
  cache.put("a", 0, 5, entry(1));
  cache.put("a", 0, 5, entry(2));
  assert.deepEqual([cache.get("a", 0, 5)?.divide, cache.count("a", 0), cache.bytes], [1, 1, 20]);
  cache.put("a", 0, 6, entry(4));
  cache.release("a");
  assert.deepEqual([cache.bytes, cache.entries.size], [0, 0]);
});

test("small slices always come whole, and the slower the line the fewer pixels pass by", () => {
  for (const [side, divide] of [[200, 1], [1024, 4]]) {
    const line = setUp({ rows: side, cols: side, count: 300 });
    rush(line, 60);
    assert.equal(line.asked[line.asked.length - 1].divide, divide, `${side}`);
  }
});
