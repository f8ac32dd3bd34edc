// The anywidget: one transport a model, any number of views of it. Nothing is loaded from a network.

import { pageCache } from "./cache.js";
import { Edits } from "./edits.js";
import { isLed } from "./link.js";
import { Transport } from "./transport.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./types.js").Meta} Meta */
/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").State} State */

const QUIET = 150; // ms without a change before Python hears of it
const PLAYING = 500; // ms between two things that Python hears of a cine

/** What is synchronised of the state: each trait with its way from and into the state. @type {Record<string, [(state: State) => any, (state: State, value: any) => State]>} */
const TRAITS = {
  plane: [(s) => s.scene.plane, (s, plane) => inScene(s, { plane })],
  panes: [(s) => s.scene.layout, (s, layout) => inScene(s, { layout })],
  position: [(s) => s.scene.position, (s, position) => inScene(s, { position })],
  _turn: [(s) => s.scene.turn, (s, turn) => inScene(s, { turn })],
  zoom: [(s) => s.scene.zoom, (s, zoom) => inScene(s, { zoom })],
  pan: [(s) => s.scene.pan, (s, pan) => inScene(s, { pan })],
  _slab: [(s) => s.scene.slab, (s, slab) => inScene(s, { slab })],
  interpolation: [(s) => s.scene.interpolation, (s, interpolation) => inScene(s, { interpolation })],
  tiles: [(s) => s.scene.tiles, (s, tiles) => inScene(s, { tiles })],
  stride: [(s) => s.scene.stride, (s, stride) => inScene(s, { stride })],
  _looks: [(s) => s.looks, (s, looks) => ({ ...s, looks })],
  _step: [(s) => s.step, (s, step) => ({ ...s, step })],
  mode: [(s) => s.mode, (s, mode) => ({ ...s, mode })],
  split: [(s) => s.split, (s, split) => ({ ...s, split })],
  tool: [(s) => s.tool, (s, tool) => ({ ...s, tool })],
  rois: [(s) => s.rois, (s, rois) => ({ ...s, rois })],
  _difference: [(s) => s.difference, (s, difference) => ({ ...s, difference })],
  _labels: [(s) => s.labels, (s, labels) => ({ ...s, labels })],
  _brush: [(s) => s.brush, (s, brush) => ({ ...s, brush })],
  playing: [(s) => s.cine.playing, (s, playing) => inCine(s, { playing })],
  fps: [(s) => s.cine.fps, (s, fps) => inCine(s, { fps })],
  bounce: [(s) => s.cine.bounce, (s, bounce) => inCine(s, { bounce })],
  along: [(s) => s.cine.along, (s, along) => inCine(s, { along })],
};

/** @param {State} state @param {Partial<import("./scene.js").Scene>} patch @returns {State} */
const inScene = (state, patch) => ({ ...state, scene: { ...state.scene, ...patch } });

/** @param {State} state @param {Partial<import("./types.js").Cine>} patch @returns {State} */
const inCine = (state, patch) => ({ ...state, cine: { ...state.cine, ...patch } });

/** @param {Model} model @returns {State} */
function stateOf(model) {
  let state = /** @type {State} */ (/** @type {unknown} */ ({ scene: {}, looks: [], step: [], mode: "fusion", split: 0.5, tool: "window", rois: [], cine: {} }));
  for (const [name, [, put]] of Object.entries(TRAITS)) state = put(state, model.get(name));
  return state;
}

/** A widget. A factory, because initialize and render are handed different proxies of the model. */
export function createWidget() {
  const cache = pageCache();
  /** @type {Set<Viewer>} */
  const viewers = new Set();
  /** @type {Transport} */
  let transport;
  /** @type {Edits} */
  let edits;
  let held = "";

  /** @param {Meta} meta */
  const keys = (meta) => meta.sources.map(({ key }) => key);

  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      transport = new Transport({
        cache,
        send: (message) => model.send(message),
        onArrival: (one) => viewers.forEach((viewer) => viewer.arrived(one)),
      });
      transport.hidden = true; // until a view of it is seen
      edits = new Edits({
        send: (message, buffers) => model.send(message, undefined, buffers),
        onChange: () => viewers.forEach((viewer) => viewer.redraw()),
      });
      transport.resident = (key) => edits.has(key);
      model.on("msg:custom", (message, buffers) => {
        transport.receive(message, buffers ?? []);
        const [viewer] = viewers;
        edits.receive(message, buffers ?? [], (proposed, parts) => viewer?.painting.accept(proposed, parts));
      });
    },

    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      /** @type {Meta} */
      let meta = model.get("_meta");
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      /** What Python and the page last agreed on, as JSON. @type {Record<string, string>} */
      let agreed = {};
      let dragging = false;
      let dirty = false;
      const adoptMeta = () => {
        for (const key of keys(meta)) cache.hold(key, meta.budget);
        edits.hold(meta.sources.find((one) => one.edited) ?? null);
        if (held !== keys(meta).join()) transport.reset(meta.sources);
        held = keys(meta).join();
      };
      adoptMeta();

      const flush = () => {
        clearTimeout(timer);
        timer = undefined;
        if (!dirty || dragging) return;
        dirty = false;
        for (const [name, [get]] of Object.entries(TRAITS)) {
          const value = get(viewer.state);
          const text = JSON.stringify(value);
          // What did not change may be newer in Python; not every host finds out by itself.
          if (text !== agreed[name]) model.set(name, value);
          agreed[name] = text;
        }
        try {
          model.save_changes();
        } catch {
          // The kernel has gone, or the model (`close()`): nobody is left to hear it.
        }
      };
      const later = () => {
        const { playing } = viewer.state.cine;
        if (playing && timer !== undefined) return; // a cine never rests
        clearTimeout(timer);
        timer = setTimeout(flush, playing ? PLAYING : QUIET);
      };
      const viewer = new Viewer({
        el,
        meta,
        state: stateOf(model),
        transport,
        edits,
        edit: () => model.send({ type: "edit" }),
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

      const agree = () => {
        for (const [name, [get]] of Object.entries(TRAITS)) agreed[name] = JSON.stringify(get(viewer.state));
      };
      agree();
      /** @type {Set<string>} */
      const news = new Set();
      const adopt = () => {
        let { state } = viewer;
        for (const name of news) {
          const [get, put] = TRAITS[name];
          const value = model.get(name);
          // What the user, or a viewer that this one is linked to, does now is newer than anything that comes from the kernel.
          const mine = (dirty && JSON.stringify(get(state)) !== agreed[name]) || isLed(viewer, name);
          agreed[name] = JSON.stringify(value);
          if (!mine && JSON.stringify(get(state)) !== agreed[name]) state = put(state, value);
        }
        news.clear();
        if (state !== viewer.state && viewers.has(viewer)) viewer.adopt(state);
      };
      for (const name of Object.keys(TRAITS)) {
        model.on(`change:${name}`, () => {
          if (!news.size) queueMicrotask(adopt);
          news.add(name);
        });
      }
      const bind = () => viewer.setKeymap(model.get("keymap") ?? {});
      const tie = () => (viewer.links = model.get("_links") ?? []);
      bind();
      tie();
      model.on("change:keymap", bind);
      model.on("change:_links", tie);
      model.on("change:_meta", () => {
        // The new ones are held before the old ones go: volumes that stay keep their slices.
        const old = keys(meta);
        meta = model.get("_meta");
        adoptMeta();
        for (const key of old) cache.release(key);
        dirty = false;
        viewer.state = stateOf(model);
        agree();
        viewer.setMeta(meta);
      });

      return () => {
        viewers.delete(viewer);
        viewer.destroy();
        for (const key of keys(meta)) cache.release(key);
        flush(); // the last change, when only the view goes
        clearTimeout(timer);
      };
    },
  };
}
