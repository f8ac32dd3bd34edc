// Which slices and planes a view asks the kernel for.

import { reach } from "./sample.js";
import { panes as panesOf } from "./scene.js";
import { paneName, planeName } from "./stage.js";
import { around } from "./transport.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./transport.js").Want} Want */

/** Says what is to be fetched. @param {Viewer} viewer */
export function wish(viewer) {
  const { transport, stage, meta, state } = viewer;
  /** @type {Want[]} */
  const wants = [];
  /** @type {import("./transport.js").PlaneWant[]} */
  const planes = [];
  for (const pane of stage.panes) {
    for (const source of viewer.shownIn()) {
      const step = viewer.stepOf(source);
      const range = reach({ ...meta.sources[source], lattice: meta.sources[source] }, pane.plane, state.scene.slab);
      if (!range || transport.complete(source, step, range)) continue;
      // A few slices are asked for one by one; a plane across many comes from the kernel, while these fill up.
      if (range[1] - range[0] < 4) for (let slice = range[0]; slice <= range[1]; slice++) wants.push({ source, step, slice });
      else if (meta.sources[source].reslice) {
        const name = planeName(meta.sources[source].key, step, pane.plane, state.scene);
        planes.push({ pane: `${paneName(pane)}/${source}`, source, step, name, plane: pane.plane, interpolation: meta.sources[source].smooth ? state.scene.interpolation : "nearest", slab: state.scene.slab });
      }
    }
  }
  transport.want(wants, planes, () => ahead(viewer));
}

/** Slices that may be wanted next: around the one that is seen, of all volumes. @param {Viewer} viewer @returns {Generator<Want>} */
function* ahead(viewer) {
  const { meta, state, travel, stage } = viewer;
  for (const frame of viewer.cine.coming()) {
    for (const { plane } of panesOf(frame.scene, meta.basis, meta.sources[0], stage.canvas.width, stage.canvas.height)) {
      for (const source of viewer.shownIn()) {
        const step = viewer.stepOf(source, frame.step);
        const range = reach({ ...meta.sources[source], lattice: meta.sources[source] }, plane, frame.scene.slab);
        for (let slice = range?.[0] ?? 0; range && slice <= range[1]; slice++) yield { source, step, slice };
      }
    }
  }
  for (const source of viewer.shownIn()) {
    const step = viewer.stepOf(source);
    const count = meta.sources[source].shape[0];
    const from = viewer.spaces[source].nearest(state.scene.position)[0];
    const direction = meta.basis.axis[travel.name] === 0 ? travel.direction : 1;
    yield { source, step, slice: from };
    for (const slice of around(from, direction || 1, count)) yield { source, step, slice };
  }
}
