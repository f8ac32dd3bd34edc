// The furniture around the picture. Every text is set as text, never as markup: descriptions come from files.

import { HELP } from "./keymap.js";
import { roundLength } from "./planes.js";

/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Preset} Preset */

/** @type {PlaneName[]} */
export const PLANES = ["axial", "coronal", "sagittal"];

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className, attributes = {}, children = []) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {number} x up to five significant digits, as a person would write it */
export function short(x) {
  if (Math.abs(x) >= 1e6 || (x !== 0 && Math.abs(x) < 1e-3)) return x.toExponential(3);
  return String(Number(x.toPrecision(Math.abs(x) >= 1e4 ? 7 : 5)));
}

/** @param {string} label @param {string} title @param {string} [className] */
function button(label, title, className = "") {
  return make("button", `dl-button ${className}`, { type: "button", title, "aria-label": title }, [label]);
}

export class Chrome {
  /** @param {HTMLElement} el */
  constructor(el) {
    this.planes = PLANES.map((name) => {
      const one = button(name, `${name} plane`);
      one.dataset.plane = name;
      return one;
    });
    this.preset = make("select", "dl-select", { "aria-label": "Window preset", title: "Window preset (keys 1 to 9)" });
    this.invert = button("invert", "Invert black and white (X)");
    this.reset = button("reset", "Reset view and window (Esc)");
    this.helpButton = button("?", "Mouse and keys (?)", "dl-round");
    this.status = make("div", "dl-status", { role: "status", "aria-live": "polite" });
    const bar = make("div", "dl-bar", {}, [
      make("div", "dl-group", { role: "group", "aria-label": "Plane" }, this.planes),
      this.preset,
      this.invert,
      this.reset,
      this.helpButton,
    ]);

    this.canvas = make("canvas", "dl-canvas", { role: "img" });
    this.corners = {
      topLeft: make("div", "dl-corner dl-tl"),
      topRight: make("div", "dl-corner dl-tr"),
      bottomLeft: make("div", "dl-corner dl-bl"),
    };
    this.letters = ["left", "right", "top", "bottom"].map((side) =>
      make("div", `dl-letter dl-${side}`, { "data-side": side, "aria-hidden": "true" }),
    );
    this.scaleText = make("div", "dl-scale-text");
    this.scaleBar = make("div", "dl-scale-bar");
    this.scale = make("div", "dl-scale", { "aria-hidden": "true" }, [this.scaleText, this.scaleBar]);
    this.message = make("div", "dl-message", { role: "alert", hidden: "" });
    this.help = make("div", "dl-help", { hidden: "", role: "region", "aria-label": "Mouse and keys" }, [
      // Plain divs: notebooks style lists and tables in outputs their own way.
      make(
        "div",
        "dl-map",
        {},
        HELP.flatMap(([gesture, meaning]) => [make("div", "dl-key", {}, [gesture]), make("div", "", {}, [meaning])]),
      ),
    ]);
    this.stage = make("div", "dl-stage", {}, [
      this.canvas,
      ...Object.values(this.corners),
      ...this.letters,
      this.scale,
      this.status,
      this.message,
      this.help,
    ]);
    this.slider = make("input", "dl-slider", { type: "range", min: "0", step: "1", "aria-label": "Slice" });
    this.probe = make("div", "dl-probe", { "aria-label": "Value under the pointer" });
    // Notebook 7 and JupyterLab would otherwise take letters typed here for commands ("d d" deletes the cell).
    this.root = make("div", "dl-browser", { tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true" }, [
      bar,
      this.stage,
      make("div", "dl-foot", {}, [this.slider, this.probe]),
    ]);
    el.append(this.root);
  }

  /** @param {Preset[]} presets @param {(index: number) => string} keyOf */
  fillPresets(presets, keyOf) {
    /** @type {Map<string, HTMLOptGroupElement>} */
    const groups = new Map();
    presets.forEach((preset, index) => {
      let group = groups.get(preset.group);
      if (!group) groups.set(preset.group, (group = make("optgroup", "", { label: preset.group })));
      const key = keyOf(index);
      const text = `${preset.name} · ${short(preset.width)} / ${short(preset.center)}${key ? ` [${key}]` : ""}`;
      group.append(make("option", "", { value: String(index) }, [text]));
    });
    const own = make("option", "", { value: "own", hidden: "" }, ["own window"]);
    this.preset.replaceChildren(own, ...groups.values());
  }

  /** @param {keyof Chrome["corners"]} corner @param {string[]} lines */
  setCorner(corner, lines) {
    const text = lines.filter(Boolean).join("\n");
    if (this.corners[corner].textContent !== text) this.corners[corner].textContent = text;
  }

  /** @param {number} pxPerMm css px @param {number} stageWidth css px */
  setScale(pxPerMm, stageWidth) {
    const mm = roundLength(Math.min(stageWidth / 4, 160) / pxPerMm);
    const cm = mm >= 10 ? `${short(mm / 10)} cm` : `${short(mm)} mm`;
    this.scaleText.textContent = cm;
    this.scaleBar.style.width = `${mm * pxPerMm}px`;
  }

  /** @param {string} text shown over the picture, or nothing */
  say(text) {
    this.message.hidden = !text;
    if (this.message.textContent !== text) this.message.textContent = text;
  }

  /** @param {string} text */
  setStatus(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}
