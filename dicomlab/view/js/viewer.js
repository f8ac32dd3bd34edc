// One view: what is shown, and how it follows the hand. Windowing, zoom, planes and the probe need no kernel.

import { act } from "./actions.js";
import { ColourBars } from "./bars.js";
import { showState } from "./captions.js";
import { Chrome } from "./chrome.js";
import { Cine } from "./cine.js";
import { Dock } from "./dock.js";
import { EditBar } from "./editbar.js";
import { attend } from "./hands.js";
import { keymap } from "./keymap.js";
import { Late } from "./late.js";
import { meetShapes, placeOf } from "./layers.js";
import { enter, lead, leave } from "./link.js";
import { Measuring } from "./measuring.js";
import { Overlay } from "./overlay.js";
import { Painting } from "./painting.js";
import { madeText, probeText } from "./probe.js";
import { paletteFrom } from "./shade.js";
import { Stage, imagesShown, masksShown } from "./stage.js";
import { Steering } from "./steering.js";
import { write } from "./svg.js";
import { TOOLS } from "./tools.js";
import { wish } from "./wishes.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Look} Look */
/** @typedef {import("./types.js").PlaneName} PlaneName */
/** @typedef {import("./types.js").Vector3} Vector3 */
/** @typedef {import("./scene.js").Pane} Pane */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./transport.js").Want} Want */

const RESTING = 120; // ms without a change after which a picture gets all its pixels
const PATIENCE = 1; // seconds until the viewer says that it is waiting

export class Viewer extends Steering {
  /**
   * @param {object} options
   * @param {HTMLElement} options.el
   * @param {Meta} options.meta
   * @param {State} options.state
   * @param {import("./transport.js").Transport} options.transport
   * @param {import("./edits.js").Edits} options.edits
   * @param {() => void} options.edit asks the kernel for a mask to edit
   * @param {(state: State) => void} options.onChange
   * @param {(active: boolean) => void} options.onDrag
   * @param {() => void} options.onVisible
   */
  constructor({ el, meta, state, transport, edits, edit, onChange, onDrag, onVisible }) {
    const chrome = new Chrome(el);
    super(meta, state, new Stage(chrome.canvas, transport));
    this.chrome = chrome;
    this.transport = transport;
    this.edits = this.stage.edits = edits;
    /** @private */ this.askForMask = edit;
    /** The tool that is taken when the mask is here. @private */ this.intended = "";
    /** What is said for a while, and until when. @private */ this.noticed = { text: "", until: 0 };
    this.onChange = onChange;
    this.overlay = new Overlay(this.chrome.svg);
    this.measuring = new Measuring(this);
    this.painting = new Painting(this);
    /** What is bound to what. */ this.keymap = keymap();
    /** @type {import("./link.js").Link[]} */ this.links = [];
    /** What another viewer of the page decides for now. */ this.led = { until: 0, traits: /** @type {string[]} */ ([]) };
    this.cine = new Cine(this);
    /** @private */ this.late = new Late(this);
    /** What is on the screen, which may be late. */ this.seen = state;
    /** The tool that is in hand. @private */ this.held = "";
    /** @private */ this.frame = 0;
    /** When the state changed last. @private */ this.moved = -Infinity;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */ this.rest = undefined;
    /** css px of the stage @type {[number, number] | null} */ this.pointer = null;
    /** @private @type {Map<string, Uint32Array>} */ this.palettes = new Map();
    this.bars = new ColourBars();
    this.dock = new Dock(this);
    this.chrome.stage.insertBefore(this.bars.root, this.chrome.status);
    this.chrome.body.append(this.dock.root);
    this.editBar = new EditBar(this);
    this.chrome.root.insertBefore(this.editBar.root, this.chrome.body);
    this.dock.root.hidden = meta.sources.length < 2;
    this.setMeta(meta);

    /** @private */ this.unlisten = attend(this, onDrag);
    /** @private */ this.watcher = new ResizeObserver(() => this.measure());
    this.watcher.observe(chrome.stage);
    /** Whether it is on the screen; the page tells within a frame. */ this.visible = false;
    /** @private */ this.looker = new IntersectionObserver((entries) => {
      this.visible = entries[entries.length - 1].isIntersecting;
      onVisible();
    });
    this.looker.observe(chrome.root);
    /** @private */ this.clock = setInterval(() => {
      transport.pump();
      edits.tend();
      this.showStatus();
    }, 400);
    enter(this);
    this.measure();
  }

  /** New pixels or a new volume. @param {Meta} meta */
  setMeta(meta) {
    this.steer(meta);
    this.palettes.clear();
    this.late.forget();
    this.seen = this.state;
    const first = meta.sources[0];
    /** @private @type {import("./types.js").Subject | null} */ this.offered = null;
    this.dock.fill();
    this.chrome.fillPalettes(Object.keys(meta.palettes));
    this.chrome.fillSteps(first.steps, (axis, index) => this.setStep(axis, index));
    this.chrome.setFindings(first.findings, first.places, (slice) => this.goToSlice(slice));
    this.chrome.probe.title = madeText(this);
    this.chrome.setNote(meta.note ?? "");
    this.chrome.edit.hidden = Boolean(meta.fixed);
    const title = first.title || "volume";
    this.chrome.stage.style.height = `${meta.height}px`;
    this.chrome.root.setAttribute("aria-label", `Slice browser: ${title}. Press question mark for mouse and keys.`);
    this.changed(false);
    if (this.intended && this.painting.mask >= 0) {
      this.dock.root.hidden = false;
      this.setTool(this.intended);
      this.intended = "";
    }
  }

  /** Asks for a mask to edit, and takes a tool when it is here. @param {string} [tool] */
  startEditing(tool = "brush") {
    if (this.meta.fixed) return;
    this.intended = tool;
    this.editBar.open = true;
    this.notice("the kernel brings a mask to edit");
    this.askForMask();
  }

  /** Which of what can be taken back, or done again, was the last, or the first. @param {"undo" | "redo"} way @returns {Measuring | import("./edits.js").Edits | null} */
  lastDone(way) {
    const [drawn, measured] = [this.edits.when(way), this.measuring.when(way)];
    if (drawn === undefined || measured === undefined) return drawn !== undefined ? this.edits : measured !== undefined ? this.measuring : null;
    return drawn > measured === (way === "undo") ? this.edits : this.measuring;
  }

  /** @param {"undo" | "redo"} way */
  retrace(way) {
    if (way === "undo" && this.edits.stop()) return this.notice("stopped");
    const found = this.lastDone(way);
    found?.retrace(way);
    if (found === this.edits) this.painting.revive();
    if (found) this.chrome.announce(way === "undo" ? "taken back" : "done again");
  }

  /** Says something for a while. @param {string} text */
  notice(text) {
    this.noticed = { text, until: performance.now() + 4000 };
    this.showStatus();
  }

  /** Offers the presets of the volume in hand. @private */
  offer() {
    if (this.offered === this.subject) return;
    this.offered = this.subject;
    const presets = this.subject.presets.map((preset, index) => ({ preset, index }));
    const usual = presets.filter(({ preset }) => preset.group === "presets");
    /** Which preset each digit chooses. @type {number[]} */
    this.numbered = (usual.length ? usual : presets).slice(0, 9).map(({ index }) => index);
    this.chrome.fillPresets(this.subject.presets, (index) => String(this.numbered.indexOf(index) + 1 || ""));
  }

  /** Other keys and gestures. @param {import("./keymap.js").Keymap} own */
  setKeymap(own) {
    this.keymap = keymap(own);
    this.chrome.fillHelp(this.keymap);
  }

  /** The step of a volume that is shown: its own axes follow those of the first, to the nearest value. @param {number} source @param {number[]} [step] */
  stepOf(source, step = this.seen.step) {
    const { steps } = this.meta.sources[source];
    let number = 0;
    steps.forEach((one, axis) => (number = number * one.labels.length + placeOf(this.meta, source, axis, step)));
    return number;
  }

  /** @param {string} cmap */
  paletteOf(cmap) {
    let words = this.palettes.get(cmap);
    if (!words) this.palettes.set(cmap, (words = paletteFrom(this.meta.palettes[cmap] ?? "")));
    return words;
  }

  /** Which volumes a pane shows, the lowest first; all that are shown, if none is named. @param {Pane} [pane] @returns {number[]} */
  shownIn(pane) {
    if (pane && pane.source !== null) return [pane.source];
    return this.state.mode === "difference" ? [0, 1] : imagesShown(this.state);
  }

  /** The volumes and masks of a pane, or of all. @param {Pane} [pane] */
  layersIn(pane) {
    return [...this.shownIn(pane), ...masksShown(this.state).map((mask) => this.state.looks.length + mask)];
  }

  /** Adopts a state from outside. @param {State} state */
  adopt(state) {
    const name = state.scene.plane;
    const before = this.indexIn(name);
    this.state = state;
    const by = this.indexIn(name) - before;
    if (by) this.travel = { name, direction: Math.sign(by) };
    this.changed(false);
  }

  /** @param {boolean} [mine] whether the user did it, so that others have to hear of it */
  changed(mine = true) {
    if (mine) {
      this.onChange(this.state);
      lead(this);
    }
    if (this.state.tool !== this.held) {
      this.held = this.state.tool;
      this.measuring.draft = null;
      this.chrome.stage.style.cursor = TOOLS[this.held].cursor;
    }
    this.cine.follow();
    this.moved = performance.now();
    this.stage.lay(this.meta, this.state);
    wish(this);
    this.redraw();
  }

  redraw() {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    }
  }

  /** Something came from the kernel. @param {(Want & {demanded: boolean}) | {pane: string}} one */
  arrived(one) {
    if ("pane" in one || this.measuring.waiting || !this.stage.isSeen || this.transport.isWanted(one)) {
      wish(this);
      this.redraw();
    }
    this.showStatus();
  }

  /** @param {string} tool */
  setTool(tool) {
    this.state = { ...this.state, tool };
    this.changed();
  }

  /** @param {string} action */
  act(action) {
    act(this, action);
  }

  // ---- drawing --------------------------------------------------------------------------------------------------------

  /** @private */
  measure() {
    this.stage.measure(this.chrome.stage);
    this.stage.lay(this.meta, this.state);
    wish(this);
    this.draw(); // at once: a cleared canvas would flicker
  }

  /** @private */
  draw() {
    const { meta, stage, overlay, space, spaces } = this;
    const { state, panes } = this.late.seen();
    stage.panes = panes;
    this.seen = state;
    stage.draw(meta, state, (source) => this.stepOf(source, state.step), (cmap) => this.paletteOf(cmap), (pane) => this.shownIn(pane), performance.now() - this.moved < RESTING);
    clearTimeout(this.rest);
    if (stage.rough) this.rest = setTimeout(() => this.finish(), RESTING);
    this.measuring.prepare();
    overlay.draw({ meta, state, panes: stage.panes, stage, space, spaces, more: (pane) => [...meetShapes(this, pane), ...this.measuring.marks(pane), ...this.painting.shapes(pane)] });
    this.bars.show(this);
    this.offer();
    showState(this, state);
    this.dock.show();
    this.editBar.show();
    this.showProbe();
    this.showStatus();
  }

  /** The hand rests: what was drawn for speed gets all its pixels. @private */
  finish() {
    this.transport.pump();
    this.redraw();
  }

  /** @private */
  showStatus() {
    const { transport, chrome, stage } = this;
    const slow = transport.waiting > PATIENCE;
    const failure = transport.problem;
    chrome.say(failure);
    if (failure) chrome.setStatus("cannot be read");
    else if (stage.isDone) chrome.setStatus((performance.now() < this.noticed.until && this.noticed.text) || this.editBar.text);
    // Jupyter marks what a kernel does not know any more, after a restart or in a notebook that was opened again.
    else if (transport.gone || chrome.root.closest(".jupyter-widgets-disconnected")) chrome.setStatus("no kernel: run the cell again");
    else chrome.setStatus(`loading …${slow ? " (kernel busy)" : ""}`);
  }

  showProbe() {
    const text = this.pointer ? probeText(this, ...this.pointer) : "";
    write(this.chrome.probe, text);
  }

  destroy() {
    leave(this);
    this.unlisten();
    this.cine.destroy();
    this.watcher.disconnect();
    this.looker.disconnect();
    clearInterval(this.clock);
    clearTimeout(this.rest);
    cancelAnimationFrame(this.frame);
    this.stage.destroy();
    this.chrome.root.remove();
  }
}
