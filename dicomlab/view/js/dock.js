// The panel beside the picture: how volumes meet, window and colours of the one in hand, and the list of labels. Every text is set
// as text, never as markup: names come from files.

import { make } from "./elements.js";
import { HistogramView } from "./histogram.js";
import { icon } from "./icons.js";
import { MODES, changeLabel, setMode, setSplit } from "./layers.js";
import { RoiList } from "./roilist.js";
import { mark } from "./svg.js";
import { hex } from "./text.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").LabelLook} LabelLook */
/** @typedef {import("./types.js").LabelMeta} LabelMeta */

// Which elements of the file say so: in the tooltip.
const ELEMENTS = /:( ?[A-Za-z ]+ \([0-9A-F]{4},[0-9A-F]{4}\))+/g;

/** @type {[string, string][]} */
const FUNCTIONS = [
  ["LINEAR", "LINEAR"],
  ["LINEAR_EXACT", "LINEAR_EXACT"],
  ["SIGMOID", "SIGMOID"],
];

/** @param {string} text @returns {LabelLook["colour"]} */
export const fromHex = (text) => /** @type {any} */ ([1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16)));

/** @param {string} label @param {[string, string][]} options @param {(value: any) => void} onChange */
function select(label, options, onChange) {
  const one = make("select", "dl-select", { "aria-label": label, title: label }, options.map(([value, text]) => make("option", "", { value }, [text])));
  one.addEventListener("change", () => onChange(one.value));
  return one;
}

/** @param {string} label @param {(share: number) => void} onInput */
function slider(label, onInput) {
  const one = make("input", "dl-slider", { type: "range", min: "0", max: "100", step: "1", "aria-label": label, title: label });
  one.addEventListener("input", () => onInput(Number(one.value) / 100));
  return one;
}

/** @param {number} ml */
const mlText = (ml) => `${ml === 0 ? "0" : ml < 1 ? ml.toPrecision(2) : ml.toFixed(ml < 100 ? 1 : 0)} ml`;

/** A button with an eye. @param {string} what @param {() => void} onClick */
function eye(what, onClick) {
  const one = make("button", "dl-button dl-icon dl-eye", { type: "button", "aria-label": `Show ${what}`, title: `Show or hide ${what}` }, [icon("eye")]);
  one.addEventListener("click", onClick);
  return one;
}

/** @param {string} text @param {Node} control */
const row = (text, control) => make("label", "dl-row", {}, [make("span", "dl-row-name", {}, [text]), control]);

export class Dock {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.histogram = new HistogramView((center, width) => viewer.setWindow(center, width));
    this.mode = select("How volumes meet", MODES, (mode) => setMode(viewer, mode));
    this.split = slider("Where the curtain hangs", (split) => setSplit(viewer, split));
    this.splitRow = row("curtain", this.split);
    this.fn = select("Function of the window (VOI LUT Function)", [...FUNCTIONS, ["LUT", "VOI LUT of the file"]], (fn) => {
      const { center, width } = viewer.look.window;
      viewer.setWindow(center, width, fn);
    });
    this.interpolation = select(
      "Between voxels",
      [["linear", "linear"], ["nearest", "nearest voxel"]],
      (interpolation) => viewer.changeScene({ interpolation }),
    );
    this.volumes = make("div", "dl-layers", { role: "group", "aria-label": "Volumes" });
    this.labels = make("div", "dl-labels", { role: "group", "aria-label": "Labels" });
    this.subject = make("div", "dl-subject");
    this.meet = make("div", "dl-part", {}, [make("div", "dl-head", {}, ["Volumes"]), row("meet", this.mode), this.splitRow, this.volumes]);
    this.add = make("button", "dl-button dl-add", { type: "button", title: "One more label of the mask that is edited" }, ["+ label"]);
    this.add.addEventListener("click", () => this.addLabel());
    this.list = make("div", "dl-part", {}, [make("div", "dl-head", {}, ["Labels"]), this.labels, this.add]);
    this.rois = new RoiList(viewer);
    const inner = make("div", "dl-dock-inner", {}, [
      this.meet,
      this.list,
      this.rois.root,
      make("div", "dl-part", {}, [make("div", "dl-head", {}, ["Window"]), this.subject, this.histogram.root, row("function", this.fn), row("voxels", this.interpolation)]),
    ]);
    this.root = make("div", "dl-dock", { role: "region", "aria-label": "Volumes, labels, measurements and window", hidden: "" }, [inner]);
    // A slider or a list needs arrows and letters itself; Escape goes on.
    this.root.addEventListener("keydown", (event) => {
      const { localName } = /** @type {HTMLElement} */ (event.composedPath()[0]);
      if (["input", "select"].includes(localName) && event.key !== "Escape") event.stopPropagation();
    });
  }

  /** New volumes or masks. */
  fill() {
    const { viewer } = this;
    const { meta, state } = viewer;
    this.meet.hidden = state.looks.length < 2;
    for (const option of this.mode.options) option.disabled = option.value === "difference" && !meta.difference;
    this.mode.title = meta.difference ? "" : "A difference needs two volumes in one unit";
    /** @private */ this.rows = state.looks.map((_, n) => this.volumeRow(n));
    this.volumes.replaceChildren(...this.rows.map(({ root }) => root));
    this.list.hidden = state.labels.length === 0;
    this.fillLabels();
  }

  /** @private @param {number} n */
  volumeRow(n) {
    const { viewer } = this;
    const title = viewer.meta.sources[n].title || `volume ${n + 1}`;
    const name = make("button", "dl-button dl-name", { type: "button", title: `${title}: window and colours are those of this volume` }, [title]);
    name.addEventListener("click", () => viewer.choose(n));
    const see = eye(title, () => viewer.changeLook({ visible: !viewer.state.looks[n].visible }, n));
    see.disabled = n === 0; // it says where the planes lie
    const opacity = slider(`Opacity of ${title}`, (share) => viewer.changeLook({ opacity: share }, n));
    const fade = make("input", "", { type: "checkbox", "aria-label": `Low values of ${title} are clearer`, title: "Low values are clearer" });
    fade.addEventListener("change", () => viewer.changeLook({ fade: fade.checked }, n));
    const over = make("div", "dl-row", {}, [opacity, make("label", "dl-check", {}, [fade, "fade"])]);
    return { root: make("div", "dl-layer", {}, [make("div", "dl-row", {}, [see, name]), over]), name, see, opacity, fade, over };
  }

  /** @private */
  fillLabels() {
    const { viewer } = this;
    const { meta, state } = viewer;
    /** What the rows show. @private @type {LabelLook[][] | null} */ this.told = null;
    const all = make("div", "dl-row dl-all", {}, [
      eye("all labels", () => changeLabel(viewer, { visible: !viewer.state.labels.flat().some(({ visible }) => visible) })),
      slider("Opacity of all labels", (opacity) => changeLabel(viewer, { opacity })),
      make("label", "dl-check", {}, [make("input", "", { type: "checkbox", "aria-label": "Outline of all labels" }), "outline"]),
    ]);
    const outline = /** @type {HTMLInputElement} */ (all.lastElementChild?.firstElementChild);
    outline.addEventListener("change", () => changeLabel(viewer, { outline: outline.checked }));
    /** @private */ this.all = { see: /** @type {HTMLButtonElement} */ (all.children[0]), opacity: /** @type {HTMLInputElement} */ (all.children[1]), outline };
    const edited = viewer.painting.mask;
    /** @private */ this.editedRows = viewer.painting.labels.map((look, k) => this.editedRow(edited, k, look));
    /** @private */ this.labelRows = state.labels.flatMap((looks, mask) =>
      mask === edited ? this.editedRows ?? [] : looks.map((_, k) => this.labelRow(mask, k, /** @type {LabelMeta[]} */ (meta.sources[state.looks.length + mask].labels)[k])),
    );
    /** The labels that there are rows for. @private */ this.rowsOf = rowsOf(state.labels);
    this.add.hidden = viewer.painting.mask < 0;
    this.labels.replaceChildren(all, ...this.labelRows.map(({ root }) => root));
  }

  /** @private @param {number} mask @param {number} k place in the mask @param {LabelMeta} label */
  labelRow(mask, k, { value, name, ml, at }) {
    const { viewer } = this;
    const colour = make("input", "dl-swatch", { type: "color", "aria-label": `Colour of ${name}`, title: `Colour of ${name}` });
    colour.addEventListener("input", () => changeLabel(viewer, { colour: fromHex(colour.value) }, mask, value));
    const jump = make("button", "dl-button dl-name", { type: "button", title: `Go to ${name}` }, [name]);
    jump.disabled = at === null;
    jump.addEventListener("click", () => at && viewer.goTo(at));
    const size = make("span", "dl-size", {}, [ml === null ? "" : mlText(ml)]);
    const see = eye(name, () => changeLabel(viewer, { visible: !viewer.state.labels[mask][k].visible }, mask, value));
    const more = make("details", "dl-more", {}, [make("summary", "", { "aria-label": `Opacity and outline of ${name}`, title: "Opacity and outline" })]);
    const opacity = slider(`Opacity of ${name}`, (share) => changeLabel(viewer, { opacity: share }, mask, value));
    const outline = make("input", "", { type: "checkbox", "aria-label": `Outline of ${name}` });
    outline.addEventListener("change", () => changeLabel(viewer, { outline: outline.checked }, mask, value));
    more.append(make("div", "dl-row", {}, [opacity, make("label", "dl-check", {}, [outline, "outline"])]));
    const root = make("div", "dl-label", {}, [make("div", "dl-row", {}, [see, colour, jump, size]), more]);
    return { root, mask, k, see, colour, opacity, outline };
  }

  /** One more label, whose name can be typed at once. */
  addLabel() {
    this.viewer.painting.add();
    this.root.hidden = false;
    this.show();
    this.editedRows?.at(-1)?.name.select();
  }

  /** A label of the mask that is edited: it can be named, locked, taken in hand, removed. @private @param {number} mask @param {number} k place in the mask @param {LabelLook} look */
  editedRow(mask, k, { value }) {
    const { viewer } = this;
    const { painting } = viewer;
    const made = this.labelRow(mask, k, { value, name: `label ${value}`, ml: null, at: null });
    const [row, more] = made.root.children;
    const jump = /** @type {HTMLButtonElement} */ (row.children[2]);
    const name = make("input", "dl-roi-name", { type: "text", maxlength: "64", "aria-label": `Name of label ${value}`, title: "Name; a click takes the label in hand" });
    name.addEventListener("change", () => painting.alter(value, { name: name.value.trim() || `label ${value}` }));
    name.addEventListener("focus", () => painting.change({ label: value }));
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.stopPropagation();
      viewer.chrome.root.focus({ preventScroll: true }); // what is typed next is for the picture
    });
    const size = make("button", "dl-button dl-size", { type: "button", title: "Go to this label" });
    size.addEventListener("click", () => {
      const voxel = viewer.edits.middle(value);
      if (voxel) viewer.goTo(viewer.space.lps(voxel));
    });
    jump.replaceWith(name);
    row.children[3].replaceWith(size);
    const lock = make("button", "dl-button dl-icon dl-eye", { type: "button", "aria-label": `Lock label ${value}`, title: "Lock: nothing is painted over it" }, [icon("lock")]);
    lock.addEventListener("click", () => painting.alter(value, { locked: !painting.labels.find((one) => one.value === value)?.locked }));
    row.append(lock);
    const away = make("button", "dl-button", { type: "button", title: "Remove this label and its voxels" }, ["remove"]);
    away.addEventListener("click", () => {
      painting.drop(value);
      viewer.chrome.root.focus({ preventScroll: true });
    });
    more.lastElementChild?.append(away);
    return { ...made, name, size, lock, away };
  }

  /** What changes with each stroke. @private */
  showEdited() {
    const { viewer } = this;
    const { labels, brush } = viewer.painting;
    for (const one of this.editedRows ?? []) {
      const look = labels[one.k];
      if (!look) continue;
      const ml = viewer.edits.ml(look.value);
      one.root.classList.toggle("dl-chosen", look.value === brush.label);
      if (one.name.value !== look.name && one.name.getRootNode() && !one.name.matches(":focus")) one.name.value = look.name ?? "";
      const text = ml === null ? "" : mlText(ml);
      if (one.size.textContent !== text) one.size.textContent = text;
      mark(one.lock, "aria-pressed", look.locked === true);
      one.away.disabled = labels.length < 2 || look.locked === true;
    }
  }

  toggle() {
    this.root.hidden = !this.root.hidden;
    this.show();
  }

  /** What the state says. */
  show() {
    const { viewer } = this;
    const { state, subject, look } = viewer;
    if (this.root.hidden) return;
    this.mode.value = state.mode;
    this.splitRow.hidden = state.mode !== "curtain";
    setValue(this.split, state.split);
    this.rows?.forEach(({ name, see, opacity, fade, over }, n) => {
      const { visible, opacity: share, fade: fades } = state.looks[n];
      name.setAttribute("aria-pressed", String(n === viewer.chosen && state.mode !== "difference"));
      see.setAttribute("aria-pressed", String(n === 0 || visible));
      over.hidden = n === 0 || state.mode !== "fusion";
      setValue(opacity, share);
      fade.checked = fades;
    });
    const { lut } = look.window;
    const made = subject.made ?? "";
    this.subject.textContent = [state.looks.length > 1 ? subject.title : "", made.replace(ELEMENTS, "")].filter(Boolean).join(" · ");
    mark(this.subject, "title", made);
    this.fn.options[FUNCTIONS.length].hidden = !lut;
    this.fn.value = lut ? "LUT" : look.window.function;
    this.interpolation.value = state.scene.interpolation;
    this.histogram.show(subject.histogram, look.window, look.invert, viewer.paletteOf(look.cmap), subject);
    this.rois.show();
    if (this.rowsOf !== rowsOf(state.labels)) this.fillLabels();
    this.showEdited();
    if (this.told === state.labels) return; // a window that is dragged leaves a hundred labels alone
    this.told = state.labels;
    const labels = state.labels.flat();
    if (this.all && labels.length) {
      this.all.see.setAttribute("aria-pressed", String(labels.some(({ visible }) => visible)));
      setValue(this.all.opacity, labels[0].opacity);
      this.all.outline.checked = labels.every(({ outline }) => outline);
    }
    this.labelRows?.forEach(({ mask, k, see, colour, opacity, outline }) => {
      const one = state.labels[mask][k];
      see.setAttribute("aria-pressed", String(one.visible));
      if (colour.value !== hex(one.colour)) colour.value = hex(one.colour);
      setValue(opacity, one.opacity);
      outline.checked = one.outline;
    });
  }
}

/** What there have to be rows for. @param {LabelLook[][]} labels */
const rowsOf = (labels) => labels.map((looks) => looks.map(({ value }) => value).join()).join(";");

/** @param {HTMLInputElement} input @param {number} share */
function setValue(input, share) {
  const text = String(Math.round(100 * share));
  if (input.value !== text) input.value = text;
  input.setAttribute("aria-valuetext", `${text} %`);
}
