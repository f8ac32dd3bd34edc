// The value under the pointer, and where it is.

import { honest, millimetres } from "./text.js";

/**
 * What is under a point of the stage: of each volume its voxel there.
 * @param {import("./viewer.js").Viewer} viewer @param {number} x css px @param {number} y
 */
export function probeAt(viewer, x, y) {
  const pane = viewer.stage.paneAt(x, y);
  if (!pane) return null;
  // Of the pixel under the pointer, not of its corner: what is told is what is drawn there.
  const { ratio } = viewer.stage.size;
  const lps = viewer.stage.lpsAt(pane, (Math.floor(x * ratio) + 0.5) / ratio, (Math.floor(y * ratio) + 0.5) / ratio);
  const found = [];
  for (const n of viewer.shownIn()) {
    const voxel = viewer.spaces[n].voxel(lps);
    const source = viewer.meta.sources[n];
    const slice = voxel && viewer.transport.cache.peek(source.key, viewer.stepOf(n), voxel[0]);
    if (!voxel || !slice) continue;
    const value = slice.values[voxel[1] * source.shape[2] + voxel[2]];
    found.push({ source: n, voxel, value, text: `${honest(value, slice)}${source.units ? ` ${source.units}` : ""}` });
  }
  return { lps, found };
}

/** @param {import("./viewer.js").Viewer} viewer @param {number} x css px @param {number} y */
export function probeText(viewer, x, y) {
  const at = probeAt(viewer, x, y);
  if (!at || !at.found.length) return "";
  const values = at.found.map(({ text }) => text).join("  |  ");
  return `${values}   voxel [${at.found[0].voxel.join(", ")}]   LPS (${at.lps.map(millimetres).join(", ")}) mm`;
}
