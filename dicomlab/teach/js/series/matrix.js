// The grid of a stack on a canvas: images, holes, doubles, findings, and a line in the order of files or numbers.

import { make } from "../../../view/js/elements.js";
import { cellsOf, layout, orderOf } from "./order.js";

/** @typedef {import("./types.js").Stack} Stack */

const FOOT = 30;
const TEXT = '11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';

/**
 * @param {Stack} stack
 * @param {Set<number>} marked images that findings speak of
 * @param {(cell: number | null) => void} onChoose
 */
export function matrix(stack, marked, onChoose) {
  const canvas = make("canvas", "dl-grid", {
    tabindex: "0",
    role: "application",
    "aria-label": `Grid of ${stack.name}: arrow keys walk through its images`,
    "data-lm-suppress-shortcuts": "true",
  });
  const box = make("div", "dl-grid-box", {}, [canvas]);
  const cells = cellsOf(stack);
  const ghosts = new Set(stack.ghosts);
  const [rows, steps] = [stack.heights.length, stack.steps.length];
  /** @type {{cell: number | null, order: string, lit: Set<number>}} */
  let shown = { cell: null, order: "none", lit: new Set() };
  let at = { row: 0, column: 0 };
  let gutter = 0;
  /** @type {ReturnType<typeof layout>} */
  let plan = layout(rows, steps, 600);

  const colour = (/** @type {string} */ name) => getComputedStyle(canvas).getPropertyValue(name).trim() || "#888";

  function draw() {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.font = TEXT;
    gutter = steps > 1 ? Math.min(170, 12 + Math.max(...stack.steps.map((one) => context.measureText(one).width))) : 0;
    plan = layout(rows, steps, Math.max(120, box.clientWidth - gutter - 4));
    const [width, height] = [gutter + plan.width + 2, plan.height + FOOT];
    const ratio = globalThis.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = TEXT;
    const [text, faint, line, accent, warn, back] = ["--dl-text", "--dl-faint", "--dl-line", "--dl-accent", "--dl-warn", "--dl-back"].map(colour);
    context.fillStyle = back;
    context.fillRect(0, 0, width, height);
    const order = orderOf(stack, shown.order);
    const rank = new Map(order.map((k, n) => [k, n]));
    const gap = plan.cellWidth > 7 && plan.cellHeight > 7 ? 1.5 : 0.5;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < steps; column++) {
        const [x0, y0] = plan.corner(row, column);
        const [x, y, w, h] = [gutter + x0 + gap, y0 + gap, plan.cellWidth - 2 * gap, plan.cellHeight - 2 * gap];
        const there = cells.get(`${row}/${column}`) ?? [];
        if (!there.length) {
          context.strokeStyle = warn;
          context.lineWidth = 1;
          context.setLineDash(ghosts.has(row) ? [2, 2] : []);
          context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
          context.setLineDash([]);
          if (w > 5 && h > 5) {
            context.beginPath();
            context.moveTo(x + w * 0.3, y + h * 0.3);
            context.lineTo(x + w * 0.7, y + h * 0.7);
            context.moveTo(x + w * 0.7, y + h * 0.3);
            context.lineTo(x + w * 0.3, y + h * 0.7);
            context.stroke();
          }
          continue;
        }
        there.forEach((k, n) => {
          const part = w / there.length;
          context.fillStyle = accent;
          context.globalAlpha = order.length ? 0.18 + (0.6 * (rank.get(k) ?? 0)) / Math.max(1, order.length - 1) : 0.35;
          context.fillRect(x + n * part, y, there.length > 1 ? part - 1 : part, h);
          context.globalAlpha = 1;
          if (marked.has(k) || shown.lit.has(k)) {
            context.strokeStyle = warn;
            context.lineWidth = shown.lit.has(k) ? 3 : 1.5;
            context.strokeRect(x + n * part + 1, y + 1, part - 2, h - 2);
          }
          if (k === shown.cell) {
            context.strokeStyle = text;
            context.lineWidth = 2;
            context.strokeRect(x + n * part, y, part, h);
          }
        });
      }
    }
    if (order.length > 1) thread(context, order, accent);
    captions(context, faint, line);
  }

  /** @param {number} k @returns {[number, number]} */
  const centre = (k) => {
    const [x, y] = plan.corner(stack.row[k], stack.column[k]);
    const there = cells.get(`${stack.row[k]}/${stack.column[k]}`) ?? [k];
    return [gutter + x + (plan.cellWidth * (there.indexOf(k) + 0.5)) / there.length, y + plan.cellHeight / 2];
  };

  /** @param {CanvasRenderingContext2D} context @param {number[]} order @param {string} accent */
  function thread(context, order, accent) {
    context.strokeStyle = accent;
    // Thousands of lines would hide what they run through.
    context.lineWidth = order.length > 400 ? 0.5 : 1.25;
    context.globalAlpha = order.length > 400 ? 0.45 : 1;
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...centre(order[0]));
    for (let n = 1; n < order.length; n++) {
      const [from, to] = [centre(order[n - 1]), centre(order[n])];
      const far = to[0] - from[0];
      // A jump over other cells of a line goes around them, forwards above, backwards below.
      if (from[1] !== to[1] || Math.abs(far) < 1.5 * plan.cellWidth) context.lineTo(...to);
      else context.quadraticCurveTo((from[0] + to[0]) / 2, from[1] - Math.sign(far) * Math.min(0.9 * plan.cellHeight, Math.abs(far) / 3), ...to);
    }
    context.stroke();
    context.globalAlpha = 1;
    context.fillStyle = accent;
    for (const [k, size] of [[order[0], 4], [/** @type {number} */ (order.at(-1)), 2.5]]) {
      context.beginPath();
      context.arc(...centre(k), size, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {string} faint @param {string} line */
  function captions(context, faint, line) {
    context.fillStyle = faint;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const every = Math.ceil(13 / plan.cellHeight);
    if (gutter) for (let c = 0; c < steps; c += every) context.fillText(stack.steps[c], gutter - 6, plan.corner(0, c)[1] + plan.cellHeight / 2, gutter - 8);
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.strokeRect(gutter + 0.5, plan.height + 2.5, plan.width, 0);
    context.textBaseline = "top";
    const name = (/** @type {number} */ row) => (stack.heights[row] === null ? `image ${row + 1}` : `${Number(/** @type {number} */ (stack.heights[row]).toFixed(2))}`);
    context.textAlign = "left";
    context.fillText(`${name(0)}`, gutter, plan.height + 8);
    context.textAlign = "right";
    const end = `${name(rows - 1)}${stack.heights[rows - 1] === null ? "" : " mm"}`;
    const width = context.measureText(`${name(0)}  ${end}`).width;
    if (rows > 1 && width < plan.width) context.fillText(end, gutter + plan.width, plan.height + 8);
    const middle = "slice position";
    if (stack.heights[0] !== null && width + context.measureText(middle).width + 24 < plan.width) {
      context.textAlign = "center";
      context.fillText(middle, gutter + plan.width / 2, plan.height + 8);
    }
  }

  /** @param {number} row @param {number} column @param {boolean} [again] the same cell once more: its next image */
  function choose(row, column, again = false) {
    at = { row, column };
    const there = cells.get(`${row}/${column}`) ?? [];
    const now = shown.cell === null ? -1 : there.indexOf(shown.cell);
    onChoose(there.length ? there[again && now >= 0 ? (now + 1) % there.length : 0] : null);
  }

  canvas.addEventListener("click", (event) => {
    const frame = canvas.getBoundingClientRect();
    const hit = plan.hit(event.clientX - frame.left - gutter, event.clientY - frame.top);
    if (hit) choose(...hit, true);
  });
  canvas.addEventListener("keydown", (event) => {
    const [right, down] = plan.wrap ? [1, plan.across] : [1, 1];
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowRight: [right, 0], ArrowLeft: [-right, 0], ArrowDown: plan.wrap ? [down, 0] : [0, 1], ArrowUp: plan.wrap ? [-down, 0] : [0, -1], Home: [-rows, 0], End: [rows, 0] };
    const limit = (/** @type {number} */ value, /** @type {number} */ count) => Math.max(0, Math.min(count - 1, value));
    if (event.key in moves) {
      const [dr, dc] = moves[event.key];
      choose(limit(at.row + dr, rows), limit(at.column + dc, steps));
    } else if (event.key === "Enter" || event.key === " ") choose(at.row, at.column, true);
    else if (event.key === "Escape") onChoose(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const watch = new ResizeObserver(() => draw());
  watch.observe(box);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", draw);

  return {
    element: box,
    /** where the keyboard is, be there an image or not */
    place: () => ({ ...at, images: cells.get(`${at.row}/${at.column}`)?.length ?? 0, ghost: ghosts.has(at.row) }),
    /** @param {typeof shown} now */
    show(now) {
      shown = now;
      if (now.cell !== null && now.cell < stack.row.length) at = { row: stack.row[now.cell], column: stack.column[now.cell] };
      canvas.dataset.cell = now.cell === null ? "" : String(now.cell);
      draw();
    },
    destroy() {
      watch.disconnect();
      scheme.removeEventListener("change", draw);
    },
  };
}
