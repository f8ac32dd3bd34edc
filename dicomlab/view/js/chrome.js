// The furniture around the picture. Every text is set as text, never as markup: descriptions come from files.

import { button, make } from "./elements.js";
import { hasIcon, icon } from "./icons.js";
import { keymap, ofKeys, ofMouse } from "./keymap.js";
import { choose, mark, write } from "./svg.js";
import { windowText } from "./text.js";
import { GIVEN } from "./rois.js";
import { PAINTING } from "./painting.js";
import { TOOLS } from "./tools.js";

/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Preset} Preset */

/** @type {PlaneName[]} */
export const PLANES = ["axial", "sagittal", "coronal"];

const LAYOUTS = [
  ["single", "One plane"],
  ["planes", "Three planes that meet in the crosshair (P)"],
  ["montage", "Several parallel planes"],
];

const SLABS = [
  ["", "thin"],
  ...["mip", "minip", "average"].flatMap((mode) => [5, 10, 20, 50].map((mm) => [`${mode} ${mm}`, `${mode === "average" ? "mean" : mode} ${mm} mm`])),
];

/** @param {string} name @param {string} title */
export function iconButton(name, title) {
  const one = button("", title, "dl-icon");
  one.append(icon(name));
  return one;
}

export class Chrome {
  /** @param {HTMLElement} el */
  constructor(el) {
    this.planes = PLANES.map((name) => {
      const one = button(name, `${name} plane`);
      one.dataset.plane = name;
      return one;
    });
    this.layouts = LAYOUTS.map(([name, title]) => {
      const one = iconButton(name, title);
      one.dataset.layout = name;
      return one;
    });
    this.tools = Object.entries(TOOLS)
      .filter(([name]) => hasIcon(name) && !PAINTING.includes(name))
      .map(([name, { title }]) => {
        const one = iconButton(name, title);
        one.dataset.tool = name;
        return one;
      });
    /** @param {boolean} drawing */
    const toolsThat = (drawing) => this.tools.filter(({ dataset }) => Object.hasOwn(GIVEN, dataset.tool ?? "") === drawing);
    this.remove = iconButton("remove", "Remove the chosen measurement (Delete)");
    this.preset = make("select", "dl-select dl-preset", { "aria-label": "Window preset", title: "Window preset (keys 1 to 9)" });
    this.cmap = make("select", "dl-select dl-short", { "aria-label": "Colour map", title: "Colour map" });
    this.slab = make("select", "dl-select dl-slab", { "aria-label": "Thickness of the planes", title: "Thickness of the planes" });
    for (const [value, text] of SLABS) this.slab.append(make("option", "", { value }, [text]));
    this.invert = iconButton("invert", "Invert black and white (X)");
    this.reset = iconButton("reset", "First window, no zoom, shift, tilt or inversion (Esc)");
    this.layersButton = iconButton("layers", "Panel: volumes, labels, measurements, window (L)");
    this.edit = button("", "Edit a mask: brush, outline, fill … (B)", "dl-drop dl-edit");
    this.edit.append(icon("brush"), "edit");
    this.full = iconButton("full", "Full screen (F)");
    this.save = iconButton("save", "Save the picture as PNG, as it is seen (S)");
    this.cine = iconButton("cine", "Cine: play, and stop (C)");
    this.fps = make("input", "dl-slider dl-fps", { type: "range", min: "1", max: "60", step: "1", "aria-label": "Frames a second", title: "Frames a second" });
    this.rate = make("span", "dl-step-text");
    this.bounce = button("to and fro", "Play to the end and back, instead of from the start again");
    this.along = make("select", "dl-select dl-slab", { "aria-label": "What is played", title: "What is played" });
    this.reel = make("div", "dl-reel", { role: "group", "aria-label": "Cine", hidden: "" }, [this.along, this.bounce, this.rate, this.fps]);
    this.note = make("div", "dl-note", { role: "note", hidden: "" });
    this.helpButton = button("?", "Mouse and keys (?)", "dl-round");
    this.badge = make("button", "dl-button dl-badge", { type: "button", hidden: "" });
    /** The window that is none of the presets. */
    this.own = make("option", "", { value: "own", hidden: "" });
    this.status = make("div", "dl-status", { role: "status", "aria-live": "polite" });
    this.said = make("div", "dl-said", { role: "status", "aria-live": "polite" });
    this.measure = button("", "Measure: lengths, angles, areas, values along a line and at a point (D, A)", "dl-drop");
    this.showMeasure("");
    this.measure.setAttribute("aria-expanded", "false");
    const named = toolsThat(true).map((one) => (one.append(one.dataset.tool ?? ""), one));
    this.measures = make("div", "dl-flyout", { role: "group", "aria-label": "Measure", hidden: "" }, [...named, this.remove]);
    this.remove.append("remove");
    const bar = make("div", "dl-bar", { role: "toolbar", "aria-label": "Tools" }, [
      make("div", "dl-group", { role: "group", "aria-label": "Layout" }, this.layouts),
      make("div", "dl-group", { role: "group", "aria-label": "Plane" }, this.planes),
      make("div", "dl-group", { role: "group", "aria-label": "Tool of the left button" }, toolsThat(false)),
      make("div", "dl-menu", {}, [this.measure, this.measures]),
      this.edit,
      this.preset,
      this.cmap,
      this.slab,
      // In one piece: where it finds no room it begins a second row together, and leaves no button alone there.
      make("div", "dl-tail", {}, [make("div", "dl-group", {}, [this.layersButton, this.invert, this.reset, this.cine, this.save, this.full]), this.badge, this.helpButton]),
    ]);

    this.canvas = make("canvas", "dl-canvas", { role: "img" });
    this.svg = /** @type {SVGSVGElement} */ (document.createElementNS("http://www.w3.org/2000/svg", "svg"));
    this.svg.setAttribute("class", "dl-over");
    this.svg.setAttribute("aria-hidden", "true");
    this.message = make("div", "dl-message", { role: "alert", hidden: "" });
    // Plain divs: notebooks style lists and tables in outputs their own way.
    this.map = make("div", "dl-map");
    this.help = make("div", "dl-panel dl-help", { hidden: "", role: "region", "aria-label": "Mouse and keys", tabindex: "0" }, [this.map]);
    this.fillHelp(keymap());
    this.findings = make("div", "dl-panel dl-findings", { hidden: "", role: "region", "aria-label": "Findings", tabindex: "0" });
    for (const panel of [this.help, this.findings]) {
      // A panel is there to be read: its text can be marked and copied, and a long one scrolls.
      for (const type of ["pointerdown", "mousedown", "dblclick", "contextmenu"]) panel.addEventListener(type, (event) => event.stopPropagation());
      panel.addEventListener("wheel", (event) => {
        if (panel.scrollHeight > panel.clientHeight) event.stopPropagation();
      });
    }
    this.grip = make("div", "dl-grip", { title: "Drag, or arrow keys: makes the picture higher or lower", role: "separator", "aria-orientation": "horizontal", "aria-label": "Height of the picture", tabindex: "0" });
    this.stage = make("div", "dl-stage", {}, [this.canvas, this.svg, this.status, this.message, this.said, this.help, this.findings, this.grip]);
    this.body = make("div", "dl-body", {}, [this.stage]);
    this.slider = make("input", "dl-slider", { type: "range", min: "0", step: "1", "aria-label": "Slice" });
    this.steps = make("div", "dl-steps");
    /** @type {HTMLInputElement[]} */ this.stepSliders = [];
    this.probe = make("div", "dl-probe", { "aria-label": "Value under the pointer" });
    // Notebook 7 and JupyterLab would otherwise take letters typed here for commands ("d d" deletes the cell).
    this.root = make("div", "dl-browser", { tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true" }, [
      bar,
      this.body,
      make("div", "dl-foot", {}, [this.slider, this.steps, this.reel, this.note, this.probe]),
    ]);
    el.append(this.root);
  }

  /** The tool that measures, if one is in hand. @param {string} tool */
  showMeasure(tool) {
    if (this.measure.dataset.tool === tool) return;
    this.measure.dataset.tool = tool;
    this.measure.replaceChildren(icon(tool || "ruler"), tool || "measure");
    mark(this.measure, "aria-pressed", tool !== "");
  }

  /** @param {import("./keymap.js").Keymap} map */
  fillHelp(map) {
    this.map.replaceChildren(
      ...[ofMouse(map), ofKeys(map)].map((rows) => make("div", "dl-map-part", {}, rows.flatMap(([gesture, meaning]) => [make("div", "dl-key", {}, [gesture]), make("div", "", {}, [meaning])]))),
    );
  }

  /** @param {string} text what is to be known of all values */
  setNote(text) {
    this.note.hidden = !text;
    this.note.textContent = text;
  }

  /** @param {import("./types.js").Cine} cine */
  showCine({ playing, fps, bounce, along }) {
    if (playing) this.reel.hidden = false; // and stays: what was played once is played again
    mark(this.cine, "aria-pressed", playing);
    mark(this.bounce, "aria-pressed", bounce);
    choose(this.along, along);
    choose(this.fps, String(fps));
    const rate = `${Number(fps.toFixed(1))} fps`;
    mark(this.fps, "aria-valuetext", rate);
    write(this.rate, rate);
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

  /** @param {string[]} findings @param {number[][]} places slices that each is about @param {(slice: number) => void} onPlace */
  setFindings(findings, places, onPlace) {
    this.badge.hidden = findings.length === 0;
    this.badge.textContent = `⚠ ${findings.length}`;
    this.badge.title = findings.join("\n");
    this.badge.setAttribute("aria-label", `${findings.length} findings`);
    this.findings.replaceChildren(make("div", "dl-list", {}, findings.map((text, n) => make("div", "", {}, [text, ...this.placeButtons(places[n] ?? [], onPlace)]))));
    if (!findings.length) this.findings.hidden = true;
  }

  /** @private @param {number[]} places @param {(slice: number) => void} onPlace */
  placeButtons(places, onPlace) {
    return places.map((slice) => {
      const one = button(`slice ${slice + 1}`, `Go to slice ${slice + 1}`, "dl-place");
      one.addEventListener("click", () => {
        this.closePanel();
        onPlace(slice);
      });
      return one;
    });
  }

  /** Opens a panel over the picture, or closes it. @param {"help" | "findings"} name */
  toggle(name) {
    const open = this[name].hidden;
    this.help.hidden = name !== "help" || !open;
    this.findings.hidden = name !== "findings" || !open;
    this.helpButton.setAttribute("aria-pressed", String(!this.help.hidden));
    this.badge.setAttribute("aria-pressed", String(!this.findings.hidden));
  }

  /** Opens the list of what can be measured, or closes it. @param {boolean} [open] */
  toggleMeasures(open = Boolean(this.measures.hidden)) {
    this.measures.hidden = !open;
    this.measure.setAttribute("aria-expanded", String(open));
  }

  /** @returns {boolean} whether one was open */
  closePanel() {
    if (!this.measures.hidden) {
      this.toggleMeasures(false);
      this.measure.focus();
    } else if (!this.help.hidden) this.toggle("help");
    else if (!this.findings.hidden) this.toggle("findings");
    else return false;
    return true;
  }

  /** @param {string[]} names */
  fillPalettes(names) {
    this.cmap.replaceChildren(...names.map((name) => make("option", "", { value: name }, [name])));
  }

  /** @param {{name: string, units: string, labels: string[]}[]} steps @param {(axis: number, index: number) => void} onChange */
  fillSteps(steps, onChange) {
    const last = steps[steps.length - 1];
    this.along.replaceChildren(make("option", "", { value: "slices" }, ["slices"]), ...(last ? [make("option", "", { value: "steps" }, [last.name])] : []));
    this.along.hidden = !last;
    this.stepSliders = steps.map(({ name, labels }, axis) => {
      const slider = make("input", "dl-slider", { type: "range", min: "0", max: String(labels.length - 1), step: "1", "aria-label": name });
      slider.addEventListener("input", () => onChange(axis, Number(slider.value)));
      return slider;
    });
    this.steps.replaceChildren(
      ...this.stepSliders.map((slider) => make("label", "dl-step", {}, [make("span", "dl-step-text"), slider])),
    );
  }

  /** @param {{name: string, units: string, labels: string[]}[]} steps @param {number[]} step */
  showSteps(steps, step) {
    steps.forEach(({ name, units, labels }, axis) => {
      const index = Math.min(step[axis] ?? 0, labels.length - 1);
      const text = `${name} ${labels[index]}${units ? ` ${units}` : ""}  (${index + 1}/${labels.length})`;
      choose(this.stepSliders[axis], String(index));
      mark(this.stepSliders[axis], "aria-valuetext", text);
      const label = /** @type {HTMLElement} */ (this.steps.children[axis].firstElementChild);
      if (label.textContent !== text) label.textContent = text;
    });
  }

  /** Marks which of several buttons is chosen. @param {HTMLElement[]} buttons @param {string} kind @param {string} value */
  press(buttons, kind, value) {
    for (const one of buttons) mark(one, "aria-pressed", one.dataset[kind] === value);
  }

  /** @param {string} text shown over the picture, or nothing */
  say(text) {
    this.message.hidden = !text;
    write(this.message, text);
  }

  /** Says something to screen readers alone. @param {string} text */
  announce(text) {
    this.said.textContent = text;
  }

  /** @param {string} text */
  setStatus(text) {
    write(this.status, text);
  }
}
