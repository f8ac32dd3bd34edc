// What a measurement says beside it, line by line.

import { angleOf, areaOf, lengthOf } from "./measured.js";
import { isArea } from "./rois.js";
import { honest, millimetres, short, worked } from "./text.js";

/** @typedef {import("./types.js").Roi} Roi */

/** @param {number} x four significant digits, or more where it is large */
const size = (x) => short(Math.abs(x) < 1e4 ? Number(x.toPrecision(4)) : x);

/**
 * @param {import("./measuring.js").Measuring} measuring
 * @param {Roi} roi as far as it was drawn
 * @param {boolean} fully all there is to say
 * @returns {string[]}
 */
export function textOf(measuring, roi, fully) {
  const { kind, points, label } = roi;
  const lines = label ? [label] : [];
  if ((kind === "ruler" || kind === "profile") && points.length === 2) lines.push(`${size(lengthOf(points))} mm`);
  if (kind === "angle" && points.length === 3) lines.push(`${angleOf(points).toFixed(1)}°`);
  if (isArea(roi) && points.length > 2) lines.push(`${size(areaOf(kind, points, /** @type {any} */ (roi.normal)))} mm²`, ...inside(measuring, roi));
  if (kind === "probe") lines.push(...under(measuring, roi, fully));
  return lines;
}

/** @param {import("./measuring.js").Measuring} measuring @param {Roi} roi */
function inside(measuring, roi) {
  const { viewer } = measuring;
  return viewer.shownIn().flatMap((source) => {
    const found = measuring.found(roi, source);
    if (!found) return ["…"];
    const { numbers, kept } = found;
    if (!numbers.n) return ["no voxel inside"];
    const { units } = viewer.meta.sources[source];
    const [mean, sd] = [numbers.mean, numbers.sd].map((x) => worked(x, size(x), kept));
    const [min, max] = [numbers.min, numbers.max].map((x) => worked(x, short(x), kept));
    return [`mean ${mean}  sd ${sd}${units ? ` ${units}` : ""}`, `min ${min}  max ${max}  n ${numbers.n}`];
  });
}

/** @param {import("./measuring.js").Measuring} measuring @param {Roi} roi @param {boolean} fully */
function under(measuring, { points: [lps] }, fully) {
  const { viewer } = measuring;
  const lines = viewer.shownIn().flatMap((source) => {
    const { key, shape, units } = viewer.meta.sources[source];
    const voxel = viewer.spaces[source].voxel(lps);
    if (!voxel) return source ? [] : ["outside"];
    const slice = viewer.transport.cache.peek(key, viewer.stepOf(source), voxel[0]);
    if (!slice) {
      measuring.waiting = true;
      return ["…"];
    }
    const text = `${honest(slice.values[voxel[1] * shape[2] + voxel[2]], slice)}${units ? ` ${units}` : ""}`;
    return fully ? [text, `voxel [${voxel.join(", ")}]`] : [text];
  });
  return fully ? [...lines, `LPS (${lps.map(millimetres).join(", ")}) mm`] : lines;
}
