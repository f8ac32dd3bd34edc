// The values under the pointer, and where it is.

import { SLACK, courses } from "./plane.js";
import { honest, millimetres } from "./text.js";

/**
 * What is under a point of the stage: of each volume its voxel there, of each mask its label.
 * @param {import("./viewer.js").Viewer} viewer @param {number} x css px @param {number} y
 */
function probeAt(viewer, x, y) {
  const pane = viewer.stage.paneAt(x, y);
  if (!pane) return null;
  const { meta, state } = viewer;
  // Of the pixel under the pointer, not of its corner: what is told is what is drawn there.
  const { ratio } = viewer.stage.size;
  const lps = viewer.stage.lpsAt(pane, (Math.floor(x * ratio) + 0.5) / ratio, (Math.floor(y * ratio) + 0.5) / ratio);
  const found = [];
  // Of all volumes, also where they stand side by side: that is what they are compared for.
  for (const n of viewer.layersIn()) {
    const source = meta.sources[n];
    const voxel = viewer.spaces[n].voxel(lps) && voxelUnder(source, pane, Math.floor(x * ratio), Math.floor(y * ratio));
    if (voxel && viewer.edits.has(source.key)) {
      const value = viewer.edits.at(...voxel);
      const look = viewer.painting.labels.find((one) => one.value === value);
      if (look) found.push({ source: n, voxel, value, text: look.name ?? "" });
      continue;
    }
    const slice = voxel && viewer.transport.cache.peek(source.key, viewer.stepOf(n), voxel[0]);
    if (!voxel || !slice) continue;
    const value = slice.values[voxel[1] * source.shape[2] + voxel[2]];
    if (n < state.looks.length) {
      found.push({ source: n, voxel, value, text: `${honest(value, slice)}${source.units ? ` ${source.units}` : ""}` });
    } else {
      const label = source.labels?.find((one) => one.value === value);
      if (label) found.push({ source: n, voxel, value, text: label.name });
    }
  }
  return { lps, found };
}

/**
 * The voxel that a pixel shows where nothing is mixed: half way between two the same one as in sample.js.
 * @param {import("./types.js").SourceMeta} source @param {import("./scene.js").Pane} pane @param {number} x pixel of the canvas @param {number} y
 * @returns {import("./types.js").Vector3}
 */
export function voxelUnder(source, { plane, left, top }, x, y) {
  const index = courses(source, plane).map((way) => {
    const at = way.index(way.start + (y - top) * way.down + (x - left) * way.right);
    const half = Math.floor(2 * at + 0.5) / 2;
    const held = Math.min(Math.max(Math.abs(at - half) <= SLACK ? half : at, 0), way.size - 1);
    return Math.min(Math.floor(held + 0.5), way.size - 1);
  });
  return /** @type {import("./types.js").Vector3} */ (index);
}

/** @param {import("./viewer.js").Viewer} viewer @param {number} x css px @param {number} y */
export function probeText(viewer, x, y) {
  const at = probeAt(viewer, x, y);
  if (!at || !at.found.length) return "";
  const { meta, state } = viewer;
  const images = at.found.filter(({ source }) => source < state.looks.length);
  const values = images.map(({ source, text }) => (state.looks.length > 1 ? `${meta.sources[source].title.split(" ")[0]} ${text}` : text));
  const labels = at.found.slice(images.length).map(({ text }) => text);
  const voxel = images.length ? `voxel [${images[0].voxel.join(", ")}]` : "";
  const [made] = images.length === 1 && state.looks.length === 1 ? (meta.sources[0].made ?? "").split(": ") : [""];
  return [...values, labels.join(" + "), voxel, `LPS (${at.lps.map(millimetres).join(", ")}) mm`, made].filter(Boolean).join("   ");
}

/** What is known of how the values under the pointer came about. @param {import("./viewer.js").Viewer} viewer */
export function madeText(viewer) {
  const { meta, state } = viewer;
  const told = state.looks.map((_, n) => meta.sources[n]).filter(({ made }) => made);
  return told.map(({ title, made }) => (state.looks.length > 1 ? `${title}: ${made}` : made)).join("\n");
}
