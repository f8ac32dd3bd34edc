// Values as text: no digit that the way to the page did not keep.

import assert from "node:assert/strict";
import { test } from "node:test";

import { honest, placeText, worked } from "../../dicomlab/view/js/text.js";

test("a value is written with the digits that 16 bits and float32 have kept", () => {
  assert.equal(honest(-1024, { exact: true, step: 1 }), "-1024");
  assert.equal(honest(0.5, { exact: true, step: 1 }), "0.5");
  assert.equal(honest(12.3456, { exact: false, step: 0.013 }), "≈ 12.3");
  assert.equal(honest(123456, { exact: false, step: 40 }), "≈ 123500");
  // Float32 are 0.06 apart here, whatever the step.
  assert.equal(honest(1000000.25, { exact: false, step: 1e-5 }), "≈ 1000000");
  assert.equal(honest(100000000, { exact: false, step: 1 }), "≈ 100000000");
  assert.equal(honest(Math.fround(0.1), { exact: false, step: 1.2e-8 }), "≈ 0.1000000");
  assert.equal(honest(0, { exact: false, step: 0.5 }), "≈ 0");
  assert.equal(honest(NaN, { exact: false, step: 1 }), "NaN");
  assert.equal(honest(-Infinity, { exact: true, step: 1 }), "-inf");
});

test("a place is as far from the middle on both sides of the patient", () => {
  const cases = { 12.25: "12.3 mm L", "-12.25": "12.3 mm R", 0.15: "0.2 mm L", "-0.04": "0.0 mm L", "-0.05": "0.1 mm R", 0: "0.0 mm L", "-76.8": "76.8 mm R" };
  for (const [mm, text] of Object.entries(cases)) assert.equal(placeText(Number(mm), ["R", "L"]), text);
});

test("a number that was worked out of values has no more digits than these", () => {
  assert.equal(worked(41.2345, "41.23", { exact: true, step: 0 }), "41.23");
  assert.equal(worked(5123.4, "5123", { exact: false, step: 0.3 }), "5123");
  assert.equal(worked(41.2345, "41.23", { exact: false, step: 0.06 }), "≈ 41.2");
  assert.equal(worked(0, "0", { exact: false, step: 15 }), "≈ 0");
  assert.equal(worked(1.2e-7, "1.200e-7", { exact: false, step: 1e-10 }), "1.200e-7");
  assert.equal(worked(1.2e-7, "1.200e-7", { exact: false, step: 1e-8 }), "≈ 0.00000012");
  assert.equal(worked(NaN, "NaN", { exact: false, step: 1 }), "NaN");
});
