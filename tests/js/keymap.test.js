import assert from "node:assert/strict";
import test from "node:test";

import { following } from "../../dicomlab/view/js/cine.js";
import { usesItself } from "../../dicomlab/view/js/gestures.js";
import { actionOf, help, keymap, spoken } from "../../dicomlab/view/js/keymap.js";
import { unpack } from "../../dicomlab/view/js/standalone.js";
import { deflateSync } from "node:zlib";

/** @param {string} key @param {object} [more] */
const event = (key, more) => ({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });

test("what a user binds is done and listed, and what was bound there is gone", () => {
  const map = keymap({ c: "crosshair", x: "", "Ctrl+k": "invert", MiddleDrag: "window", "Shift+Move": "" });
  assert.equal(actionOf(event("c"), map), "crosshair");
  assert.equal(actionOf(event("x"), map), null);
  assert.equal(actionOf(event("k", { ctrlKey: true }), map), "invert");
  assert.equal(actionOf(event("k"), map), null);
  const rows = new Map(help(map));
  assert.match(rows.get("Middle drag") ?? "", /^window/);
  assert.equal(rows.has("Shift + Move"), false);
  assert.equal(rows.get("Ctrl + K"), "invert");
  assert.equal(rows.get("C, H") ?? rows.get("H, C"), "hide or show the crosshair");
  assert.ok(![...rows.values()].some((text) => text.startsWith("plays")), "C plays no longer");
});

test("every key of the usual map stands in the help", () => {
  const map = keymap();
  const listed = help(map).map(([gesture]) => gesture).join(" ");
  for (const name of Object.keys(map)) assert.ok(listed.includes(spoken(name)), name);
});

test("a slider keeps the arrows along it, a field all keys, a button its space bar", () => {
  /** @param {string} localName @param {string} [type] */
  const one = (localName, type) => /** @type {any} */ ({ localName, type, isContentEditable: false });
  assert.equal(usesItself(one("input", "range"), "ArrowRight"), true);
  assert.equal(usesItself(one("input", "range"), "ArrowDown"), false);
  assert.equal(usesItself(one("input", "text"), "x"), true);
  assert.equal(usesItself(one("button"), " "), true);
  assert.equal(usesItself(one("button"), "x"), false);
  assert.equal(usesItself(one("div"), " "), false);
});

/** @param {number} count @param {boolean} bounce @param {number} frames */
function play(count, bounce, frames) {
  let [at, direction] = [0, 1];
  return Array.from({ length: frames }, () => ([at, direction] = following(at, count, direction, bounce))[0]);
}

test("a cine begins anew at its end, or turns round there and shows the end once", () => {
  assert.deepEqual(play(3, false, 5), [1, 2, 0, 1, 2]);
  assert.deepEqual(play(3, true, 6), [1, 2, 1, 0, 1, 2]);
  assert.deepEqual(play(2, true, 3), [1, 0, 1]);
  assert.deepEqual(play(1, true, 3), [0, 0, 0]);
});

test("codes of one byte come out of the page, 255 as nothing", async () => {
  const data = deflateSync(Buffer.from([0, 7, 254, 255])).toString("base64");
  assert.deepEqual([...new Uint16Array(await unpack(data, 1))], [0, 7, 254, 65535]);
});

test("Shift turns what Ctrl takes back into what it does again, and changes no other letter", () => {
  assert.equal(actionOf(event("z", { ctrlKey: true })), "undo");
  assert.equal(actionOf(event("Z", { ctrlKey: true, shiftKey: true })), "redo");
  assert.equal(actionOf(event("Z", { metaKey: true, shiftKey: true })), "redo");
  assert.equal(actionOf(event("Z", { ctrlKey: true })), "undo"); // caps lock
  assert.equal(actionOf(event("X", { shiftKey: true })), "invert");
  assert.equal(actionOf(event("?", { shiftKey: true })), "help");
});
