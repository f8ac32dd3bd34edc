// The tree: patient, study, series, instances; a tree of ARIA that arrow keys walk.

import { make } from "../../../view/js/elements.js";

/** @typedef {import("./types.js").Row} Row */

const MARK = { open: "▾", shut: "▸", none: "" };

/**
 * @param {Record<string, any>} facts
 * @param {(series: number) => void} onChoose
 */
export function tree(facts, onChoose) {
  const top = make("ul", "dl-tree", { role: "tree", "aria-label": "Patients, studies and series" });
  /** @type {Map<number, HTMLElement>} */
  const bySeries = new Map();

  /**
   * @param {(Node | string)[]} content @param {HTMLElement[] | (() => HTMLElement[]) | null} children @param {boolean} open
   * @param {() => void} [onPick]
   */
  function node(content, children, open, onPick) {
    const mark = make("span", "dl-mark", { "aria-hidden": "true" });
    const label = make("div", "dl-branch", {}, [mark, make("span", "dl-leaf", {}, content)]);
    const item = make("li", "", { role: "treeitem", tabindex: "-1" }, [label]);
    /** @type {HTMLUListElement | null} */
    let list = null;
    const show = (/** @type {boolean} */ now) => {
      if (!children) return;
      if (now && !list) {
        list = make("ul", "", { role: "group" }, typeof children === "function" ? children() : children);
        item.append(list);
      }
      if (list) list.hidden = !now;
      item.setAttribute("aria-expanded", String(now));
      mark.textContent = now ? MARK.open : MARK.shut;
    };
    show(open);
    item.addEventListener("dl-open", (event) => {
      event.stopPropagation();
      show(/** @type {CustomEvent} */ (event).detail);
    });
    label.addEventListener("click", (event) => {
      focus(item);
      if (event.target === mark || !onPick) show(item.getAttribute("aria-expanded") !== "true");
      else onPick();
    });
    item.addEventListener("dl-pick", (event) => {
      event.stopPropagation();
      if (onPick) onPick();
      else show(item.getAttribute("aria-expanded") !== "true");
    });
    return item;
  }

  const pairs = (/** @type {string[][]} */ facts) => facts.map(([name, value]) => `${name} ${value}`).join(" · ");
  const count = (/** @type {number} */ n, /** @type {string} */ what) => `${n} ${what}${n === 1 ? "" : "s"}`;

  /** @param {Row} row */
  function series(row) {
    const picture = row.picture ? [make("img", "dl-thumb", { src: row.picture, alt: "" })] : [make("span", "dl-thumb dl-nothing")];
    const findings = row.codes.length ? [make("span", "dl-warning", { title: row.codes.join(", ") }, [`⚠ ${row.codes.length}`])] : [];
    const about = make("span", "dl-about", {}, [
      make("b", "", {}, [`${row.modality} ${row.description || "(no description)"}`]),
      make("span", "dl-soft", {}, [`${row.images} in ${count(row.files, "file")} `, ...findings]),
    ]);
    const instances = () => {
      const detail = row.detail;
      if (!detail) return [make("li", "dl-soft", { role: "treeitem", tabindex: "-1" }, ["Choose the series to see its files."])];
      const leaves = detail.instances.map((one) =>
        make("li", "", { role: "treeitem", tabindex: "-1" }, [
          make("div", "dl-branch", {}, [`${one.name}, Instance Number ${one.number}${one.frames > 1 ? `, ${one.frames} frames` : ""}`]),
        ]),
      );
      if (row.files > leaves.length) leaves.push(make("li", "dl-soft", { role: "treeitem", tabindex: "-1" }, [`… and ${row.files - leaves.length} more`]));
      return leaves;
    };
    const item = node([...picture, about], instances, false, () => onChoose(row.key));
    item.classList.add("dl-series-item");
    bySeries.set(row.key, item);
    return item;
  }

  for (const patient of facts.patients) {
    const studies = patient.studies.map((/** @type {any} */ study) => {
      const title = [make("b", "", {}, [study.name]), make("span", "dl-soft", {}, [` ${[`${study.series.length} series`, pairs(study.facts)].filter(Boolean).join(" · ")}`])];
      return node(title, study.series.map((/** @type {number} */ k) => series(facts.series[k])), true);
    });
    const title = [make("b", "", {}, [patient.name]), make("span", "dl-soft", {}, [` ${pairs(patient.facts)}`])];
    top.append(node(title, studies, true));
  }

  const visible = () => /** @type {HTMLElement[]} */ ([...top.querySelectorAll('[role="treeitem"]')]).filter((one) => !one.closest("ul[hidden]"));
  /** @param {HTMLElement} item */
  function focus(item) {
    for (const one of top.querySelectorAll('[tabindex="0"]')) one.setAttribute("tabindex", "-1");
    item.setAttribute("tabindex", "0");
    item.focus({ preventScroll: false });
  }
  top.querySelector('[role="treeitem"]')?.setAttribute("tabindex", "0");

  top.addEventListener("keydown", (event) => {
    const item = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[role="treeitem"]'));
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = visible();
    const k = all.indexOf(item);
    const open = item.getAttribute("aria-expanded");
    const parent = /** @type {HTMLElement | null} */ (item.parentElement?.closest('[role="treeitem"]') ?? null);
    /** @type {HTMLElement | null | undefined} */
    let next;
    if (event.key === "ArrowDown") next = all[k + 1];
    else if (event.key === "ArrowUp") next = all[k - 1];
    else if (event.key === "Home") next = all[0];
    else if (event.key === "End") next = all.at(-1);
    else if (event.key === "ArrowRight" && open === "true") next = all[k + 1];
    else if (event.key === "ArrowRight") item.dispatchEvent(new CustomEvent("dl-open", { detail: true }));
    else if (event.key === "ArrowLeft" && open === "true") item.dispatchEvent(new CustomEvent("dl-open", { detail: false }));
    else if (event.key === "ArrowLeft") next = parent;
    else if (event.key === "Enter" || event.key === " ") item.dispatchEvent(new CustomEvent("dl-pick"));
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (next) focus(next);
  });

  return {
    element: top,
    /** @param {number} chosen */
    focus(chosen) {
      const item = bySeries.get(chosen);
      if (item) focus(item);
    },
    /** @param {number} chosen */
    show(chosen) {
      for (const [key, item] of bySeries) item.setAttribute("aria-selected", String(key === chosen));
    },
  };
}
