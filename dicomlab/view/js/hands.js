// The hands of a user: pointer, wheel, keys and furniture, each with what it does to the view.

import { listen } from "./gestures.js";
import { BUTTONS } from "./keymap.js";
import { TOOLS, toolFor } from "./tools.js";

/** @typedef {import("./types.js").PlaneName} PlaneName */

const LOWEST = 120; // px of the stage

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {(active: boolean) => void} onDrag
 * @returns {() => void} undoes what outlives the page's elements
 */
export function attend(viewer, onDrag) {
  const { chrome } = viewer;
  const unlisten = listen(chrome.root, chrome.stage, chrome.grip, {
    map: () => viewer.keymap,
    wheel: (x, y, steps, what) => {
      if (what === "step") for (let n = Math.abs(steps); n; n--) viewer.act(steps > 0 ? "nextStep" : "previousStep");
      else viewer.scroll(viewer.stage.paneAt(x, y) ?? viewer.stage.panes[0], steps);
    },
    pan: (x, y, dx, dy) => viewer.panBy(viewer.stage.paneAt(x, y) ?? viewer.stage.panes[0], dx, dy),
    zoom: (x, y, factor) => viewer.zoomAbout(viewer.stage.paneAt(x, y) ?? viewer.stage.panes[0], x, y, factor),
    toolAt: (x, y, button, shift) => {
      const pane = viewer.stage.paneAt(x, y);
      if (!pane) return null;
      const bound = viewer.keymap[BUTTONS[button]];
      const tool = TOOLS[bound === "tool" ? toolFor(viewer, pane, x, y) : bound];
      return tool ? { tool, drag: { viewer, pane, start: [x, y], last: [x, y], shift, memory: undefined } } : null;
    },
    act: (action) => viewer.act(action),
    hover: (x, y, follow) => {
      viewer.pointer = [x, y];
      const pane = viewer.stage.paneAt(x, y);
      if (follow && pane && !viewer.painting.isOn) viewer.goTo(viewer.stage.lpsAt(pane, x, y));
      viewer.measuring.follow(pane, x, y);
      chrome.stage.style.cursor = TOOLS[pane ? toolFor(viewer, pane, x, y) : viewer.state.tool].cursor;
      viewer.showProbe();
      if (viewer.painting.isOn || viewer.stage.panes.some(({ source }) => source !== null)) viewer.redraw(); // the pointer's twins
    },
    leave: () => {
      viewer.pointer = null;
      viewer.redraw();
      viewer.showProbe();
    },
    dragging: onDrag,
    resize: (height) => (chrome.stage.style.height = `${Math.max(height, LOWEST)}px`),
  });
  chrome.planes.forEach((one) => one.addEventListener("click", () => viewer.setPlane(/** @type {PlaneName} */ (one.dataset.plane))));
  chrome.layouts.forEach((one) => one.addEventListener("click", () => viewer.setLayout(/** @type {any} */ (one.dataset.layout))));
  chrome.tools.forEach((one) =>
    one.addEventListener("click", () => {
      chrome.toggleMeasures(false);
      viewer.setTool(/** @type {string} */ (one.dataset.tool));
    }),
  );
  chrome.measure.addEventListener("click", () => chrome.toggleMeasures());
  chrome.stage.addEventListener("pointerdown", () => chrome.toggleMeasures(false), true);
  chrome.remove.addEventListener("click", () => viewer.act("remove"));
  chrome.preset.addEventListener("change", () => {
    viewer.choosePreset(Number(chrome.preset.value));
    chrome.root.focus({ preventScroll: true });
  });
  chrome.cmap.addEventListener("change", () => {
    viewer.changeLook({ cmap: chrome.cmap.value });
    chrome.root.focus({ preventScroll: true });
  });
  chrome.slab.addEventListener("change", () => {
    viewer.setSlab(chrome.slab.value);
    chrome.root.focus({ preventScroll: true });
  });
  chrome.edit.addEventListener("click", () => viewer.act("edit"));
  chrome.layersButton.addEventListener("click", () => viewer.act("layers"));
  chrome.invert.addEventListener("click", () => viewer.act("invert"));
  chrome.reset.addEventListener("click", () => viewer.act("reset"));
  chrome.helpButton.addEventListener("click", () => viewer.act("help"));
  chrome.full.addEventListener("click", () => viewer.act("full"));
  chrome.save.addEventListener("click", () => viewer.act("save"));
  chrome.cine.addEventListener("click", () => viewer.act("cine"));
  chrome.fps.addEventListener("input", () => viewer.cine.change({ fps: Number(chrome.fps.value) }));
  chrome.bounce.addEventListener("click", () => viewer.cine.change({ bounce: !viewer.state.cine.bounce }));
  chrome.along.addEventListener("change", () => viewer.cine.change({ along: /** @type {any} */ (chrome.along.value) }));
  chrome.badge.addEventListener("click", () => chrome.toggle("findings"));
  chrome.slider.addEventListener("input", () => viewer.goToIndex(viewer.state.scene.plane, Number(chrome.slider.value)));
  return unlisten;
}
