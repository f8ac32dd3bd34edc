// A slider and a field of one number: the one for trying, the other for typing.

import { make } from "../../../view/js/elements.js";

/**
 * @param {{label: string, min: number, max: number, step: number, unit?: string, title?: string, digits?: number, curve?: {to: (value: number) => number, from: (at: number) => number}}} about
 * `curve` maps values to even steps of the slider and back, 0 to 1000 both ends included
 * @param {(value: number) => void} onInput
 */
export function dial({ label, min, max, step, unit = "", title = label, digits = 3, curve }, onInput) {
  const ends = curve ? { min: "0", max: "1000", step: "1" } : { min: String(min), max: String(max), step: String(step) };
  const input = make("input", "dl-slider", { type: "range", ...ends, "aria-label": label, title });
  const field = make("input", "dl-number", { type: "number", step: String(step), "aria-label": `${label}${unit ? `, ${unit}` : ""}`, title });
  input.addEventListener("input", () => onInput(curve ? curve.from(Number(input.value)) : Number(input.value)));
  field.addEventListener("change", () => {
    const value = Number(field.value);
    if (field.value.trim() !== "" && Number.isFinite(value)) onInput(value);
    else field.value = field.dataset.now ?? "";
  });
  const name = make("span", "dl-name", { title }, [label]);
  return {
    element: make("div", "dl-control dl-dial", {}, [name, input, make("span", "dl-fielded", {}, [field, make("span", "dl-unit", {}, [unit])])]),
    /** @param {number} now @param {boolean} [disabled] */
    show(now, disabled = false) {
      input.value = String(curve ? curve.to(now) : now);
      input.disabled = disabled;
      field.disabled = disabled;
      const text = String(Number(now.toFixed(digits)));
      input.setAttribute("aria-valuetext", `${text} ${unit}`.trim());
      field.dataset.now = text;
      if (field.ownerDocument.activeElement !== field || Number(field.value) !== Number(text)) field.value = text;
    },
    /** Other ends. @param {number} low @param {number} high */
    reach(low, high) {
      if (curve) return;
      input.min = String(low);
      input.max = String(high);
    },
  };
}
