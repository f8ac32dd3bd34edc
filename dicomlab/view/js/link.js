// Viewers on one page that are linked follow each other at once; Python (dicomlab/view/link.py) links them too, for those that no
// page shows, and is told by the viewer that the hand is on.

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {{group: string, what: string[]}} Link which viewers, and what of them: position, window, zoom, step */

const SLOT = Symbol.for("dicomlab.viewers/1");
const HELD = 1000; // ms for which a viewer that follows another one on the page does not listen to older news from Python

/** Traits that each word means. @type {Record<string, string[]>} */
const TRAITS = { position: ["position"], window: ["_looks"], zoom: ["zoom", "pan"], step: ["_step"] };

/** All viewers of the page. @returns {Set<Viewer>} */
function everybody() {
  const page = /** @type {any} */ (globalThis);
  return (page[SLOT] ??= new Set());
}

/** @param {Viewer} viewer */
export const enter = (viewer) => void everybody().add(viewer);

/** @param {Viewer} viewer */
export const leave = (viewer) => void everybody().delete(viewer);

/**
 * What one viewer shows, as far as another one follows it.
 * @param {State} theirs @param {Viewer} viewer the one that follows @param {Viewer} leader @param {string[]} what
 * @returns {State}
 */
function followed(theirs, viewer, leader, what) {
  const { state } = viewer;
  const scene = { ...state.scene };
  if (what.includes("position")) scene.position = viewer.space.within(theirs.scene.position);
  if (what.includes("zoom")) Object.assign(scene, { zoom: theirs.scene.zoom, pan: theirs.scene.pan });
  const looks = what.includes("window") ? state.looks.map((look, n) => (n ? look : { ...look, window: theirs.looks[0].window, invert: theirs.looks[0].invert })) : state.looks;
  const step = what.includes("step") ? viewer.meta.sources[0].steps.map(({ name, labels }, axis) => {
    const same = leader.meta.sources[0].steps.findIndex((one) => one.name === name);
    return same < 0 ? state.step[axis] : Math.min(theirs.step[same], labels.length - 1);
  }) : state.step;
  return { ...state, scene, looks, step };
}

/** Takes those along that are linked to a viewer. @param {Viewer} leader */
export function lead(leader) {
  for (const { group, what } of leader.links) {
    for (const viewer of everybody()) {
      if (viewer === leader || !viewer.links.some((one) => one.group === group)) continue;
      viewer.led = { until: performance.now() + HELD, traits: what.flatMap((word) => TRAITS[word] ?? []) };
      viewer.adopt(followed(leader.state, viewer, leader, what));
    }
  }
}

/** Whether news of a trait from Python is older than what a viewer was led to. @param {Viewer} viewer @param {string} trait */
export const isLed = ({ led }, trait) => performance.now() < led.until && led.traits.includes(trait);
