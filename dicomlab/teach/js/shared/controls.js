// Controls of the explorers: a slider with its value, choices of which one is pressed, a select, a switch.

import { make } from "../../../view/js/elements.js";

/**
 * A slider, its name and its value.
 * @param {{label: string, min: number, max: number, step: number, text?: (value: number) => string, title?: string}} about
 * @param {(value: number) => void} onInput
 */
export function slider({ label, min, max, step, text = String, title = label }, onInput) {
  const input = make("input", "dl-slider", { type: "range", min: String(min), max: String(max), step: String(step), "aria-label": label, title });
  const value = make("output", "dl-value");
  input.addEventListener("input", () => onInput(Number(input.value)));
  return {
    element: make("label", "dl-control", {}, [make("span", "dl-name", {}, [label]), input, value]),
    /** @param {number} now @param {boolean} [disabled] */
    show(now, disabled = false) {
      input.value = String(now);
      input.disabled = disabled;
      input.setAttribute("aria-valuetext", text(now));
      value.textContent = text(now);
    },
  };
}

/**
 * Buttons of which one is pressed.
 * @param {string} label @param {[value: string, text: string, title?: string][]} choices @param {(value: string) => void} onChoose
 */
export function choice(label, choices, onChoose) {
  const buttons = choices.map(([value, text, title = text]) => {
    const one = make("button", "dl-button", { type: "button", title, "data-value": value }, [text]);
    one.addEventListener("click", () => onChoose(value));
    return one;
  });
  return {
    element: make("div", "dl-group", { role: "group", "aria-label": label }, buttons),
    /** @param {string} now */
    show(now) {
      for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === now));
    },
  };
}

/** @param {string} label @param {[value: string, text: string][]} choices @param {(value: string) => void} onChoose */
export function select(label, choices, onChoose) {
  const node = make("select", "dl-select", { "aria-label": label, title: label }, choices.map(([value, text]) => make("option", "", { value }, [text])));
  node.addEventListener("change", () => onChoose(node.value));
  return {
    element: node,
    /** @param {string} now */
    show(now) {
      node.value = now;
    },
  };
}

/** @param {string} label @param {string} title @param {(on: boolean) => void} onChange */
export function toggle(label, title, onChange) {
  const node = make("button", "dl-button", { type: "button", title, "aria-pressed": "false" }, [label]);
  node.addEventListener("click", () => onChange(node.getAttribute("aria-pressed") !== "true"));
  return {
    element: node,
    /** @param {boolean} on */
    show(on) {
      node.setAttribute("aria-pressed", String(on));
    },
  };
}
