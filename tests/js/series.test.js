// Orders through the grid as Python has them, and places of cells that are found again where they were drawn.

import assert from "node:assert/strict";
import test from "node:test";

import { cellsOf, layout, orderOf } from "../../dicomlab/teach/js/series/order.js";
import { vectors } from "./vectors.js";

test("orders are those of Python", () => {
  for (const { stack, orders } of vectors("series")) {
    for (const [order, expected] of Object.entries(orders)) assert.deepEqual(orderOf(stack, order), expected, order);
  }
});

test("every image is in one cell", () => {
  for (const { stack } of vectors("series")) {
    const there = [...cellsOf(stack)].flatMap(([key, images]) => images.map((/** @type {number} */ k) => [k, key]));
    assert.equal(there.length, stack.row.length);
    for (const [k, key] of there) assert.equal(key, `${stack.row[k]}/${stack.column[k]}`);
  }
});

test("a cell is hit where it is drawn, at any size", () => {
  for (const [rows, steps, width] of [[1, 1, 500], [9, 1, 500], [700, 1, 500], [40, 13, 600], [5000, 1, 320], [3, 400, 700], [200, 30, 120]]) {
    const plan = layout(rows, steps, width);
    const seen = new Set();
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < steps; column++) {
        const [x, y] = plan.corner(row, column);
        assert.deepEqual(plan.hit(x + plan.cellWidth / 2, y + plan.cellHeight / 2), [row, column]);
        assert.ok(x + plan.cellWidth <= plan.width && y + plan.cellHeight <= plan.height);
        seen.add(`${x}/${y}`);
      }
    }
    assert.equal(seen.size, rows * steps);
    assert.equal(plan.hit(-1, 3), null);
    assert.equal(plan.hit(3, plan.height + 1), null);
    assert.equal(plan.hit(plan.width + 1, 3), null);
  }
});

test("slices of a single step are wrapped where they do not fit", () => {
  const plan = layout(700, 1, 500);
  assert.ok(plan.wrap && plan.width <= 500);
  assert.ok(!layout(9, 1, 500).wrap);
});
