// The picture on the stage: voxels to grey, and pixels to square millimetres.

import { Painter } from "./lut.js";
import { extent } from "./planes.js";

/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").Window} Window */
/** @typedef {import("./planes.js").Layout} Layout */

const MOST_PIXELS = 4096; // of a picture of uneven slices

/**
 * @typedef {object} View The mapping between screen mm and css px of the stage.
 * @property {number} scale css px a mm
 * @property {[number, number]} centre mm in the middle of the stage when nothing was moved
 * @property {(x: number, y: number) => [number, number]} toPx
 * @property {(x: number, y: number) => [number, number]} toMm
 */

export class Stage {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** One pixel a voxel. */
    this.native = document.createElement("canvas");
    this.size = { width: 1, height: 1, ratio: 1 };
    /** @private */ this.painter = new Painter();
    /** @private */ this.painted = "";
    /** @private @type {ImageData | null} */ this.image = null;
  }

  /** Takes the size of the element that the canvas fills. @param {HTMLElement} element */
  measure(element) {
    const width = Math.max(element.clientWidth, 1);
    const height = Math.max(element.clientHeight, 1);
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    this.size = { width, height, ratio };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** @param {Layout} layout @param {number} zoom @param {[number, number]} pan @returns {View} */
  view(layout, zoom, [panX, panY]) {
    const box = extent(layout);
    const { width, height, ratio } = this.size;
    const scale = Math.min(width / box.width, height / box.height) * zoom;
    const centre = /** @type {[number, number]} */ ([box.left + box.width / 2, box.top + box.height / 2]);
    let [middleX, middleY] = [width / 2, height / 2];
    if (isCrisp(layout, scale * ratio)) {
      // Here and not where it is painted: the probe has to speak of the voxel that is seen.
      const [left, top] = [(box.left - centre[0] + panX) * scale + middleX, (box.top - centre[1] + panY) * scale + middleY];
      middleX += Math.round(left * ratio) / ratio - left;
      middleY += Math.round(top * ratio) / ratio - top;
    }
    return {
      scale,
      centre,
      toPx: (x, y) => [(x - centre[0] + panX) * scale + middleX, (y - centre[1] + panY) * scale + middleY],
      toMm: (x, y) => [(x - middleX) / scale + centre[0] - panX, (y - middleY) / scale + centre[1] - panY],
    };
  }

  /** The next picture is painted even if its name is that of the last. */
  forget() {
    this.painted = "";
  }

  /**
   * Voxels to grey, one pixel each.
   * @param {string} name of the picture; the same one is not painted twice
   * @param {Picture} picture
   * @param {Layout} layout
   * @param {Window} window
   * @param {boolean} invert
   */
  paint(name, picture, layout, window, invert) {
    const painted = JSON.stringify([name, window, invert]);
    if (painted === this.painted && !picture.missing) return;
    this.painted = painted;
    const { native } = this;
    const width = layout.transpose ? picture.rows : picture.cols;
    const height = layout.transpose ? picture.cols : picture.rows;
    if (native.width !== width || native.height !== height || !this.image) {
      native.width = width;
      native.height = height;
      this.image = new ImageData(width, height);
    }
    const words = new Uint32Array(this.image.data.buffer);
    this.painter.paint(picture, layout, window, invert, words);
    /** @type {CanvasRenderingContext2D} */ (native.getContext("2d")).putImageData(this.image, 0, 0);
  }

  /** Nothing but the background: what is outside the volume looks like the lowest value. @param {boolean} invert */
  clear(invert) {
    const { canvas } = this;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = invert ? "#fff" : "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  /**
   * Pixels to millimetres on the stage.
   * @param {Layout} layout
   * @param {View} view
   * @param {boolean} invert
   * @param {boolean} smooth whether there is something between two voxels
   */
  compose(layout, { scale, toPx }, invert, smooth) {
    const context = this.clear(invert);
    const { native } = this;
    const { ratio } = this.size;
    const [a, b, c, d] = layout.basis.map((part) => part * scale * ratio);
    const { hmm, vmm, hEdges, vEdges } = layout;
    const [h0, v0] = [hEdges[0], vEdges[0]];
    const corner = toPx(layout.basis[0] * h0 + layout.basis[2] * v0, layout.basis[1] * h0 + layout.basis[3] * v0);
    let [x, y] = [corner[0] * ratio, corner[1] * ratio];
    // Uneven positions: the picture first takes as many pixels as it has millimetres.
    let image = native;
    if (this.image && !(evenly(hEdges) && evenly(vEdges))) {
      let even = this.image;
      if (!evenly(vEdges)) even = stretched(even, vmm, vEdges, scale * ratio, false, smooth);
      if (!evenly(hEdges)) even = stretched(even, hmm, hEdges, scale * ratio, true, smooth);
      image = Object.assign(document.createElement("canvas"), { width: even.width, height: even.height });
      /** @type {CanvasRenderingContext2D} */ (image.getContext("2d")).putImageData(even, 0, 0);
    }
    const stepH = (hEdges[hmm.length] - h0) / image.width;
    const stepV = (vEdges[vmm.length] - v0) / image.height;
    // Where voxels are whole pixels they are put on whole pixels, and nothing is blurred.
    const crisp = isWhole(a * stepH) && isWhole(d * stepV) && Math.abs(b) + Math.abs(c) < 1e-9;
    if (crisp) [x, y] = [Math.round(x), Math.round(y)];
    context.imageSmoothingEnabled = smooth && !crisp;
    context.imageSmoothingQuality = Math.min(a * stepH, d * stepV) < 0.6 ? "high" : "medium";
    context.setTransform(a * stepH, b * stepH, c * stepV, d * stepV, x, y);
    context.drawImage(image, 0, 0);
  }

  destroy() {
    this.image = null;
    this.native.width = this.native.height = 0;
  }
}

/** @param {number} x */
const isWhole = (x) => x > 0.5 && Math.abs(x - Math.round(x)) < 1e-3;

/**
 * Whether even voxels are whole pixels: then they are put on whole pixels.
 * @param {Layout} layout
 * @param {number} density device px a mm
 */
function isCrisp({ basis: [a, b, c, d], hmm, vmm, hEdges, vEdges }, density) {
  if (Math.abs(b) + Math.abs(c) > 1e-9 || !evenly(hEdges) || !evenly(vEdges)) return false;
  const stepH = (hEdges[hmm.length] - hEdges[0]) / hmm.length;
  const stepV = (vEdges[vmm.length] - vEdges[0]) / vmm.length;
  return isWhole(a * stepH * density) && isWhole(d * stepV * density);
}

/** @param {Float64Array} edges */
function evenly(edges) {
  const step = (edges[edges.length - 1] - edges[0]) / (edges.length - 1);
  return edges.every((at, i) => Math.abs(at - (edges[0] + i * step)) <= 0.01 * step);
}

/**
 * For each of `size` pixels along an uneven axis: the voxel before its centre, and how far the next one shares in it.
 * @param {Float64Array} mm
 * @param {Float64Array} edges
 * @param {number} size
 */
export function shares(mm, edges, size) {
  const before = new Uint16Array(size);
  const share = new Float64Array(size);
  const step = (edges[mm.length] - edges[0]) / size;
  for (let k = 0, i = 0; k < size; k++) {
    const at = edges[0] + (k + 0.5) * step;
    while (i < mm.length - 1 && mm[i + 1] <= at) i++;
    before[k] = i;
    share[k] = i < mm.length - 1 && at > mm[i] ? (at - mm[i]) / (mm[i + 1] - mm[i]) : 0;
  }
  return { before, share };
}

/**
 * The picture with its rows at their true millimetres.
 * @param {ImageData} image
 * @param {Float64Array} mm
 * @param {Float64Array} edges
 * @param {number} density pixels a mm
 * @param {boolean} across columns instead of rows
 * @param {boolean} smooth in between as a straight line, or the nearer of the two
 */
function stretched(image, mm, edges, density, across, smooth) {
  const size = Math.min(Math.max(Math.ceil((edges[mm.length] - edges[0]) * density), mm.length), MOST_PIXELS);
  const { before, share } = shares(mm, edges, size);
  const out = across ? new ImageData(size, image.height) : new ImageData(image.width, size);
  const from = new Uint32Array(image.data.buffer);
  const to = new Uint32Array(out.data.buffer);
  const next = across ? 1 : image.width;
  for (let y = 0, at = 0; y < out.height; y++) {
    for (let x = 0; x < out.width; x++, at++) {
      const k = across ? x : y;
      const source = across ? y * image.width + before[k] : before[k] * image.width + x;
      const first = from[source];
      const second = share[k] ? from[source + next] : first;
      // A row that is not here yet is clear, and shares in nothing.
      if (!smooth || !first || !second) to[at] = share[k] < 0.5 ? first : second;
      else to[at] = 0xff000000 | (Math.round((first & 255) + share[k] * ((second & 255) - (first & 255))) * 0x010101);
    }
  }
  return out;
}
