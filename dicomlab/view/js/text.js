// Numbers and places as text, written as Python writes them (Window.__str__, view.state.patient_side).

/** @param {number} x up to five significant digits, as a person would write it */
export function short(x) {
  if (Math.abs(x) >= 1e6 || (x !== 0 && Math.abs(x) < 1e-3)) return x.toExponential(3);
  return String(Number(x.toPrecision(Math.abs(x) >= 1e4 ? 7 : 5)));
}

/** A window, with no more digits than a thousandth of its width. @param {{center: number, width: number, lut?: string}} window */
export function windowText({ center, width, lut }) {
  if (lut) return `LUT ${lut.split(" ", 2).join(" to ")}`;
  const places = Math.min(Math.max(3 - Math.floor(Math.log10(width)), 0), 12);
  /** @param {number} x */
  const text = (x) => (Math.max(Math.abs(center), width) >= 1e6 || width < 1e-9 ? short(x) : String(Number(x.toFixed(places)) + 0));
  return `W ${text(width)} L ${text(center)}`;
}

/**
 * A distance along an axis, with the side of the patient instead of a sign.
 * @param {number} mm
 * @param {[string, string]} sides where the axis comes from, and where it leads to
 */
export function placeText(mm, sides) {
  // Halves away from zero, as in Python: 12.25 mm on both sides of the patient is 12.3 mm there.
  const tenths = Math.floor(Math.abs(mm) * 10 + 0.500001);
  return `${(tenths / 10).toFixed(1)} mm ${sides[mm < 0 && tenths ? 0 : 1]}`;
}

/** @param {number} mm two decimals, and no minus before a zero */
export const millimetres = (mm) => (Math.abs(mm) < 0.005 ? 0 : mm).toFixed(2);

/** Directions within 5 degrees of an axis get no further letter. */
const THRESHOLD = Math.sin((5 * Math.PI) / 180);

/** The patient direction of an LPS vector, the largest component first: "A", "AR" (dicomlab/view/state.py, `position_letters`). @param {number[]} vector */
export function letters(vector) {
  const length = Math.hypot(...vector);
  const x = vector.map((v) => v / length);
  return [0, 1, 2]
    .filter((axis) => Math.abs(x[axis]) > THRESHOLD)
    .sort((a, b) => Math.abs(Number(x[b].toFixed(6))) - Math.abs(Number(x[a].toFixed(6))))
    .map((axis) => (x[axis] > 0 ? "LPH" : "RAF")[axis])
    .join("");
}

/** Of a value: how far the next float32 is, at most. */
export const FLOAT32 = 2 ** -23;

/**
 * A number that was worked out of values, as it is written, but with no more digits than these have.
 * @param {number} value @param {string} text @param {{exact: boolean, step: number}} kept the coarsest of the values
 */
export function worked(value, text, { exact, step }) {
  const [, digits = "", power = "0"] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text) ?? [];
  return exact || !Number.isFinite(value) || 10 ** (Number(power) - digits.length) >= Math.abs(step) ? text : honest(value, { exact, step });
}

/**
 * A value as text, with no more digits than the 16-bit journey kept.
 * @param {number} value
 * @param {{exact: boolean, step: number}} entry
 */
export function honest(value, { exact, step }) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+inf" : "-inf";
  if (exact) return String(Number(value.toPrecision(12)));
  const known = Math.max(Math.abs(step), Math.abs(value) * FLOAT32);
  const digits = Math.floor(-Math.log10(known || 1e-6));
  if (digits >= 0 && digits <= 12) return `≈ ${value.toFixed(digits)}`;
  const unit = 10 ** -digits;
  return `≈ ${Number((Math.round(value / unit) * unit).toPrecision(12))}`;
}

/** @param {[number, number, number]} colour */
export const hex = (colour) => `#${colour.map((x) => x.toString(16).padStart(2, "0")).join("")}`;
