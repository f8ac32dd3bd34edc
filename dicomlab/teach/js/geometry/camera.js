// From patient mm to the screen: an orthographic look at the patient, from the front at first.

import { dot } from "../../../view/js/plane.js";

/** @typedef {[number, number, number]} Vector3 */
/** @typedef {{right: Vector3, up: Vector3, away: Vector3}} Look */

/** Degrees around the patient (0 from the front, 90 from the left) and above. @param {number} azimuth @param {number} elevation @returns {Look} */
export function look(azimuth, elevation) {
  const [a, e] = [azimuth, elevation].map((degrees) => (degrees * Math.PI) / 180);
  /** @type {Vector3} */
  const right = [Math.cos(a), Math.sin(a), 0];
  const level = [-Math.sin(a), Math.cos(a), 0];
  return {
    right,
    up: [level[0] * Math.sin(e), level[1] * Math.sin(e), Math.cos(e)],
    away: [level[0] * Math.cos(e), level[1] * Math.cos(e), -Math.sin(e)],
  };
}

/**
 * Where a place is on the screen, and how far away.
 * @param {Look} view @param {ArrayLike<number>} centre LPS mm in the middle of the screen @param {number} scale px a mm @param {[number, number]} middle px
 */
export function projector({ right, up, away }, centre, scale, middle) {
  return (/** @type {ArrayLike<number>} */ place) => {
    const from = [place[0] - centre[0], place[1] - centre[1], place[2] - centre[2]];
    return { x: middle[0] + scale * dot(from, right), y: middle[1] - scale * dot(from, up), depth: dot(from, away) };
  };
}

/** Outline of an ellipsoid with axes along the patient's: half axes and turn (radians, clockwise on the screen) in mm. @param {Look} view @param {number[]} radii */
export function outline({ right, up }, radii) {
  let [xx, xy, yy] = [0, 0, 0];
  for (let axis = 0; axis < 3; axis++) {
    const [x, y] = [radii[axis] * right[axis], -radii[axis] * up[axis]];
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  const mean = (xx + yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  return { a: Math.sqrt(mean + spread), b: Math.sqrt(Math.max(mean - spread, 0)), turn: 0.5 * Math.atan2(2 * xy, xx - yy) };
}
