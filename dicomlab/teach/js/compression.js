// The explorer of bits and codecs: sliders from gentle to harsh, the picture, its difference, and what it costs.

import { make } from "../../view/js/elements.js";
import { chartOf } from "./compression/chart.js";
import { errorsOf, inflated, nice, quantised } from "./compression/numbers.js";
import { picturesOf } from "./compression/pictures.js";
import { tagText } from "./shared/bytes.js";
import { choice, select, slider } from "./shared/controls.js";
import { explorer } from "./shared/explorer.js";

const RANGES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** @param {import("./shared/explorer.js").Stage} stage */
function draw({ root, facts, state, choose }) {
  /** @type {import("./compression/numbers.js").Method[]} */
  const methods = facts.methods;
  const { rows, columns, slope, base, units, bits } = facts;
  const pixels = rows * columns;
  /** @type {Uint16Array | undefined} */
  let original;
  /** @type {Map<string, ArrayLike<number>>} */
  const differences = new Map();
  let gone = false;

  const method = () => Math.max(0, methods.findIndex((one) => one.name === state().method));
  const step = () => Math.max(0, Math.min(methods[method()].variants.length - 1, Math.trunc(Number(state().step)) || 0));
  const range = () => (RANGES.includes(state().range) ? state().range : 50);
  const windows = /** @type {[string, number, number][]} */ (facts.windows);
  const shown = () => windows.find(([name]) => name === state().window) ?? windows[0];
  const zoom = () => (state().zoom === 4 ? 4 : 1);
  /** @returns {[number, number]} */
  const at = () => (Array.isArray(state().at) && state().at.every(Number.isFinite) ? state().at : [rows / 2, columns / 2]);

  const methodChoice = choice("Method", methods.map((one) => [one.name, one.name, one.syntax || one.name]), (name) => {
    const next = methods.find((one) => one.name === name);
    choose({ method: name, step: Math.min(step(), (next?.variants.length ?? 1) - 1) });
  });
  const sliders = methods.map((one) => {
    // Numbers rise to the right, though from gentle to harsh some fall.
    const last = one.variants.length - 1;
    const falls = Number(one.variants[0].strength) > Number(one.variants[last].strength);
    const turned = (/** @type {number} */ place) => (falls ? last - place : place);
    const title = one.kind === "lossless" ? "Which codec" : falls ? "To the left: harsher" : "To the right: harsher";
    const made = slider({ label: one.strength, min: 0, max: last, step: 1, text: (place) => `${one.variants[turned(place)]?.strength ?? ""}${one.unit}`, title }, (place) => choose({ step: turned(place) }));
    return { element: made.element, show: (/** @type {number} */ variant) => made.show(turned(variant)) };
  });
  const rangeSlider = slider({ label: "difference", min: 0, max: RANGES.length - 1, step: 1, text: (value) => `± ${RANGES[value]}${units && ` ${units}`}`, title: "The difference that has the full colour" }, (value) => choose({ range: RANGES[value] }));
  const windowSelect = select("Window", windows.map(([name]) => [name, name]), (name) => choose({ window: name }));
  const zoomChoice = choice("Zoom", [["1", "1×", "The whole picture"], ["4", "4×", "A quarter of each side; click where"]], (value) => choose({ zoom: Number(value) }));
  const pictures = picturesOf(rows, columns, facts.aspect, {
    aim: (row, column) => choose({ at: [row, column], zoom: zoom() === 4 ? 1 : 4 }),
    point: (place) => {
      const difference = differenceNow();
      if (!place || !original || !difference) {
        probe.textContent = "Point at a picture to read its values; click to look closer.";
        return;
      }
      const k = place.row * columns + place.column;
      const before = base + slope * original[k];
      const off = slope * difference[k];
      probe.textContent = `row ${place.row}, column ${place.column}: ${nice(before, units)} became ${nice(before + off, units)}${off ? `, ${off > 0 ? "+" : "−"}${nice(Math.abs(off))}` : ", unchanged"}`;
    },
  });
  const probe = make("div", "dl-said", {}, ["Point at a picture to read its values; click to look closer."]);
  const table = make("table", "dl-table dl-figures");
  const words = make("div", "dl-words", { "aria-live": "polite" });
  const chart = chartOf(methods, pixels, units, (number, index) => choose({ method: methods[number].name, step: index }));
  root.append(
    make("div", "dl-tools", {}, [methodChoice.element, windowSelect.element, zoomChoice.element]),
    make("div", "dl-columns dl-sliders", {}, [make("div", "", {}, sliders.map((one) => one.element)), rangeSlider.element]),
    pictures.element,
    probe,
    make("div", "dl-columns", {}, [make("div", "", {}, [table, words]), chart.element]),
  );

  /** What the chosen variant changes; undefined while it is not inflated yet. */
  const differenceNow = () => {
    const one = methods[method()];
    const key = `${method()}-${step()}`;
    const known = differences.get(key);
    if (known || !original) return known;
    const variant = one.variants[step()];
    if (one.kind === "bits") {
      const now = quantised(original, bits, Number(variant.strength));
      differences.set(key, now.map((value, k) => value - (original?.[k] ?? 0)));
    } else if (one.kind === "lossless") differences.set(key, new Int16Array(pixels));
    else {
      void inflated(variant.difference ?? "").then((buffer) => {
        differences.set(key, bits < 16 ? new Int16Array(buffer) : new Int32Array(buffer));
        if (!gone) update();
      });
    }
    return differences.get(key);
  };

  const tell = () => {
    const one = methods[method()];
    const variant = one.variants[step()];
    const cells = [
      ["native", `${facts.bytes.toLocaleString("en-GB")} bytes`],
      [one.kind === "bits" ? "packed without gaps" : "compressed", `${variant.size.toLocaleString("en-GB")} bytes`],
      ["ratio", `${variant.ratio.toFixed(2)} : 1`],
      ["bits a pixel", nice((8 * variant.size) / pixels)],
      ["largest error", nice(variant.max, units)],
      ["rms error", nice(variant.rms, units)],
      ["PSNR", variant.psnr === null ? "no error" : `${variant.psnr.toFixed(1)} dB`],
    ];
    table.replaceChildren(make("tbody", "", {}, cells.map(([name, value]) => make("tr", "", {}, [make("th", "", { scope: "row" }, [name]), make("td", "dl-value", {}, [value])]))));
    /** @type {(Node | string)[]} */
    const said = [];
    if (one.kind === "bits") {
      const kept = Number(variant.strength);
      said.push(kept >= bits ? `All ${bits} bits are kept.` : `${2 ** kept} steps of ${nice(2 ** (bits - kept) * Math.abs(slope), units)} are left of ${2 ** bits}; a value becomes the middle of its step.`);
      said.push(" Bits Stored (0028,0101) would say so; that it was more once, nothing does.");
    } else if (one.kind === "lossless") said.push("Decoded again, each value is what it was. Nothing has to be said but the transfer syntax.");
    else {
      if (one.narrowed) said.push(`8 bits hold ${bits} only in steps of ${nice(one.narrowed, units)}: that error comes before the codec's own. `);
      if (one.name === "JPEG-LS") said.push("NEAR is a promise: no pixel is off by more. ");
      said.push("A lossy image has to say so, and says it for ever, also when it is decompressed again:");
      const attributes = /** @type {[number, string, string][]} */ ([[0x00282110, "LossyImageCompression", "01"], [0x00282112, "LossyImageCompressionRatio", variant.ratio.toFixed(2)], [0x00282114, "LossyImageCompressionMethod", one.method]]);
      said.push(make("div", "dl-attributes", {}, attributes.map(([tag, name, value]) => make("div", "", {}, [make("code", "dl-t-tag", {}, [tagText(tag)]), ` ${name} `, make("code", "dl-t-value", {}, [value])]))));
    }
    words.replaceChildren(...said);
  };

  let told = "";
  function update() {
    const number = method();
    const one = methods[number];
    const variant = one.variants[step()];
    methodChoice.show(one.name);
    sliders.forEach((each, k) => {
      each.element.hidden = k !== number;
      if (k === number) each.show(step());
    });
    rangeSlider.show(RANGES.indexOf(range()));
    windowSelect.show(shown()[0]);
    zoomChoice.show(String(zoom()));
    const key = `${number}-${step()}`;
    if (key !== told) {
      tell();
      chart.show(number, step());
      told = key;
    }
    const difference = differenceNow();
    root.dataset.shown = difference && original ? key : "";
    root.dataset.ready = String(root.dataset.shown !== "");
    if (!difference || !original) return;
    const [, centre, width] = shown();
    const errors = errorsOf(difference, slope);
    root.dataset.rms = String(errors.rms);
    pictures.show(original, difference, {
      slope, base, centre, width, most: range(), zoom: zoom(), at: at(),
      notes: [`${bits} bits`, `${one.name}${one.kind === "lossless" ? `, ${variant.strength}` : `, ${one.strength} ${variant.strength}${one.unit}`}`, `decoded − original, at most ${nice(errors.max, units)}`],
    });
  }
  void inflated(facts.original).then((buffer) => {
    original = new Uint16Array(buffer);
    if (!gone) update();
  });
  return {
    update,
    destroy() {
      gone = true;
    },
  };
}

export default explorer("compression", "Fewer bits and lossy codecs", draw);
