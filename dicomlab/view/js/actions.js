// What each key and button does.

import { save } from "./export.js";
import { firstLooks } from "./layers.js";
import { PAINTING } from "./painting.js";
import { GIVEN } from "./rois.js";
import { IDENTITY } from "./scene.js";
import { TOOLS } from "./tools.js";

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {string} action a `KeyAction`, "preset1" to "preset9", or the name of a tool
 * @returns {void}
 */
export function act(viewer, action) {
  const { chrome } = viewer;
  const pane = (viewer.pointer && viewer.stage.paneAt(...viewer.pointer)) || viewer.stage.panes[0];
  const last = viewer.space.shape[viewer.meta.basis.axis[pane.name]] - 1;
  switch (action) {
    case "next":
      return viewer.scroll(pane, 1);
    case "previous":
      return viewer.scroll(pane, -1);
    case "next10":
      return viewer.scroll(pane, 10);
    case "previous10":
      return viewer.scroll(pane, -10);
    case "first":
      return viewer.goToIndex(pane.name, 0);
    case "last":
      return viewer.goToIndex(pane.name, last);
    case "nextStep":
    case "previousStep": {
      const axis = viewer.meta.sources[0].steps.length - 1;
      if (axis < 0) return;
      const count = viewer.meta.sources[0].steps[axis].labels.length;
      return viewer.setStep(axis, (viewer.state.step[axis] + (action === "nextStep" ? 1 : count - 1)) % count);
    }
    case "invert":
      return viewer.changeLook({ invert: !viewer.look.invert });
    case "corners":
      viewer.overlay.showText = !viewer.overlay.showText;
      return viewer.redraw();
    case "crosshair":
      viewer.overlay.showCross = !viewer.overlay.showCross;
      return viewer.redraw();
    case "layout":
      return viewer.setLayout(viewer.state.scene.layout === "planes" ? "single" : "planes");
    case "firstWindow":
      return viewer.changeLook({ window: viewer.firstWindow });
    case "finish":
      return viewer.measuring.finish();
    case "remove":
      return viewer.measuring.remove();
    case "undo":
    case "redo":
      return viewer.retrace(action);
    case "edit":
      if (viewer.painting.mask < 0) return viewer.startEditing();
      viewer.editBar.open = !viewer.editBar.open;
      return viewer.setTool(viewer.editBar.open ? "brush" : "window");
    case "smaller":
    case "larger":
      return viewer.painting.resize(action === "larger" ? 1 : -1);
    case "nextLabel":
      return viewer.painting.next();
    case "ball":
      return viewer.painting.change({ sphere: !viewer.painting.brush.sphere });
    case "interpolate":
      return viewer.painting.ask("interpolate");
    case "measured":
      return viewer.measuring.next();
    case "layers":
      viewer.dock.toggle();
      return viewer.redraw();
    case "help":
      return chrome.toggle("help");
    case "full":
      // Within a shadow root the document knows of its host only.
      if (/** @type {Document | ShadowRoot} */ (chrome.root.getRootNode()).fullscreenElement === chrome.root) document.exitFullscreen();
      else chrome.root.requestFullscreen?.()?.catch(() => chrome.setStatus("full screen is not allowed here"));
      return;
    case "enlarge":
      return Object.hasOwn(GIVEN, viewer.state.tool) || viewer.painting.isOn ? undefined : viewer.enlarge(pane); // there a double click ends a polygon
    case "cine":
      return viewer.cine.change({ playing: !viewer.state.cine.playing });
    case "save":
      save(viewer).catch((error) => chrome.setStatus(`cannot be saved: ${error}`));
      return;
    case "reset":
      if (chrome.closePanel() || viewer.measuring.escape()) return;
      viewer.state = { ...viewer.state, looks: firstLooks(viewer), difference: viewer.meta.first.difference, scene: { ...viewer.state.scene, zoom: 1, pan: [0, 0, 0], turn: IDENTITY, slab: null } };
      return viewer.changed();
  }
  if (action.startsWith("preset")) viewer.choosePreset(viewer.numbered[Number(action.slice(6)) - 1] ?? -1);
  else if (PAINTING.includes(action) && viewer.painting.mask < 0) viewer.startEditing(action);
  else if (Object.hasOwn(TOOLS, action)) viewer.setTool(viewer.state.tool === action ? "window" : action);
}
