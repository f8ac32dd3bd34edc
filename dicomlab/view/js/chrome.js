// The furniture around the picture. Every text is set as text, never as markup: descriptions come from files.

import { HELP } from "./keymap.js";
import { roundLength } from "./planes.js";
import { short, windowText } from "./text.js";

/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Preset} Preset */

/** @type {PlaneName[]} */
export const PLANES = ["axial", "sagittal", "coronal"];

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
    this.reset = button("reset", "First window, no zoom, shift or inversion (Esc)");
    this.helpButton = button("?", "Mouse and keys (?)", "dl-round");
    this.badge = make("button", "dl-button dl-badge", { type: "button", hidden: "" });
    /** The window that is none of the presets. */
    this.own = make("option", "", { value: "own", hidden: "" });
    this.status = make("div", "dl-status", { role: "status", "aria-live": "polite" });
    const bar = make("div", "dl-bar", {}, [
      make("div", "dl-group", { role: "group", "aria-label": "Plane" }, this.planes),
      this.preset,
      this.invert,
      this.reset,
      this.badge,
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
    this.help = make("div", "dl-panel dl-help", { hidden: "", role: "region", "aria-label": "Mouse and keys" }, [
      // Plain divs: notebooks style lists and tables in outputs their own way.
      make(
        "div",
        "dl-map",
        {},
        HELP.flatMap(([gesture, meaning]) => [make("div", "dl-key", {}, [gesture]), make("div", "", {}, [meaning])]),
      ),
    ]);
    this.findings = make("div", "dl-panel dl-findings", { hidden: "", role: "region", "aria-label": "Findings" });
    for (const panel of [this.help, this.findings]) {
      // A panel is there to be read: its text can be marked and copied, and a long one scrolls.
      for (const type of ["pointerdown", "mousedown", "dblclick", "contextmenu"]) panel.addEventListener(type, (event) => event.stopPropagation());
      panel.addEventListener("wheel", (event) => {
        if (panel.scrollHeight > panel.clientHeight) event.stopPropagation();
      });
    }
    this.grip = make("div", "dl-grip", { title: "Drag to make the picture higher or lower" });
    this.stage = make("div", "dl-stage", {}, [
      this.canvas,
      ...Object.values(this.corners),
      ...this.letters,
      this.scale,
      this.status,
      this.message,
      this.help,
      this.findings,
      this.grip,
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
      const text = `${preset.name}  ${windowText(preset)}${key ? `  [${key}]` : ""}`;
      group.append(make("option", "", { value: String(index) }, [text]));
    });
    this.preset.replaceChildren(this.own, ...groups.values());
  }

  /** @param {string[]} findings */
  setFindings(findings) {
    this.badge.hidden = findings.length === 0;
    this.badge.textContent = `⚠ ${findings.length}`;
    this.badge.title = findings.join("\n");
    this.badge.setAttribute("aria-label", `${findings.length} findings`);
    this.findings.replaceChildren(make("div", "dl-list", {}, findings.map((text) => make("div", "", {}, [text]))));
    if (!findings.length) this.findings.hidden = true;
  }

  /** Opens a panel over the picture, or closes it. @param {"help" | "findings"} name */
  toggle(name) {
    const open = this[name].hidden;
    this.help.hidden = name !== "help" || !open;
    this.findings.hidden = name !== "findings" || !open;
    this.helpButton.setAttribute("aria-pressed", String(!this.help.hidden));
    this.badge.setAttribute("aria-pressed", String(!this.findings.hidden));
  }

  /** @returns {boolean} whether one was open */
  closePanel() {
    if (!this.help.hidden) this.toggle("help");
    else if (!this.findings.hidden) this.toggle("findings");
    else return false;
    return true;
  }

  /** @param {keyof Chrome["corners"]} corner @param {string[]} lines */
  setCorner(corner, lines) {
    const text = lines.filter(Boolean).join("\n");
    if (this.corners[corner].textContent !== text) this.corners[corner].textContent = text;
  }

  /** @param {number} pxPerMm css px @param {number} stageWidth css px */
  setScale(pxPerMm, stageWidth) {
    const mm = roundLength(Math.min(stageWidth / 4, 160) / pxPerMm);
    this.scaleText.textContent = `${short(mm)} mm`;
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
