// What is written on and around the picture, for one state of a viewer.

import { AXIS_NAMES, stepText } from "./planes.js";
import { placeText, windowText } from "./text.js";

/**
 * @param {import("./chrome.js").Chrome} chrome
 * @param {object} what
 * @param {import("./types.js").Meta} what.meta
 * @param {import("./types.js").State} what.state
 * @param {import("./planes.js").Space} what.space
 * @param {number | undefined} what.shown index of the plane that is drawn: it, and not the wanted one, is written down
 * @param {boolean} what.complete
 * @param {number} what.scale css px a mm
 * @param {number} what.stageWidth css px
 */
export function writeCaptions(chrome, { meta, state, space, shown, complete, scale, stageWidth }) {
  const layout = space.layout(state.plane);
  const mm = space.mm[layout.axis];
  const name = AXIS_NAMES[layout.axis];
  const { sides } = meta.planes[state.plane];
  const wanted = state.voxel[layout.axis];
  const { center, width, lut } = state.window;
  const chosen = meta.presets.findIndex(
    (preset) => preset.center === center && preset.width === width && preset.function === state.window.function && preset.lut === lut,
  );
  const at = shown === undefined ? "" : `${name} ${shown + 1}/${mm.length}  [${shown}]`;
  const steps = space.mm.map(stepText).filter(Boolean);
  chrome.setCorner("topLeft", [meta.title, meta.units && `in ${meta.units}`, steps.length ? `${steps.join(" × ")} mm` : ""]);
  chrome.setCorner("topRight", [
    windowText(state.window),
    [chosen >= 0 ? meta.presets[chosen].name : "", state.window.function === "SIGMOID" ? "sigmoid" : "", state.invert ? "inverted" : ""]
      .filter(Boolean)
      .join(" · "),
    `zoom ${state.zoom.toFixed(2)}×`,
  ]);
  chrome.setCorner("bottomLeft", [at, shown === undefined ? "" : placeText(mm[shown], sides)]);
  chrome.letters.forEach((node, i) => (node.textContent = layout.letters[i]));
  chrome.setScale(scale, stageWidth);
  chrome.planes.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.plane === state.plane)));
  chrome.stage.classList.toggle("dl-white", state.invert);
  chrome.invert.setAttribute("aria-pressed", String(state.invert));
  chrome.own.textContent = `${windowText(state.window)}  (by hand)`;
  chrome.preset.value = chosen >= 0 ? String(chosen) : "own";
  chrome.slider.max = String(mm.length - 1);
  chrome.slider.value = String(wanted);
  chrome.slider.disabled = mm.length < 2;
  chrome.slider.setAttribute("aria-label", name);
  chrome.slider.setAttribute("aria-valuetext", `${name} ${wanted + 1} of ${mm.length}, ${placeText(mm[wanted], sides)}`);
  chrome.canvas.setAttribute("aria-label", `${state.plane} picture, ${at}, window ${windowText(state.window)}`);
  chrome.root.dataset.drawn = shown === undefined ? "" : String(shown);
  chrome.root.dataset.complete = String(complete);
}
