import assert from "node:assert/strict";
import test from "node:test";

import { draggedWindow, wheelSteps } from "../../dicomlab/view/js/gestures.js";
import { actionOf } from "../../dicomlab/view/js/keymap.js";
import { placeText, short, windowText } from "../../dicomlab/view/js/text.js";

/** Slices for a run of events. @param {number[]} deltas @param {number} [deltaMode] @param {number} [every] ms apart */
function scroll(deltas, deltaMode = 0, every = 20) {
  const memory = { sum: 0, at: -1000 };
  return deltas.map((deltaY, i) => wheelSteps({ deltaY, deltaMode, timeStamp: i * every }, memory) + 0);
}

/** @param {number[]} all */
const sum = (all) => all.reduce((a, b) => a + b, 0);

test("a notch of a plain wheel is one slice, whatever the system makes of it", () => {
  for (const deltaY of [53, 67, 100, 120, 149]) assert.deepEqual(scroll(Array(5).fill(deltaY)), [1, 1, 1, 1, 1], `${deltaY}`);
  assert.deepEqual(scroll([100, -100, -120]), [1, -1, -1]);
  assert.deepEqual(scroll([3, 3, -3], 1), [1, 1, -1]);
  assert.deepEqual(scroll([1, -1], 2), [1, -1]);
  assert.deepEqual(scroll([300]), [3], "three notches in one event");
});

test("the eighths of a notch of a fine wheel add up to one slice", () => {
  assert.equal(sum(scroll(Array(8).fill(12.5))), 1);
  assert.equal(sum(scroll(Array(40).fill(-12.5))), -5);
  assert.equal(sum(scroll(Array(24).fill(3 / 8), 1)), 3);
  assert.deepEqual(scroll([1, 1, 1], 1), [0, 0, 1]);
});

test("a touchpad moves in proportion, and turning round or resting starts anew", () => {
  for (const one of [4, 10, 33]) {
    const count = Math.round(1000 / one);
    assert.equal(sum(scroll(Array(count).fill(one))), Math.floor((count * one) / 100 + 1e-9), `${one}`);
  }
  assert.deepEqual(scroll([45, 45, -30, -45, -45]), [0, 0, 0, 0, -1]);
  assert.deepEqual(scroll([45, 45, 45], 0, 400), [0, 0, 0]);
});

test("a drag is proportional to the window, so that narrow and wide ones feel the same", () => {
  const wide = draggedWindow({ center: 0, width: 4000 }, 60, 25);
  const narrow = draggedWindow({ center: 0, width: 4 }, 60, 25);
  assert.ok(Math.abs(wide.width / narrow.width - 1000) < 1e-9);
  assert.ok(Math.abs(wide.center / narrow.center - 1000) < 1e-9);
  assert.ok(draggedWindow({ center: 0, width: 4 }, -5000, 0).width > 0);
});

test("keys mean what they usually mean, and combinations with Ctrl belong to the host", () => {
  /** @param {string} key @param {object} [more] */
  const press = (key, more) => actionOf({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
  assert.equal(press("ArrowDown"), "next");
  assert.equal(press("ArrowDown", { shiftKey: true }), "next10");
  assert.equal(press("X", { shiftKey: true }), "invert");
  assert.equal(press("?", { shiftKey: true }), "help");
  assert.equal(press("4"), "preset4");
  assert.equal(press("x", { ctrlKey: true }), null);
  assert.equal(press("s", { metaKey: true }), null);
  for (const key of ["constructor", "Tab", "F5"]) assert.equal(press(key), null);
});

test("numbers are written shortly", () => {
  assert.deepEqual([400, 449.5, 0.123456, -1024, 11759.25, 1e7, 0, 0.00001].map(short), [
    "400", "449.5", "0.12346", "-1024", "11759.25", "1.000e+7", "0", "1.000e-5",
  ]);
});

test("windows are written as Python writes them", () => {
  /** @type {[number, number, string][]} */
  const cases = [
    [50, 400, "W 400 L 50"],
    [40.5, 400, "W 400 L 40.5"],
    [-600.2, 1500, "W 1500 L -600"],
    [5879.6, 11759.25, "W 11759 L 5880"],
    [0.0125, 0.5, "W 0.5 L 0.0125"],
    [-0.0001, 90, "W 90 L 0"],
  ];
  for (const [center, width, text] of cases) assert.equal(windowText({ center, width }), text);
});

test("a distance names the side of the patient instead of a sign", () => {
  assert.equal(placeText(76.84, ["R", "L"]), "76.8 mm L");
  assert.equal(placeText(-76.84, ["R", "L"]), "76.8 mm R");
  assert.equal(placeText(-17.94, ["AH", "PF"]), "17.9 mm AH");
  assert.equal(placeText(-0.04, ["F", "H"]), "0.0 mm H");
});
