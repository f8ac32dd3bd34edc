import assert from "node:assert/strict";
import test from "node:test";

import { SliceCache } from "../../dicomlab/view/js/cache.js";
import { codesFrom } from "../../dicomlab/view/js/codec.js";
import { Transport, around } from "../../dicomlab/view/js/transport.js";

/** A kernel that answers when it is told to. */
function setUp({ count = 100, budget = 1e9, rows = 10, cols = 10, reslice = true } = {}) {
  /** @type {any[]} */
  const asked = [];
  let clock = 0;
  const cache = new SliceCache();
  /** @type {any} */
  const meta = { key: "a", budget, reslice };
  cache.hold("a", budget);
  /** @type {any[]} */
  const arrivals = [];
  const transport = new Transport({ cache, send: (one) => asked.push(one), now: () => clock, onArrival: (one) => arrivals.push(one) });
  transport.reset(meta, [count, rows, cols]);
  const answer = (/** @type {any} */ demand, seconds = 0.001) => {
    clock += seconds;
    const buffers = demand.indices.map((/** @type {number} */ index) => {
      const length = demand.axis === 0 ? rows * cols : count * (demand.axis === 1 ? cols : rows);
      return new Uint16Array(length).fill(index).buffer;
    });
    const items = demand.indices.map((/** @type {number} */ index, /** @type {number} */ buffer) => ({ index, buffer, kind: "u2", slope: 1, intercept: 0, exact: true }));
    transport.receive({ type: "slices", generation: demand.generation, key: demand.key, id: demand.id, items }, buffers);
  };
  const settle = () => {
    for (let guard = 0; asked.length && guard < 1000; guard++) answer(asked.shift());
  };
  const wait = (/** @type {number} */ seconds) => {
    clock += seconds;
  };
  return { transport, cache, asked, answer, settle, arrivals, meta, wait };
}

test("the wanted slice is asked for first and alone", () => {
  const { transport, asked } = setUp();
  transport.want(0, 50, 1);
  assert.deepEqual(asked[0].indices, [50]);
  assert.ok(asked.slice(1).every(({ indices }) => indices.length <= 4 && !indices.includes(50)));
});

test("at most two demands are outstanding, and then the newest wish is served", () => {
  const { transport, asked, answer } = setUp({ rows: 2000, cols: 2000 });
  transport.paused = true;
  for (let index = 0; index < 30; index++) transport.want(0, index, 1);
  assert.deepEqual(asked.map(({ indices }) => indices), [[0], [1]]);
  answer(asked[0]);
  assert.deepEqual(asked.map(({ indices }) => indices), [[0], [1], [29]]);
});

test("neighbours are fetched in the direction of travel, four in a message", () => {
  const { transport, asked, answer } = setUp();
  transport.want(0, 50, -1);
  answer(asked[0]);
  const ahead = asked.slice(1).flatMap(({ indices }) => indices);
  assert.deepEqual(asked[1].indices, [49, 48, 51, 47]);
  assert.ok(ahead.filter((index) => index < 50).length > ahead.filter((index) => index > 50).length);
});

test("all slices come while nothing else happens, each once", () => {
  const { transport, cache, settle, arrivals } = setUp();
  transport.want(0, 50, 1);
  settle();
  assert.equal(cache.count("a"), 100);
  assert.equal(new Set(arrivals.map(({ index }) => index)).size, arrivals.length);
});

test("filling up stops at the budget, and walking on lets the oldest slices go", () => {
  const { transport, cache, settle } = setUp({ budget: 40 * 200 });
  transport.want(0, 50, 1);
  settle();
  assert.ok(cache.bytes <= 40 * 200);
  assert.ok(cache.count("a") >= 38);
  for (let index = 51; index < 100; index++) {
    transport.want(0, index, 1);
    settle();
    assert.ok(cache.has("a", 0, index));
    assert.ok(cache.bytes <= 40 * 200);
  }
  assert.ok(!cache.has("a", 0, 50));
});

test("while the user scrolls only neighbours are fetched, in small messages, and the rest once the scroll has ended", () => {
  const { transport, cache, asked, answer, settle, wait } = setUp();
  transport.paused = true;
  transport.want(0, 39, 1);
  transport.paused = false;
  for (let index = 40; index < 50; index++) {
    wait(0.03);
    transport.want(0, index, 1);
    while (asked.length) {
      assert.ok(asked[0].indices.length <= 2);
      answer(asked.shift());
    }
  }
  assert.ok(cache.has("a", 0, 58));
  assert.ok(!cache.has("a", 0, 90));
  wait(0.5);
  transport.pump();
  settle();
  assert.equal(cache.count("a"), 100);
});

test("a slow line is not filled with slices fetched in advance", () => {
  const { transport, asked, answer } = setUp({ rows: 512, cols: 512 });
  transport.want(0, 50, 1);
  for (let n = 0; n < 12; n++) {
    const flying = asked.flatMap(({ indices }) => indices).length;
    assert.ok(flying <= 2, `${flying} slices of 0.2 s each are under way`);
    const next = asked.shift();
    answer(next, 0.2 * next.indices.length); // 2.6 MB a second
  }
});

test("a fast line is kept busy", () => {
  const { transport, asked, answer } = setUp({ rows: 512, cols: 512 });
  transport.want(0, 50, 1);
  for (let n = 0; n < 12; n++) {
    const next = asked.shift();
    answer(next, 0.01 * next.indices.length); // 52 MB a second
  }
  assert.deepEqual(asked.map(({ indices }) => indices.length), [4, 4]);
});

test("what belongs to another generation, volume or nothing asked is dropped", () => {
  const { transport, asked, answer, cache, meta } = setUp();
  transport.want(0, 50, 1);
  const old = asked[0];
  transport.reset({ ...meta, key: "a" }, [100, 10, 10]);
  answer(old);
  assert.equal(cache.count("a"), 0);
  transport.receive({ type: "slices", generation: 1, key: "a", id: 99, items: [] }, []);
  transport.receive({ type: "other" }, []);
  assert.equal(cache.count("a"), 0);
});

test("a slice that cannot be read is remembered with its reason, and asked for again only when wanted again", () => {
  const { transport, asked } = setUp({ count: 3 });
  transport.paused = true;
  transport.want(0, 1, 1);
  const [{ generation, key, id }] = asked;
  transport.receive({ type: "slices", generation, key, id, items: [{ index: 1, error: "torn" }] }, []);
  assert.equal(transport.failure(0, 1), "torn");
  transport.pump();
  assert.equal(asked.length, 1);
  transport.want(0, 1, 1);
  assert.equal(asked.length, 2);
});

test("planes across the slices come from the kernel until all slices are here", () => {
  const { transport, asked, settle, arrivals } = setUp({ count: 6, rows: 3, cols: 4 });
  transport.want(1, 2, 1);
  assert.deepEqual([asked[0].axis, asked[0].indices], [1, [2]]);
  assert.equal(transport.picture(1, 2), null);
  settle();
  assert.equal(transport.picture(1, 2)?.missing, null);
  assert.equal(arrivals.filter(({ axis }) => axis === 1).length, 1);
  transport.want(2, 1, 1);
  assert.equal(asked.length, 0, "now they are cut in the page");
  const picture = transport.picture(2, 1);
  assert.deepEqual([picture?.rows, picture?.cols, picture?.scales.length], [6, 3, 1]);
  assert.deepEqual([...(picture?.codes ?? [])], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]);
});

test("of a lazy volume a plane across the slices shows those that are here", () => {
  const { transport, asked, answer } = setUp({ count: 6, rows: 3, cols: 4, reslice: false });
  transport.want(1, 2, 1);
  assert.ok(asked.every(({ axis }) => axis === 0));
  answer(asked[0]);
  const missing = transport.picture(1, 2)?.missing;
  assert.equal(missing?.reduce((sum, one) => sum + one, 0), 6 - asked[0].indices.length);
});

test("the cache goes with the last view of a volume, and keeps what others need", () => {
  const cache = new SliceCache();
  const scale = { signed: true, special: false, exact: true, slope: 1, intercept: 0 };
  cache.hold("a", 1000);
  cache.hold("a", 1000);
  cache.hold("b", 2000);
  assert.equal(cache.budget, 2000);
  for (const key of ["a", "b"]) cache.put(key, 0, 0, { codes: new Uint16Array(10), scale });
  cache.release("a");
  assert.equal(cache.count("a"), 1);
  cache.release("a");
  assert.equal(cache.bytes, 20);
  cache.put("a", 0, 1, { codes: new Uint16Array(10), scale });
  assert.equal(cache.bytes, 20, "what arrives too late is not kept");
  cache.release("b");
  assert.deepEqual([cache.bytes, cache.entries.size], [0, 0]);
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

test("around goes twice as far ahead as behind and finds everybody once", () => {
  assert.deepEqual([...around(5, 1, 8)], [6, 7, 4, 3, 2, 1, 0]);
  assert.equal(new Set(around(0, -1, 50)).size, 49);
});
