// Orders of images and places in the grid: pure, and the order has a twin in dicomlab/teach/series/still.py.

/** @typedef {import("./types.js").Stack} Stack */

/**
 * Numbers of the images in the order of their files or of their Instance Numbers.
 * @param {Stack} stack @param {string} order
 * @returns {number[]}
 */
export function orderOf(stack, order) {
  const { file, number, frame, row } = stack;
  const frameOf = (/** @type {number} */ k) => (frame ? frame[k] : 1);
  const keys = { file: (/** @type {number} */ k) => [file[k], frameOf(k), 0], number: (/** @type {number} */ k) => [number[k], file[k], frameOf(k)] }[order];
  if (!keys) return [];
  const all = row.map((_, k) => ({ k, key: keys(k) }));
  all.sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1] || a.key[2] - b.key[2] || a.k - b.k);
  return all.map(({ k }) => k);
}

/**
 * Images in each cell, by row and column.
 * @param {Stack} stack
 */
export function cellsOf(stack) {
  /** @type {Map<string, number[]>} */
  const cells = new Map();
  stack.row.forEach((row, k) => {
    const key = `${row}/${stack.column[k]}`;
    const there = cells.get(key);
    if (there) there.push(k);
    else cells.set(key, [k]);
  });
  return cells;
}

/**
 * Where cells are drawn: slice positions run to the right, steps downwards; slices of a single step go on in further lines.
 * @param {number} rows @param {number} steps @param {number} width pixels there are, without the names of the steps
 */
export function layout(rows, steps, width) {
  const wrap = steps === 1 && rows * 16 > width;
  const across = wrap ? Math.max(1, Math.floor(width / 16)) : rows;
  const cellWidth = wrap ? 16 : Math.max(4, Math.min(40, Math.floor(width / Math.max(1, rows))));
  // A single line of slices is tall: jumps along it are drawn as arcs.
  const cellHeight = wrap ? 16 : steps === 1 ? 56 : Math.max(5, Math.min(26, Math.floor(340 / Math.max(1, steps))));
  const lines = wrap ? Math.ceil(rows / across) : steps;
  return {
    wrap,
    across,
    cellWidth,
    cellHeight,
    width: across * cellWidth,
    height: lines * cellHeight,
    /** @param {number} row @param {number} column @returns {[number, number]} */
    corner: (row, column) => (wrap ? [(row % across) * cellWidth, Math.floor(row / across) * cellHeight] : [row * cellWidth, column * cellHeight]),
    /** @param {number} x @param {number} y @returns {[number, number] | null} */
    hit(x, y) {
      const [i, j] = [Math.floor(x / cellWidth), Math.floor(y / cellHeight)];
      if (i < 0 || j < 0 || i >= across || j >= lines) return null;
      const [row, column] = wrap ? [j * across + i, 0] : [i, j];
      return row < rows ? [row, column] : null;
    },
  };
}
