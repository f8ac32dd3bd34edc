import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";

import { PageModel, unpack } from "../../dicomlab/view/js/standalone.js";

const codes = Uint16Array.of(1, 256, 65535, 0x1234);
const halves = Buffer.from([...codes].map((code) => code & 255).concat([...codes].map((code) => code >> 8)));
const data = deflateSync(halves).toString("base64");

test("slices come out of the page as they went in", async () => {
  assert.deepEqual([...new Uint16Array(await unpack(data))], [...codes]);
});

test("the stand-in for the model answers a demand as the kernel would, and says what it cannot read", async () => {
  const model = new PageModel({}, (_source, _step, index) => ({ kind: "i2", slope: 1, intercept: 0, exact: true, data: index ? "AAAA" : data }));
  /** @type {any[]} */
  const heard = [];
  model.on("msg:custom", (message, buffers) => heard.push([message, buffers]));
  await model.send({ type: "pull", generation: 3, key: "k", id: 7, source: 0, step: 0, slices: [0, 1] });
  const [[message, buffers]] = heard;
  assert.deepEqual([message.generation, message.key, message.id], [3, "k", 7]);
  assert.deepEqual(message.items[0], { slice: 0, buffer: 0, kind: "i2", slope: 1, intercept: 0, exact: true });
  assert.match(message.items[1].error, /cannot be read/);
  assert.deepEqual([...new Uint16Array(buffers[0])], [...codes]);
});
