// What the toolbar, the sliders and the labels for screen readers say of a state.

import { indexOf } from "./overlay.js";
import { GIVEN } from "./rois.js";
import { windowText } from "./text.js";

/** @param {import("./viewer.js").Viewer} viewer @param {import("./types.js").State} seen what is on the screen, which may be late */
export function showState(viewer, seen) {
  const { chrome, state, meta, space, stage, look, subject } = viewer;
  const { scene } = state;
  const axis = meta.basis.axis[scene.plane];
  const { presets } = subject;
  const { center, width, lut } = look.window;
  const chosen = presets.findIndex((one) => one.center === center && one.width === width && one.function === look.window.function && one.lut === lut);
  chrome.own.textContent = `${windowText(look.window)}  (by hand)`;
  chrome.preset.value = chosen >= 0 ? String(chosen) : "own";
  chrome.cmap.value = look.cmap;
  chrome.slab.value = scene.slab ? `${scene.slab.mode} ${scene.slab.thickness}` : "";
  chrome.press(chrome.planes, "plane", scene.plane);
  chrome.press(chrome.layouts, "layout", scene.layout);
  chrome.press(chrome.tools, "tool", state.tool);
  chrome.measure.setAttribute("aria-pressed", String(Object.hasOwn(GIVEN, state.tool)));
  chrome.invert.setAttribute("aria-pressed", String(look.invert));
  chrome.stage.classList.toggle("dl-white", state.looks.length === 1 && look.invert && look.cmap === "gray");
  chrome.layersButton.setAttribute("aria-pressed", String(!viewer.dock.root.hidden));
  chrome.showCine(state.cine);
  chrome.showSteps(meta.sources[0].steps, seen.step);
  chrome.slider.max = String(space.shape[axis] - 1);
  chrome.slider.value = String(viewer.index);
  chrome.slider.disabled = space.shape[axis] < 2;
  chrome.slider.setAttribute("aria-valuetext", `${scene.plane} ${viewer.index + 1} of ${space.shape[axis]}`);
  chrome.canvas.setAttribute("aria-label", `${scene.plane} picture, ${viewer.index + 1} of ${space.shape[axis]}, window ${windowText(look.window)}`);
  chrome.root.dataset.drawn = stage.complete[0] ? String(scene.layout === "montage" ? viewer.index : indexOf(stage.panes[0], seen, meta, space)) : "";
  chrome.root.dataset.complete = String(!stage.rough && stage.isDone);
}
