// Which slices and planes a view asks the kernel for.

import { reach } from "./sample.js";
import { paneName, planeName } from "./stage.js";
import { around } from "./transport.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./transport.js").Want} Want */

export const FEW = 4; // slices, at most, that are rather fetched than cut by the kernel

/**
 * What a state shows: in each pane each volume and mask, with the first and last of its slices that it takes.
 * @param {Viewer} viewer @param {State} state @param {import("./scene.js").Pane[]} panes
 */
export function* needs(viewer, state, panes) {
  const { meta } = viewer;
  for (const pane of panes) {
    for (const source of viewer.layersIn(pane)) {
      const slab = source < state.looks.length ? state.scene.slab : null; // a label has no brightest voxel
      const range = reach({ ...meta.sources[source], lattice: meta.sources[source] }, pane.plane, slab);
      if (range) yield { pane, source, step: viewer.stepOf(source, state.step), range, slab };
    }
  }
}

/** Says what is to be fetched. @param {Viewer} viewer */
export function wish(viewer) {
  const { transport, stage, meta, state } = viewer;
  /** @type {Want[]} */
  const wants = [];
  /** @type {import("./transport.js").PlaneWant[]} */
  const planes = [];
  for (const { pane, source, step, range, slab } of needs(viewer, state, stage.wanted)) {
    if (transport.complete(source, step, range)) continue;
    // A few slices are asked for one by one; a plane across many comes from the kernel, while these fill up.
    if (range[1] - range[0] < FEW) for (let slice = range[0]; slice <= range[1]; slice++) wants.push({ source, step, slice });
    else if (meta.sources[source].reslice) {
      const name = planeName(meta.sources[source].key, step, pane.plane, state.scene);
      planes.push({ pane: `${paneName(pane)}/${source}`, source, step, name, plane: pane.plane, interpolation: meta.sources[source].smooth ? state.scene.interpolation : "nearest", slab });
    }
  }
  transport.want(wants, planes, () => ahead(viewer), viewer.space.nearest(state.scene.position)[0]);
}

/** Slices that may be wanted next: around the one that is seen, of all volumes. @param {Viewer} viewer @returns {Generator<Want>} */
function* ahead(viewer) {
  const { meta, state, travel, stage } = viewer;
  for (const frame of viewer.cine.coming()) {
    for (const { source, step, range } of needs(viewer, frame, stage.panesOf(meta, frame))) {
      for (let slice = range[0]; slice <= range[1]; slice++) yield { source, step, slice };
    }
  }
  for (const source of viewer.layersIn()) {
    const step = viewer.stepOf(source, state.step);
    const count = meta.sources[source].shape[0];
    const from = viewer.spaces[source].nearest(state.scene.position)[0];
    const direction = meta.basis.axis[travel.name] === 0 ? travel.direction : 1;
    yield { source, step, slice: from };
    for (const slice of around(from, direction || 1, count)) yield { source, step, slice };
  }
}
