// The anywidget: one transport a model, any number of views of it. Nothing is loaded from a network.

import { pageCache } from "./cache.js";
import { Space } from "./planes.js";
import { Transport } from "./transport.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").State} State */

const QUIET = 150; // ms without a change before Python hears of it
const NAMES = ["plane", "index", "position", "center", "width", "function", "_lut", "zoom", "pan", "invert"];

/** @param {Model} model @param {Meta} meta @param {Space} space @returns {State} */
function stateOf(model, meta, space) {
  const voxel = /** @type {[number, number, number]} */ ([...model.get("_voxel")]);
  const plane = model.get("plane");
  const axis = meta.planes[/** @type {import("./types.js").PlaneName} */ (plane)].axis;
  voxel[axis] = model.get("index");
  const lut = model.get("_lut");
  return {
    plane,
    voxel: /** @type {[number, number, number]} */ (voxel.map((i, n) => Math.min(Math.max(i, 0), space.shape[n] - 1))),
    window: { center: model.get("center"), width: model.get("width"), function: model.get("function"), ...(lut ? { lut } : {}) },
    invert: model.get("invert"),
    zoom: model.get("zoom"),
    pan: [model.get("pan")[0], model.get("pan")[1]],
  };
}

/** @param {State} state @param {Space} space */
function traitsOf(state, space) {
  return {
    plane: state.plane,
    index: state.voxel[space.layout(state.plane).axis],
    _voxel: state.voxel,
    position: space.lps(state.voxel),
    center: state.window.center,
    width: state.window.width,
    function: state.window.function,
    _lut: state.window.lut ?? "",
    invert: state.invert,
    zoom: state.zoom,
    pan: state.pan,
  };
}

/** A widget. A factory, because initialize and render are handed different proxies of the model. */
export function createWidget() {
  const cache = pageCache();
  /** @type {Set<Viewer>} */
  const viewers = new Set();
  /** @type {Transport} */
  let transport;

  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      transport = new Transport({
        cache,
        send: (message) => model.send(message),
        onArrival: (one) => viewers.forEach((viewer) => viewer.arrived(one)),
      });
      model.on("msg:custom", (message, buffers) => transport.receive(message, buffers ?? []));
    },

    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      /** @type {Meta} */
      let meta = model.get("_meta");
      let space = new Space(meta);
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      let dragging = false;
      let dirty = false;
      cache.hold(meta.key, meta.budget);
      if (transport.meta?.key !== meta.key) transport.reset(meta, space.shape);

      const flush = () => {
        clearTimeout(timer);
        if (!dirty || dragging) return;
        dirty = false;
        for (const [name, value] of Object.entries(traitsOf(viewer.state, space))) model.set(name, value);
        try {
          model.save_changes();
        } catch {
          // The kernel has gone, or the model (`close()`): nobody is left to hear it.
        }
      };
      const later = () => {
        clearTimeout(timer);
        timer = setTimeout(flush, QUIET);
      };
      const viewer = new Viewer({
        el,
        meta,
        state: stateOf(model, meta, space),
        transport,
        onChange: () => {
          dirty = true;
          later();
        },
        onVisible: () => {
          transport.hidden = ![...viewers].some((one) => one.visible);
          transport.pump();
        },
        onDrag: (active) => {
          dragging = active;
          transport.paused = active;
          if (!active) {
            transport.pump();
            later();
          }
        },
      });
      viewers.add(viewer);
      // For the browser's console, and for tests: nothing on the page depends on it.
      Object.assign(viewer.chrome.root, { dicomlab: viewer });

      let queued = false;
      const adopt = () => {
        if (queued) return;
        queued = true;
        queueMicrotask(() => {
          queued = false;
          // What the user is doing now is newer than anything that comes back from the kernel.
          if (dirty || !viewers.has(viewer)) return;
          const state = stateOf(model, meta, space);
          if (JSON.stringify(state) !== JSON.stringify(viewer.state)) viewer.adopt(state);
        });
      };
      for (const name of NAMES) model.on(`change:${name}`, adopt);
      model.on("change:_meta", () => {
        cache.release(meta.key);
        meta = model.get("_meta");
        space = new Space(meta);
        cache.hold(meta.key, meta.budget);
        if (transport.meta?.key !== meta.key) transport.reset(meta, space.shape);
        dirty = false;
        viewer.state = stateOf(model, meta, space);
        viewer.setMeta(meta);
      });

      return () => {
        viewers.delete(viewer);
        viewer.destroy();
        cache.release(meta.key);
        flush(); // the last change, when only the view goes
        clearTimeout(timer);
      };
    },
  };
}
