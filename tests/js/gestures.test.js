import assert from "node:assert/strict";
import test from "node:test";

import { short } from "../../dicomlab/view/js/chrome.js";
import { draggedWindow, wheelSteps } from "../../dicomlab/view/js/gestures.js";
import { HELP, KEYS, actionOf } from "../../dicomlab/view/js/keymap.js";

test("a notch of a wheel is one slice, whatever its size", () => {
  const memory = { sum: 0 };
  for (const deltaY of [53, 100, 120, 240]) assert.equal(wheelSteps({ deltaY, deltaMode: 0 }, memory), 1);
  assert.equal(wheelSteps({ deltaY: -100, deltaMode: 0 }, memory), -1);
  assert.equal(wheelSteps({ deltaY: 3, deltaMode: 1 }, memory), 1);
});

test("the small moves of a touchpad add up, and turning round starts anew", () => {
  const memory = { sum: 0 };
  const steps = [10, 10, 10, 10, 10, 10, 10, 10].map((deltaY) => wheelSteps({ deltaY, deltaMode: 0 }, memory));
  assert.deepEqual(steps, [0, 0, 0, 1, 0, 0, 0, 1]);
  wheelSteps({ deltaY: 39, deltaMode: 0 }, memory);
  assert.equal(Math.abs(wheelSteps({ deltaY: -30, deltaMode: 0 }, memory)), 0);
  assert.equal(wheelSteps({ deltaY: -30, deltaMode: 0 }, memory), -1);
});

test("a drag is proportional to the window, so that narrow and wide ones feel the same", () => {
  const wide = draggedWindow({ center: 0, width: 4000 }, 60, 25);
  const narrow = draggedWindow({ center: 0, width: 4 }, 60, 25);
  assert.ok(Math.abs(wide.width / narrow.width - 1000) < 1e-9);
  assert.ok(Math.abs(wide.center / narrow.center - 1000) < 1e-9);
  assert.ok(draggedWindow({ center: 0, width: 4 }, -5000, 0).width > 0);
});

test("keys mean what the help says, and combinations with Ctrl belong to the host", () => {
  /** @param {string} key @param {object} [more] */
  const press = (key, more) => actionOf({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
  assert.equal(press("ArrowDown"), "next");
  assert.equal(press("ArrowDown", { shiftKey: true }), "next10");
  assert.equal(press("X", { shiftKey: true }), "invert");
  assert.equal(press("?", { shiftKey: true }), "help");
  assert.equal(press("4"), 4);
  assert.equal(press("x", { ctrlKey: true }), null);
  assert.equal(press("s", { metaKey: true }), null);
  for (const key of ["d", "a", "Enter", "constructor", "Tab"]) assert.equal(press(key), null);
  const listed = HELP.map(([gesture]) => gesture).join(" ");
  for (const word of ["Home", "End", "Esc", "Page", "X", "I", "Space", "0", "?"]) assert.ok(listed.includes(word), word);
  assert.equal(new Set(Object.values(KEYS)).size, 11);
});

test("numbers are written shortly", () => {
  assert.deepEqual([400, 449.5, 0.123456, -1024, 11759.25, 1e7, 0, 0.00001].map(short), [
    "400", "449.5", "0.12346", "-1024", "11759.25", "1.000e+7", "0", "1.000e-5",
  ]);
});
