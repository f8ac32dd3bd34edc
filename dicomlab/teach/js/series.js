// The series explorer: a tree of what a folder holds, and the images of a series as a grid.

import { make } from "../../view/js/elements.js";
import { cellPanel } from "./series/cell.js";
import { groupsPanel } from "./series/groups.js";
import { matrix } from "./series/matrix.js";
import { tree } from "./series/tree.js";
import { choice, select } from "./shared/controls.js";
import { explorer } from "./shared/explorer.js";

/** @typedef {import("./series/types.js").Row} Row */

export default explorer("series", "Series explorer", ({ root, facts, state, choose }) => {
  const branches = tree(facts, (series) => choose({ series, stack: 0, cell: null, finding: null }));
  const notes = [facts.skipped ? `${facts.skipped} other files were left out.` : "", facts.more ? `${facts.more} further series are not listed.` : "", facts.masked ? "Identity is masked; dicomlab.show_identity() lifts it." : ""];
  const side = make("nav", "dl-side", { "aria-label": "What the folder holds" }, [branches.element, make("p", "dl-soft", {}, [notes.filter(Boolean).join(" ")])]);
  const main = make("section", "dl-main", { "aria-label": "The chosen series" });
  root.append(make("div", "dl-split", {}, [side, main]));

  // Facts that arrive while somebody walks through the tree draw it anew: the keyboard stays where it was.
  side.addEventListener("focusin", () => (root.dataset.walks = "tree"));
  main.addEventListener("focusin", () => delete root.dataset.walks);
  if (root.dataset.walks && document.activeElement === document.body) branches.focus(state().series);

  /** @type {string} */
  let built = "";
  /** @type {ReturnType<typeof matrix> | null} */
  let grid = null;
  /** @type {{show: (now: string) => void}[]} */
  let controls = [];
  let panel = make("div", "dl-panel", { "aria-live": "polite" });
  /** @type {HTMLElement[]} */
  let findings = [];

  /** @param {Row} row @param {number} number */
  function build(row, number) {
    grid?.destroy();
    grid = null;
    controls = [];
    findings = [];
    const title = [row.modality, row.description || "(no description)"].filter(Boolean).join(" ");
    const about = [row.number === null ? "" : `Series Number ${row.number}`, row.size, row.plane, row.spacing, row.axes].filter(Boolean).join(" · ");
    main.replaceChildren(make("div", "dl-title", {}, [make("b", "", {}, [title])]), make("p", "dl-soft", {}, [about]));
    const detail = row.detail;
    if (!detail) {
      main.append(make("p", "dl-said", {}, ["pictures" in facts ? "The grid of this series is not in this page." : "Looking at its images …"]));
      return;
    }
    const stack = detail.stacks[number];
    if (!stack) {
      main.append(make("p", "dl-said", {}, ["The objects of this series are no images."]));
      return;
    }
    const tools = make("div", "dl-tools");
    if (detail.stacks.length > 1) {
      const stacks = select("Stack", detail.stacks.map((one, k) => [String(k), one.name]), (k) => choose({ stack: Number(k), cell: null }));
      tools.append(stacks.element);
      controls.push({ show: () => stacks.show(String(number)) });
    }
    const numbered = !stack.frame ? "Instance Number" : new Set(stack.number).size > 1 ? "Instance Number and frame" : "frame";
    const order = choice(
      "Line through the grid",
      [["none", "no line"], ["file", "by file name", "A line through the images in the order of their file names"], ["number", `by ${numbered}`, `A line through the images in the order of ${numbered === "frame" ? "frames, as they are stored" : numbered.replace("Number", "Number (0020,0013)")}`]],
      (value) => choose({ order: value }),
    );
    tools.append(make("span", "dl-soft", {}, ["line"]), order.element);
    controls.push(order);
    const marked = new Set(detail.findings.flatMap((one) => one.cells.filter(([s]) => s === number).map(([, k]) => k)));
    grid = matrix(stack, marked, (cell) => choose({ cell }));
    panel = make("div", "dl-panel", { "aria-live": "polite" });
    const axes = stack.axes.length ? `Down: ${stack.axes.join(" × ").replaceAll("_", " ")}. Across: slices, in their order along the normal.` : "Slices in their order along the normal.";
    main.append(tools, grid.element, make("p", "dl-soft dl-legend", {}, [`${axes} Crossed: nothing is there. Split: several images in one place. Framed: a finding speaks of it.`]));
    if (stack.note) main.append(make("p", "dl-warning", {}, [stack.note]));
    findings = detail.findings.map((one, k) => {
      const button = make("button", "dl-finding", { type: "button", "aria-pressed": "false" }, [
        make("b", one.stops ? "dl-warning" : "", {}, [one.code]),
        ` ${one.text}. `,
        make("span", "dl-soft", {}, [one.does]),
      ]);
      button.addEventListener("click", () => {
        const off = state().finding === k;
        const first = one.cells.find(([s]) => s === number) ?? one.cells[0];
        choose(off || !first ? { finding: off ? null : k } : { finding: k, stack: first[0], cell: first[1] });
      });
      return button;
    });
    main.append(panel, ...(findings.length ? [make("div", "dl-head", {}, [findings.length === 1 ? "1 finding" : `${findings.length} findings`]), ...findings] : []));
    if (detail.groups) {
      const summary = make("summary", "", {}, ["Functional groups"]);
      const fold = make("details", "dl-fold", {}, [summary]);
      const groups = detail.groups;
      const fill = () => {
        if (fold.open && fold.childElementCount === 1) fold.append(...groupsPanel(groups));
      };
      fold.addEventListener("toggle", fill);
      main.append(fold);
    }
  }

  return {
    update(now) {
      const chosen = facts.series[now.series] ? now.series : 0;
      const row = /** @type {Row} */ (facts.series[chosen]);
      const number = Math.max(0, Math.min(Number(now.stack) || 0, (row.detail?.stacks.length ?? 1) - 1));
      if (built !== `${chosen}/${number}`) {
        built = `${chosen}/${number}`;
        build(row, number);
      }
      branches.show(chosen);
      for (const one of controls) one.show(now.order ?? "number");
      findings.forEach((one, k) => one.setAttribute("aria-pressed", String(k === now.finding)));
      if (!grid || !row.detail) return;
      const stack = row.detail.stacks[number];
      const cell = Number.isInteger(now.cell) && now.cell >= 0 && now.cell < stack.row.length ? now.cell : null;
      const lit = new Set((row.detail.findings[now.finding]?.cells ?? []).filter(([s]) => s === number).map(([, k]) => k));
      grid.show({ cell, order: now.order ?? "number", lit });
      const key = `${chosen}/${number}/${cell}`;
      const pictures = facts.pictures;
      const picture = pictures ? (pictures[key] ?? { why: "This page holds no picture of it." }) : now.seen?.key === key ? now.seen : undefined;
      panel.replaceChildren(...cellPanel(row.detail, number, cell, grid.place(), picture));
    },
    destroy() {
      grid?.destroy();
    },
  };
});
