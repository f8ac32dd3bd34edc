// Colour bars beside the picture: what a colour stands for, in the unit of its volume.

import { make } from "./elements.js";
import { edgesOf, lookIn } from "./layers.js";
import { shader } from "./lut.js";
import { short } from "./text.js";

const APART = 58; // px from one bar to the next

const SIGMOID = 1.5; // widths to either side of its centre at which it is all but black and white

/** The values at the ends of a bar. @param {import("./types.js").Window} window @returns {[number, number]} */
export function endsOf(window) {
  const { center, width } = window;
  return window.function === "SIGMOID" ? [center - SIGMOID * width, center + SIGMOID * width] : edgesOf(window);
}

/** Which of the 256 colours each pixel of a bar has, from above. @param {import("./types.js").Window} window @param {boolean} invert */
export function shadesOf(window, invert) {
  const [from, to] = endsOf(window);
  const shade = shader(window, invert);
  return Array.from({ length: 256 }, (_, y) => (to > from ? shade(to - ((y + 0.5) / 256) * (to - from)) : invert ? y : 255 - y));
}

/** @param {number} value @param {number} span */
const rounded = (value, span) => short(Number(value.toFixed(Math.min(Math.max(2 - Math.floor(Math.log10(span || 1)), 0), 12))));

export class ColourBars {
  constructor() {
    this.root = make("div", "dl-bars", { "aria-hidden": "true" });
    /** @private */ this.drawn = "";
  }

  /** A bar for each volume that is shown in colour. @param {import("./viewer.js").Viewer} viewer */
  show(viewer) {
    const { state, meta, stage } = viewer;
    const { ratio, width } = stage.size;
    /** @type {{right: number, top: number, high: number, cmap: string, invert: boolean, window: import("./types.js").Window, units: string}[]} */
    const told = [];
    for (const pane of stage.panes) {
      // Of several planes the first has the bars.
      if (stage.panes.find(({ source }) => source === pane.source) !== pane || pane.plane.height / ratio < 200) continue;
      const numbers = state.mode === "difference" ? [0] : pane.source === null ? viewer.shownIn(pane) : [pane.source];
      const looks = state.mode === "difference" ? [lookIn(pane, state, meta)] : numbers.map((n) => ({ look: state.looks[n], subject: meta.sources[n] }));
      looks
        .filter(({ look }) => look.cmap !== "gray" && !look.window.lut)
        .forEach(({ look, subject }, k) => {
          const right = width - (pane.left + pane.plane.width) / ratio + 30 + k * APART;
          told.push({ right, top: pane.top / ratio, high: pane.plane.height / ratio, cmap: look.cmap, invert: look.invert, window: look.window, units: subject.units });
        });
    }
    const name = JSON.stringify(told);
    if (name === this.drawn) return;
    this.drawn = name;
    this.root.replaceChildren(
      ...told.map(({ right, top, high, cmap, invert, window, units }) => {
        const [from, to] = endsOf(window);
        const canvas = make("canvas", "dl-colours");
        canvas.width = 1;
        canvas.height = 256;
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        const image = context.createImageData(1, 256);
        const words = new Uint32Array(image.data.buffer);
        const palette = viewer.paletteOf(cmap);
        shadesOf(window, invert).forEach((shade, y) => (words[y] = palette[shade]));
        context.putImageData(image, 0, 0);
        const bar = make("div", "dl-colour-bar", {}, [
          make("div", "dl-ticks", {}, [to, (from + to) / 2, from].map((value) => make("span", "", {}, [rounded(value, to - from)]))),
          canvas,
          make("div", "dl-colour-unit", {}, [units]),
        ]);
        Object.assign(bar.style, { right: `${right}px`, top: `${top + 0.3 * high}px`, height: `${0.4 * high}px` });
        return bar;
      }),
    );
  }
}
