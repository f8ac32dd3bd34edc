// Several volumes in one view: looks that follow the mode, and windows by their edges.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "../../dicomlab/view/js/dock.js";
import { hex } from "../../dicomlab/view/js/text.js";
import { endsOf, shadesOf } from "../../dicomlab/view/js/bars.js";
import { between, edgesOf, lookedAs } from "../../dicomlab/view/js/layers.js";
import { brightness, shader } from "../../dicomlab/view/js/lut.js";

/** @typedef {import("../../dicomlab/view/js/types.js").Window} Window */

test("the edges of a linear window are the values that just turn black and white", () => {
  for (const window of /** @type {Window[]} */ ([
    { center: 40, width: 400, function: "LINEAR" },
    { center: -3.5, width: 0.25, function: "LINEAR_EXACT" },
  ])) {
    const [low, high] = edgesOf(window);
    const step = (high - low) / 1000;
    assert.equal(brightness(low, window), 0);
    assert.equal(brightness(high, window), 1);
    assert.ok(brightness(low + step, window) > 0);
    assert.ok(brightness(high - step, window) < 1);
    assert.deepEqual({ ...between(low, high, window.function), function: window.function }, window);
  }
});

test("the edges of a sigmoid are as far from its middle as those of the exact line", () => {
  assert.deepEqual(edgesOf({ center: 10, width: 8, function: "SIGMOID" }), [6, 14]);
  assert.deepEqual(between(6, 14, "SIGMOID"), { center: 10, width: 8 });
});

test("a look that nobody changed follows the mode, and the window stays", () => {
  const plain = { invert: true, cmap: "gray", opacity: 1, fade: false };
  const fused = { invert: false, cmap: "hot", opacity: 1, fade: true };
  const look = { ...plain, visible: true, window: /** @type {Window} */ ({ center: 1, width: 2, function: "LINEAR" }) };
  const over = lookedAs("fusion", look, { plain, fused });
  assert.deepEqual(over, { ...look, ...fused });
  assert.deepEqual(lookedAs("curtain", over, { plain, fused }), look);
  const own = { ...look, cmap: "viridis" };
  assert.deepEqual(lookedAs("fusion", own, { plain, fused }), own);
});

test("colours come back from their text", () => {
  assert.equal(hex([0, 9, 255]), "#0009ff");
  assert.deepEqual(fromHex("#0009ff"), [0, 9, 255]);
});

test("a colour bar has beside each value the colour that the picture gives it", () => {
  for (const window of /** @type {Window[]} */ ([
    { center: 40, width: 400, function: "LINEAR" },
    { center: -3.5, width: 0.25, function: "LINEAR_EXACT" },
    { center: 50, width: 400, function: "SIGMOID" },
  ])) {
    const [low, high] = endsOf(window);
    for (const invert of [false, true]) {
      const shade = shader(window, invert);
      const bar = shadesOf(window, invert);
      bar.forEach((one, y) => {
        const [above, below] = [y, y + 1].map((edge) => shade(high - (edge / 256) * (high - low)));
        assert.ok(Math.min(above, below) <= one && one <= Math.max(above, below), `${window.function} ${invert} ${y}`);
      });
      assert.ok(Math.abs(bar[0] - bar[255]) > 250); // from end to end
    }
  }
  assert.equal(shadesOf({ center: 0, width: 1, function: "LINEAR" }, false)[0], 255); // a window that is one step
});
