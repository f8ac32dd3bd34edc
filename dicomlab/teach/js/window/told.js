// What the window explorer says beside the picture: the way of one value, the formula, what is lost.

import { make } from "../../../view/js/elements.js";
import { shader } from "../../../view/js/lut.js";
import { short } from "../../../view/js/text.js";
import { SECTIONS, formula, level, signed, stepOf } from "./formulas.js";
import { alike, lossOf, lossWords } from "./loss.js";

/** @typedef {import("../../../view/js/types.js").Window} Window */

const HARDLY = 5; // of 255 steps between two greys side by side are hard to see

/** @param {number} share */
export const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 2 : 1)} %`;

/** @param {string} term @param {string} value @param {string} [className] */
const stage = (term, value, className = "") => make("div", `dl-stage ${className}`, {}, [make("span", "dl-term", {}, [term]), make("span", "dl-amount", {}, [value])]);

/**
 * Stored value, real value, window, grey.
 * @param {{units: string, rescale: [number, number] | null, made: string}} facts @param {number} x @param {Window} window @param {boolean} invert
 */
export function pipeline({ units, rescale, made }, x, window, invert) {
  const real = Number.isNaN(x) ? "no value" : `${signed(x)}${units ? ` ${units}` : ""}`;
  const first = [];
  if (rescale) {
    const [slope, intercept] = rescale;
    const stored = (x - intercept) / slope;
    // Stored values are whole; slopes are told to a few digits, and floats come rounded to 16 bits.
    const near = Math.abs(stored - Math.round(stored)) > 1e-6 * Math.max(1, Math.abs(stored));
    first.push(stage("stored", Number.isFinite(stored) ? `${near ? "≈ " : ""}${signed(Math.round(stored))}` : "?"));
    first.push(stage("rescale", `× ${short(slope)} ${intercept < 0 ? "−" : "+"} ${short(Math.abs(intercept))}`, "dl-step"));
  } else if (made) first.push(stage("made of", made, "dl-step dl-long"));
  const y = window.lut ? NaN : level(x, window);
  const grey = shader(window, false)(x);
  const parts = [...first, stage(units || "value", real, "dl-real"), stage("window", window.lut ? "VOI LUT" : `${window.function} c ${signed(Number(short(window.center)))} w ${short(window.width)}`, "dl-step")];
  parts.push(stage("grey", window.lut || Number.isNaN(y) ? String(grey) : `${y.toFixed(2)} → ${grey}`));
  if (invert) parts.push(stage("as MONOCHROME1", `255 − ${grey} = ${255 - grey}`, "dl-step"));
  const shown = invert ? 255 - grey : grey;
  const swatch = make("span", "dl-swatch", { title: `grey ${shown}` });
  swatch.style.background = `rgb(${shown} ${shown} ${shown})`;
  return [...parts, swatch];
}

/** The formula with its numbers; of the value that is read, which line holds. @param {Window} window @param {number} x */
export function formulaRows(window, x) {
  if (window.lut) return [make("p", "dl-soft", {}, ["A VOI LUT is a table: each whole number has its own entry (PS3.3 C.11.2.1.1). Move a handle, and a LINEAR window over the same values goes on."])];
  const lines = formula(window, x).map(({ general, filled, holds }) => make("div", `dl-line${holds ? " dl-holds" : ""}`, {}, [make("span", "dl-general", {}, [general]), make("span", "dl-filled", {}, [filled])]));
  return [make("div", "dl-head", {}, [`${window.function}  `, make("span", "dl-soft", {}, [`PS3.3 ${SECTIONS[window.function]}; screens round y`])]), ...lines];
}

/**
 * What is lost, in sentences.
 * @param {import("./loss.js").Population} population @param {Window} window @param {boolean} invert
 * @param {{units: string, tissues: [string, number][]}} facts @param {string} what the pixels or the voxels
 */
export function lossRows(population, window, invert, { units, tissues }, what) {
  const loss = lossOf(population, window);
  const [low, high] = invert ? ["white", "black"] : ["black", "white"];
  const between = 1 - loss.black - loss.white;
  const bar = make("div", "dl-shares", { role: "img", "aria-label": `${percent(loss.black)} ${low}, ${percent(between)} between, ${percent(loss.white)} ${high}` });
  for (const [name, share] of /** @type {const} */ ([["below", loss.black], ["between", between], ["above", loss.white]])) {
    const part = make("span", `dl-share dl-share-${name}`);
    part.style.flexGrow = String(Math.max(share, 0));
    bar.append(part);
  }
  const unit = units ? ` ${units}` : "";
  const rows = [
    bar,
    make("p", "", { "data-told": "clipped" }, [make("b", "dl-below", {}, [percent(loss.black)]), ` of the ${what} are ${low}, `, make("b", "dl-above", {}, [percent(loss.white)]), ` ${high}: what tells them apart is gone.`]),
  ];
  if (!window.lut) {
    const middle = window.function === "SIGMOID" ? ", in the middle of the curve" : "";
    rows.push(make("p", "", { "data-told": "steps" }, [`One of 255 grey steps is ${short(Number(stepOf(window).toPrecision(3)))}${unit} wide${middle}. ${lossWords(loss, invert)}.`]));
  }
  if (tissues.length) {
    const shade = shader(window, invert);
    rows.push(make("p", "dl-soft dl-usual", {}, ["Tissues at their usual HU"]));
    rows.push(
      make(
        "div",
        "dl-tissues",
        {},
        tissues.map(([name, value]) => {
          const chip = make("span", "dl-tissue", { title: `${name}, about ${signed(value)}${unit}: grey ${shade(value)}` }, [name]);
          const grey = shade(value);
          chip.style.background = `rgb(${grey} ${grey} ${grey})`;
          chip.style.color = grey > 127 ? "#000" : "#fff";
          return chip;
        }),
      ),
    );
    const same = alike(tissues, window);
    const near = alike(tissues, window, HARDLY - 1).filter((group) => !same.some((one) => one.length === group.length && one.every((name) => group.includes(name))));
    const said = [same.length ? `One grey: ${same.map((group) => group.join(" = ")).join("; ")}.` : "Each tissue has a grey of its own.", near.length ? ` Fewer than ${HARDLY} steps apart: ${near.map((group) => group.join(", ")).join("; ")}.` : ""];
    rows.push(make("p", "", { "data-told": "tissues" }, [said.join("")]));
  }
  return rows;
}
