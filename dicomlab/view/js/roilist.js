// The list of measurements in the panel: name, colour and number of each, to be changed, gone to and removed.

import { make } from "./elements.js";
import { icon } from "./icons.js";
import { textOf } from "./roitext.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Roi} Roi */

export class RoiList {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.rows = make("div", "dl-rois", { role: "group", "aria-label": "Measurements" });
    this.root = make("div", "dl-part", { hidden: "" }, [make("div", "dl-head", {}, ["Measurements"]), this.rows]);
    /** What there are rows for. @private @type {string[]} */ this.ids = [];
    /** @private @type {ReturnType<RoiList["row"]>[]} */ this.made = [];
  }

  /** @private @param {Roi} roi */
  row({ id, kind }) {
    const { viewer } = this;
    const { measuring } = viewer;
    const colour = make("input", "dl-swatch", { type: "color", "aria-label": `Colour of this ${kind}`, title: "Colour" });
    colour.addEventListener("input", () => measuring.alter(id, { colour: colour.value }));
    const name = make("input", "dl-roi-name", { type: "text", maxlength: "64", placeholder: kind, "aria-label": `Name of this ${kind}`, title: `Name of this ${kind}` });
    name.addEventListener("input", () => measuring.alter(id, { label: name.value }));
    name.addEventListener("focus", () => measuring.choose(id));
    const size = make("button", "dl-button dl-size", { type: "button", title: `Go to this ${kind}` });
    size.addEventListener("click", () => measuring.goTo(id));
    const away = make("button", "dl-button dl-icon dl-eye", { type: "button", "aria-label": `Remove this ${kind}`, title: `Remove this ${kind}` }, [icon("remove")]);
    away.addEventListener("click", () => measuring.remove(id));
    return { root: make("div", "dl-row", {}, [colour, name, size, away]), colour, name, size };
  }

  /** What the state says. */
  show() {
    const { viewer, ids } = this;
    const { rois } = viewer.state;
    this.root.hidden = rois.length === 0;
    if (rois.length !== ids.length || rois.some(({ id }, n) => id !== ids[n])) {
      this.ids = rois.map(({ id }) => id);
      this.made = rois.map((roi) => this.row(roi));
      this.rows.replaceChildren(...this.made.map(({ root }) => root));
    }
    this.made.forEach(({ root, colour, name, size }, n) => {
      const roi = rois[n];
      root.classList.toggle("dl-chosen", roi.id === viewer.measuring.chosen);
      if (colour.value !== roi.colour) colour.value = roi.colour;
      if (name.value !== roi.label) name.value = roi.label;
      const [first = ""] = textOf(viewer.measuring, { ...roi, label: "" }, false);
      if (size.textContent !== first) size.textContent = first;
    });
  }
}
