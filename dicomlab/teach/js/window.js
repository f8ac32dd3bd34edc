// The window explorer: histogram and curve, the slice under it, what each function makes of it, and what is lost.

import { base64, inflate, valuesFrom } from "../../view/js/codec.js";
import { make } from "../../view/js/elements.js";
import { windowText } from "../../view/js/text.js";
import { choice, toggle } from "./shared/controls.js";
import { dial } from "./shared/dial.js";
import { explorer } from "./shared/explorer.js";
import { allowed } from "./window/formulas.js";
import { populationFrom, populationOf } from "./window/loss.js";
import { Picture, apart, colours } from "./window/picture.js";
import { FUNCTIONS, Plot, spread } from "./window/plot.js";
import { formulaRows, lossRows, percent, pipeline } from "./window/told.js";

/** @typedef {import("../../view/js/types.js").Window} Window */

const FIRST = { center: 0, width: 1, function: "LINEAR", lut: "", invert: false, view: "picture", marked: false, near: false, counted: "slice", pixel: null };
const OWN = "by hand";
const LUT = /^-?\d+ -?\d+ [A-Za-z0-9+/]+=*$/; // first and last value, and shades in base64

/** What is chosen, whatever Python or a page has left of it. @param {Record<string, any>} given @returns {Record<string, any> & {window: Window}} */
function sound(given) {
  const state = /** @type {Record<string, any>} */ ({ ...FIRST, ...given });
  const fn = FUNCTIONS.find((one) => one === state.function) ?? "LINEAR";
  const center = Number.isFinite(state.center) ? state.center : 0;
  const window = /** @type {Window} */ ({ ...allowed({ center, width: state.width, function: fn }), ...(typeof state.lut === "string" && LUT.test(state.lut) ? { lut: state.lut } : {}) });
  const view = ["functions", "difference"].includes(state.view) ? state.view : "picture";
  return { ...state, view, window };
}

export default explorer("window", "Window explorer: a slice, the histogram of its values, and the curve that turns them into grey", ({ root, facts, state, choose }) => {
  /** @type {{values: Float32Array, slice: import("./window/loss.js").Population, volume: import("./window/loss.js").Population | null} | null} */
  let data = null;
  let gone = false;
  const put = (/** @type {Record<string, any>} */ window) => choose({ lut: "", ...window });
  const presets = make("select", "dl-select", { "aria-label": "Window", title: "Windows of the file, and customary ones" });
  for (const group of ["from the file", "automatic", "presets"]) {
    const some = facts.presets.filter((/** @type {any} */ one) => one.group === group);
    if (some.length) presets.append(make("optgroup", "", { label: group }, some.map((/** @type {any} */ one) => make("option", "", { value: one.name }, [`${one.name}  ${windowText(one)}`]))));
  }
  presets.append(make("option", "", { value: OWN, hidden: "" }, [OWN]));
  presets.addEventListener("change", () => {
    const found = facts.presets.find((/** @type {any} */ one) => one.name === presets.value);
    if (found) choose({ center: found.center, width: found.width, function: found.function, lut: found.lut ?? "" });
  });
  const functions = choice("VOI LUT Function", FUNCTIONS.map((one) => [one, one, `VOI LUT Function (0028,1056) ${one}`]), (fn) => {
    const { window } = sound(state());
    put(allowed({ ...window, function: /** @type {any} */ (fn) }));
  });
  const invert = toggle("as MONOCHROME1", "Show low values white, as Photometric Interpretation (0028,0004) MONOCHROME1 asks; the values stay", (on) => choose({ invert: on }));
  const marked = toggle("mark black and white", "Colour the pixels that the window has made fully black (blue) or fully white (red)", (on) => choose({ marked: on }));
  const views = choice("View", [["picture", "picture", "One picture"], ["functions", "three functions", "The same window by all three functions, side by side"], ["difference", "difference", "How far the greys of the other functions are from those of LINEAR"]], (view) => choose({ view }));
  const near = toggle("zoom in", "Let the axis show the window alone", (on) => choose({ near: on }));
  const counted = choice("Counted", [["slice", "slice", "Count the pixels of this slice"], ["volume", "volume", "Count the voxels of the whole volume"]], (one) => choose({ counted: one }));

  const unit = facts.units;
  const center = dial({ label: "Centre", min: -1, max: 1, step: 1, unit, title: "Window Center (0028,1050)" }, (value) => put({ center: value }));
  // Even steps of the slider are even factors of the width.
  let widest = 4096;
  const curve = { to: (/** @type {number} */ w) => (1000 * Math.log(Math.max(w, widest / 4096) / (widest / 4096))) / Math.log(4096), from: (/** @type {number} */ at) => { const w = (widest / 4096) * 4096 ** (at / 1000); return facts.integer && w >= 2 ? Math.round(w) : Number(w.toPrecision(3)); } };
  const width = dial({ label: "Width", min: 0, max: 1, step: 1, unit, title: "Window Width (0028,1051)", curve }, (value) => put({ width: allowed({ .../** @type {Window} */ (sound(state()).window), width: value }).width }));
  const plot = new Plot({ units: unit, integer: facts.integer }, put);

  const frame = { rows: facts.rows, columns: facts.columns, aspect: facts.aspect, letters: facts.letters };
  const hands = {
    read: (/** @type {[number, number]} */ pixel) => choose({ pixel }),
    drag: (/** @type {number} */ right, /** @type {number} */ down) => {
      const { window } = sound(state());
      const factor = 2 ** (right / 120);
      const wide = window.width * factor;
      const by = (down * Math.max(window.width, 1e-6)) / 200;
      put({ ...allowed({ center: tidy(window.center + by), width: tidy(wide), function: window.function }) });
    },
  };
  const tidy = (/** @type {number} */ x) => (facts.integer && Math.abs(x) > 8 ? Math.round(x * 2) / 2 : Number(x.toPrecision(5)));
  const pictures = [0, 1, 2].map(() => new Picture(frame, hands));
  const figures = make("div", "dl-pictures", {}, pictures.map(({ element }) => element));
  const way = make("div", "dl-way", { role: "group", "aria-label": "The way of the value under the pointer" });
  const formulas = make("section", "dl-formulas", { "aria-label": "Formula" });
  const losses = make("section", "dl-losses", { "aria-label": "What is lost" });
  const title = make("div", "dl-head", {}, [facts.title || "values", make("span", "dl-soft", {}, [facts.where ? `  ${facts.where}` : ""])]);
  const note = make("p", "dl-soft dl-note", {}, [
    facts.every > 1 ? `Every ${facts.every === 2 ? "second" : facts.every === 3 ? "third" : `${facts.every}th`} pixel is shown. ` : "",
    facts.photometric === "MONOCHROME1" ? "The file says MONOCHROME1: low values are white there. " : "",
    facts.scale.exact ? "" : "Values are rounded to 16 bits between the lowest and the highest. ",
  ]);
  root.append(
    make("div", "dl-tools", {}, [presets, functions.element, invert.element, views.element, marked.element]),
    make("div", "dl-body", {}, [
      make("section", "dl-seen", { "aria-label": "Picture" }, [title, figures, note]),
      make("section", "dl-over", { "aria-label": "Histogram and curve" }, [
        make("div", "dl-plot-tools", {}, [make("span", "dl-head", {}, ["Histogram and curve", make("span", "dl-soft", {}, ["  dashed: the other functions"])]), near.element, ...(facts.counts ? [counted.element] : [])]),
        plot.box,
        center.element,
        width.element,
        way,
      ]),
      formulas,
      losses,
    ]),
  );
  root.dataset.ready = "false";
  void unpack(facts).then((found) => {
    if (gone) return;
    data = found;
    const [low, high] = spread(found.slice);
    widest = Math.max(4 * (high - low), 8);
    if (!facts.integer) widest = 4 * (high - low);
    center.reach(low, high);
    update(state());
    root.dataset.ready = "true";
  });

  /** @param {Record<string, any>} given */
  function update(given) {
    if (!data) return;
    const now = sound(given);
    const { window } = now;
    const population = now.counted === "volume" && data.volume ? data.volume : data.slice;
    const inside = (/** @type {any} */ at, /** @type {number} */ size) => Number.isInteger(at) && at >= 0 && at < size;
    const pixel = Array.isArray(now.pixel) && inside(now.pixel[0], frame.rows) && inside(now.pixel[1], frame.columns) ? /** @type {[number, number]} */ (now.pixel) : null;
    const [row, column] = pixel ?? [frame.rows >> 1, frame.columns >> 1];
    const x = data.values[row * frame.columns + column];
    const preset = facts.presets.find((/** @type {any} */ one) => one.center === window.center && one.width === window.width && one.function === window.function && (one.lut ?? "") === (window.lut ?? ""));
    presets.value = preset ? preset.name : OWN;
    functions.show(window.lut ? "" : window.function);
    invert.show(now.invert);
    marked.show(now.marked);
    views.show(now.view);
    near.show(now.near);
    counted.show(population === data.volume ? "volume" : "slice");
    center.show(window.center);
    width.show(window.width);
    root.dataset.view = now.view;
    draw(now, window);
    for (const picture of pictures) picture.point(pixel);
    plot.show(population, window, now.invert, now.near, x);
    way.replaceChildren(make("span", "dl-soft", {}, [pixel ? `row ${row}, column ${column}` : "middle pixel"]), ...pipeline(/** @type {any} */ (facts), x, window, now.invert));
    formulas.replaceChildren(...formulaRows(window, x));
    losses.replaceChildren(make("div", "dl-head", {}, ["What is lost"]), ...lossRows(population, window, now.invert, /** @type {any} */ (facts), population === data.volume ? "voxels" : "pixels"));
  }

  /** @param {any} now @param {Window} window */
  function draw(now, window) {
    if (!data) return;
    const { values } = data;
    const palette = colours(now.invert, now.marked);
    const many = now.view !== "picture";
    pictures.forEach(({ element }, n) => (element.hidden = n >= (now.view === "functions" ? 3 : now.view === "difference" ? 2 : 1)));
    if (!many) return pictures[0].show(values, window, palette, window.lut ? "VOI LUT" : window.function);
    const by = (/** @type {any} */ fn) => allowed({ center: window.center, width: window.width, function: fn });
    if (now.view === "functions") return FUNCTIONS.forEach((fn, n) => pictures[n].show(values, by(fn), palette, fn));
    for (const [n, fn] of FUNCTIONS.slice(1).entries()) {
      const { steps, most, differing } = apart(values, by(fn), by("LINEAR"));
      const said = most ? `at most ${most} of 255 apart, ${percent(differing)} of the pixels differ` : "no pixel differs";
      pictures[n].showDifference(steps, most, `${fn} − LINEAR (orange brighter, blue darker): ${said}`);
    }
  }

  return {
    update,
    destroy() {
      gone = true;
      plot.destroy();
    },
  };
});

/** @param {Record<string, any>} facts */
async function unpack(facts) {
  const bytes = await inflate(base64(facts.codes), 2);
  const values = Float32Array.from(valuesFrom(new Uint16Array(bytes.buffer), facts.scale));
  const counts = facts.counts ? new Uint32Array((await inflate(base64(facts.counts), 4)).buffer) : null;
  return { values, slice: populationOf(values), volume: counts && populationFrom(facts.lowest, counts) };
}
