// The same viewer in a page of its own: slices are inside the page, deflated, and no kernel is needed. A stand-in for the
// widget's model answers the demands, so that page and notebook run the same code.

import { base64, inflate } from "./codec.js";
import { make } from "./elements.js";
import { createWidget } from "./widget.js";

/** @typedef {{kind: string, slope: number, intercept: number, exact: boolean, bytes?: number, data: string}} Slice */

const NOTHING = 255; // what has no value, among codes of one byte

/** @param {string} text base64 of zlib @param {number} [size] bytes of a code; of one byte there are no high ones */
export async function unpack(text, size = 2) {
  const bytes = await inflate(base64(text), size);
  return size === 1 ? Uint16Array.from(bytes, (code) => (code === NOTHING ? 0xffff : code)).buffer : bytes.buffer;
}

/** @implements {Pick<import("./types.js").Model, "get">} */
export class PageModel {
  /** @param {Record<string, any>} state @param {(source: number, step: number, slice: number) => Slice} slice */
  constructor(state, slice) {
    /** @private */ this.state = state;
    /** @private */ this.slice = slice;
    /** @private @type {Map<string, Set<(...args: any[]) => void>>} */ this.handlers = new Map();
  }
  /** @param {string} name */
  get(name) {
    return this.state[name];
  }
  /** @param {string} name @param {any} value */
  set(name, value) {
    this.state[name] = value;
  }
  save_changes() {}
  /** @param {string} name @param {(...args: any[]) => void} handler */
  on(name, handler) {
    const all = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, all.add(handler));
  }
  /** @param {string} name @param {(...args: any[]) => void} [handler] */
  off(name, handler) {
    if (handler) this.handlers.get(name)?.delete(handler);
    else this.handlers.delete(name);
  }
  /** @param {{type: string, generation: number, key: string, id: number, source: number, step: number, slices: number[]}} demand */
  async send({ type, generation, key, id, source, step, slices }) {
    if (type !== "pull") return;
    const buffers = /** @type {ArrayBuffer[]} */ ([]);
    const items = [];
    for (const slice of slices) {
      try {
        const { data, bytes, ...item } = this.slice(source, step, slice);
        buffers.push(await unpack(data, bytes));
        items.push({ ...item, slice, buffer: buffers.length - 1 });
      } catch (error) {
        items.push({ slice, error: `This slice of the page cannot be read: ${error}` });
      }
    }
    const message = { type: "slices", generation, key, id, items };
    this.handlers.get("msg:custom")?.forEach((handler) => handler(message, buffers));
  }
}

/**
 * @param {HTMLElement} el
 * @param {Record<string, any>} state the widget's traits, without pixels
 * @param {(source: number, step: number, slice: number) => Slice} slice
 */
export function standalone(el, state, slice) {
  if (typeof DecompressionStream === "undefined") {
    el.append(make("p", "", {}, ["This page needs a browser of 2023 or later (DecompressionStream)."]));
    return;
  }
  const model = new PageModel(state, slice);
  const widget = createWidget();
  widget.initialize({ model });
  widget.render({ model, el });
}
