// What the toolbar, the sliders and the labels for screen readers say of a state.

import { indexOf } from "./overlay.js";
import { GIVEN } from "./rois.js";
import { choose, mark, write } from "./svg.js";
import { windowText } from "./text.js";

/** @param {import("./viewer.js").Viewer} viewer @param {import("./types.js").State} seen what is on the screen, which may be late */
export function showState(viewer, seen) {
  const { chrome, state, meta, space, stage, look, subject } = viewer;
  const { scene } = state;
  const axis = meta.basis.axis[scene.plane];
  const { presets } = subject;
  const { center, width, lut } = look.window;
  const chosen = presets.findIndex((one) => one.center === center && one.width === width && one.function === look.window.function && one.lut === lut);
  write(chrome.own, `${windowText(look.window)}  (by hand)`);
  choose(chrome.preset, chosen >= 0 ? String(chosen) : "own");
  choose(chrome.cmap, look.cmap);
  choose(chrome.slab, scene.slab ? `${scene.slab.mode} ${scene.slab.thickness}` : "");
  chrome.press(chrome.planes, "plane", scene.plane);
  chrome.press(chrome.layouts, "layout", scene.layout);
  chrome.press(chrome.tools, "tool", state.tool);
  chrome.showMeasure(Object.hasOwn(GIVEN, state.tool) ? state.tool : "");
  mark(chrome.invert, "aria-pressed", look.invert);
  chrome.stage.classList.toggle("dl-white", state.looks.length === 1 && look.invert && look.cmap === "gray");
  mark(chrome.layersButton, "aria-pressed", !viewer.dock.root.hidden);
  chrome.showCine(state.cine);
  chrome.showSteps(meta.sources[0].steps, seen.step);
  mark(chrome.slider, "max", space.shape[axis] - 1);
  choose(chrome.slider, String(viewer.index));
  chrome.slider.disabled = space.shape[axis] < 2;
  mark(chrome.slider, "aria-valuetext", `${scene.plane} ${viewer.index + 1} of ${space.shape[axis]}`);
  mark(chrome.canvas, "aria-label", `${scene.plane} picture, ${viewer.index + 1} of ${space.shape[axis]}, window ${windowText(look.window)}`);
  const drawn = stage.complete[0] || stage.drafts[0] ? String(scene.layout === "montage" ? viewer.index : indexOf(stage.panes[0], seen, meta, space)) : "";
  mark(chrome.root, "data-drawn", drawn);
  mark(chrome.root, "data-complete", !stage.rough && stage.isDone);
}
