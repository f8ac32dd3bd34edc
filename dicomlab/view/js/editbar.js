// The second toolbar, there while a mask is edited: what paints, how large, which label, and what takes an algorithm. Every text is
// set as text, never as markup: names of labels come from files.

import { iconButton } from "./chrome.js";
import { button, make } from "./elements.js";
import { choose, mark, write } from "./svg.js";
import { PAINT } from "./painttools.js";
import { PAINTING } from "./painting.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */

/** What the kernel can make of a label: name, text, and what it is told. @type {[string, string, object][]} */
const OPERATIONS = [
  ["interpolate", "fill between drawn slices", {}],
  ["fillHoles", "fill holes of each slice", {}],
  ["largest", "keep the largest part", {}],
  ["smooth", "smooth by 2 mm", { mm: 2 }],
  ["dilate", "grow by 1 mm", { mm: 1 }],
  ["erode", "shrink by 1 mm", { mm: 1 }],
];

const SLOW = 1000; // ms until it is said that the kernel does not know all yet
const LEAST = 0.5; // mm
const MOST = 200;

/** A size in mm as a place of the slider, 0 to 100: small sizes have more room. @param {number} size */
const placeOf = (size) => (100 * Math.log(size / LEAST)) / Math.log(MOST / LEAST);

export class EditBar {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    /** Whether it is shown while a mask is edited. */ this.open = true;
    const { painting } = viewer;
    this.tools = PAINTING.map((name) => {
      const one = iconButton(name, PAINT[name].title);
      one.dataset.tool = name;
      one.addEventListener("click", () => viewer.setTool(name));
      return one;
    });
    this.label = make("select", "dl-select dl-label-select", { "aria-label": "Label that is painted", title: "Label that is painted" });
    this.label.addEventListener("change", () => painting.change({ label: Number(this.label.value) }));
    this.swatch = make("span", "dl-dot", { "aria-hidden": "true" });
    this.add = button("+", "One more label");
    this.add.addEventListener("click", () => viewer.dock.addLabel());
    this.size = make("input", "dl-slider dl-size-slider", { type: "range", min: "0", max: "100", step: "1", "aria-label": "Size of the brush", title: "Size of the brush ([ and ])" });
    this.size.addEventListener("input", () => painting.change({ size: Number((LEAST * (MOST / LEAST) ** (Number(this.size.value) / 100)).toPrecision(2)) }));
    this.mm = make("span", "dl-mm");
    this.sphere = button("ball", "The brush is a ball: it reaches into the slices above and below");
    this.sphere.addEventListener("click", () => painting.change({ sphere: !painting.brush.sphere }));
    this.within = make("input", "", { type: "checkbox", "aria-label": "Only voxels with values within a range" });
    this.ends = ["Lowest value", "Highest value"].map((what) => make("input", "dl-end", { type: "number", step: "any", "aria-label": what, title: what }));
    this.within.addEventListener("change", () => painting.change({ range: this.within.checked ? this.range() : null }));
    for (const one of this.ends) one.addEventListener("change", () => this.within.checked && painting.change({ range: this.range() }));
    this.more = make("select", "dl-select dl-more-select", { "aria-label": "What the kernel makes of the label", title: "What the kernel makes of the label" }, [
      make("option", "", { value: "" }, ["more …"]),
      ...OPERATIONS.map(([value, text]) => make("option", "", { value }, [text])),
    ]);
    this.more.addEventListener("change", () => {
      const found = OPERATIONS.find(([name]) => name === this.more.value);
      this.more.value = "";
      if (found) painting.ask(found[0], found[2]);
      viewer.chrome.root.focus({ preventScroll: true });
    });
    this.undo = iconButton("undo", "Take back (Ctrl + Z)");
    this.redo = iconButton("redo", "Do again (Ctrl + Y)");
    this.undo.addEventListener("click", () => viewer.act("undo"));
    this.redo.addEventListener("click", () => viewer.act("redo"));
    this.root = make("div", "dl-bar dl-edit-bar", { role: "toolbar", "aria-label": "Edit the mask", hidden: "" }, [
      make("div", "dl-group", { role: "group", "aria-label": "Paint" }, this.tools),
      make("label", "dl-check", {}, [this.swatch, this.label]),
      this.add,
      make("label", "dl-check", {}, [this.size, this.mm]),
      this.sphere,
      make("label", "dl-check", { title: "Paint only on voxels whose values lie within" }, [this.within, "values"]),
      ...this.ends,
      this.more,
      make("div", "dl-group", {}, [this.undo, this.redo]),
    ]);
    // A field needs letters and arrows itself; Escape goes on.
    this.root.addEventListener("keydown", (event) => {
      const { localName } = /** @type {HTMLElement} */ (event.composedPath()[0]);
      if (localName === "input" && event.key !== "Escape") event.stopPropagation();
    });
    /** @private */ this.told = "";
  }

  /** What stands in the fields, the lower one first; what is empty is the window that is seen. @private @returns {[number, number]} */
  range() {
    const { center, width } = this.viewer.state.looks[0].window;
    const [low, high] = this.ends.map(({ value }, n) => (value === "" || !Number.isFinite(Number(value)) ? center + (n - 0.5) * width : Number(value)));
    return low <= high ? [low, high] : [high, low];
  }

  /** What the state says. */
  show() {
    const { viewer } = this;
    const { painting, edits, chrome } = viewer;
    const on = painting.mask >= 0 && this.open;
    this.root.hidden = !on;
    mark(chrome.edit, "aria-pressed", on);
    if (!on) return;
    const { brush, label, labels } = painting;
    for (const one of this.tools) {
      mark(one, "aria-pressed", one.dataset.tool === viewer.state.tool);
      one.disabled = !edits.loaded;
    }
    const told = JSON.stringify(labels.map(({ value, name }) => [value, name]));
    if (told !== this.told) {
      this.told = told;
      this.label.replaceChildren(...labels.map(({ value, name }) => make("option", "", { value: String(value) }, [name ?? ""])));
    }
    choose(this.label, String(label?.value ?? ""));
    this.swatch.style.background = label ? `rgb(${label.colour.join()})` : "none";
    choose(this.size, String(Math.round(placeOf(brush.size))));
    write(this.mm, `${Number(brush.size.toPrecision(3))} mm`);
    mark(this.size, "aria-valuetext", `${brush.size} mm`);
    mark(this.sphere, "aria-pressed", brush.sphere);
    this.within.checked = brush.range !== null;
    this.ends.forEach((one, n) => {
      const text = brush.range ? String(Number(brush.range[n].toPrecision(7))) : one.value;
      if (one.value !== text && document.activeElement !== one) one.value = text;
      one.hidden = brush.range === null;
    });
    this.more.disabled = !edits.loaded || edits.asked !== "";
    this.undo.disabled = viewer.lastDone("undo") === null;
    this.redo.disabled = viewer.lastDone("redo") === null;
  }

  /** What is to be said over the picture: there it pushes nothing aside. */
  get text() {
    const { edits, painting } = this.viewer;
    if (painting.mask < 0) return "";
    if (!edits.loaded) return "the mask is on its way …";
    return edits.asked ? "the kernel works on it … (Ctrl + Z stops it)" : edits.trouble || (edits.isPending && performance.now() - edits.since > SLOW ? "saving …" : "");
  }
}
