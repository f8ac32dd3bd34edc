// Small drawings for buttons, 16 by 16; fonts lack half of such signs.

const SVG = "http://www.w3.org/2000/svg";

/** Paths, drawn as lines; those after "fill" are filled. @type {Record<string, string[]>} */
const PATHS = {
  single: ["M2.5 2.5h11v11h-11z"],
  planes: ["M2.5 2.5h11v11h-11zM9.5 2.5v11M9.5 8h4"],
  montage: ["M2.5 2.5h11v11h-11zM6.2 2.5v11M9.8 2.5v11M2.5 6.2h11M2.5 9.8h11"],
  window: ["M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6z", "fill", "M8 2.2a5.8 5.8 0 0 1 0 11.6z"],
  invert: ["M2.5 2.5h11v11h-11z", "fill", "M13.5 2.5v11h-11z"],
  pan: ["M8 1.8v12.4M1.8 8h12.4M6 3.8l2-2l2 2M6 12.2l2 2l2-2M3.8 6l-2 2l2 2M12.2 6l2 2l-2 2"],
  zoom: ["M6.8 2.3a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9zM10.2 10.2l3.8 3.8M4.8 6.8h4M6.8 4.8v4"],
  scroll: ["M8 1.8v12.4M5.5 4.3l2.5-2.5l2.5 2.5M5.5 11.7l2.5 2.5l2.5-2.5M2 8h3.5M10.5 8h3.5"],
  crosshair: ["M8 1.5v4.5M8 10v4.5M1.5 8h4.5M10 8h4.5", "fill", "M8 7.1a.9 .9 0 1 0 0 1.8a.9 .9 0 1 0 0-1.8z"],
  ruler: ["M1.8 11.2L11.2 1.8L14.2 4.8L4.8 14.2zM4 9l1.4 1.4M6.2 6.8l2 2M8.4 4.6l1.4 1.4"],
  angle: ["M13.5 13H2.5L10 3M8.4 13a6 6 0 0 0-2.1-4.6"],
  rectangle: ["M2 4h12v8.5H2z"],
  ellipse: ["M8 3.5a6 4.6 0 1 0 0 9.2a6 4.6 0 1 0 0-9.2z"],
  polygon: ["M3 5.5L9.5 2.2L13.8 7.5L10.8 13.5L3.8 12z"],
  freehand: ["M4 12.5C.8 9.5 3 3.5 7 4.2S10.5 2 12.8 4.5S13.8 9 11 10S8 15.5 4 12.5z"],
  profile: ["M1.8 13.8h12.4M2 10.5c2 0 2.2-7.5 4.2-7.5s2 6 3.6 6s1.6-3 4.2-3"],
  probe: ["M8 14.2C5 10.6 3.8 8.6 3.8 6.2a4.2 4.2 0 0 1 8.4 0C12.2 8.6 11 10.6 8 14.2z", "fill", "M8 4.9a1.4 1.4 0 1 0 0 2.8a1.4 1.4 0 1 0 0-2.8z"],
  remove: ["M3 4.2h10M6.2 4.2V2.6h3.6v1.6M4.2 4.2l.7 9.2h6.2l.7-9.2M6.8 6.6v4.4M9.2 6.6v4.4"],
  layers: ["M8 2l6 3.2l-6 3.2l-6-3.2zM2 8l6 3.2l6-3.2M2 10.8l6 3.2l6-3.2"],
  eye: ["M1.5 8c1.8-3 3.9-4.5 6.5-4.5s4.7 1.5 6.5 4.5c-1.8 3-3.9 4.5-6.5 4.5s-4.7-1.5-6.5-4.5z", "fill", "M8 6a2 2 0 1 0 0 4a2 2 0 1 0 0-4z"],
  reset: ["M3.3 6.2a5.2 5.2 0 1 1-.4 3.3M3 2.6v3.8h3.8"],
  cine: ["M2.5 2.5h11v11h-11z", "fill", "M6.2 5.2v5.6l5-2.8z"],
  save: ["M8 2v7.5M5 6.8l3 3l3-3M2.5 10.5v3h11v-3"],
  brush: ["M13.8 2.2c-3 1-6.2 4-7.6 6.6l1 1C9.8 8.4 12.8 5.2 13.8 2.2zM5.6 9.2c-1.8.2-2 1.6-2.2 2.8c-.1 .8-.6 1.3-1.4 1.6c2.4 .6 5 .2 5-2.6"],
  eraser: ["M6 13.5L2.3 9.8L9 3.1L13.4 7.5L7.4 13.5zM5.3 6.8l4.4 4.4M6 13.5h8"],
  lasso: ["M8 2.6c3.4 0 6 1.7 6 4s-2.6 4-6 4s-6-1.7-6-4s2.6-4 6-4zM4.6 9.9c-1.2 .8-1.4 2.2-.3 2.8s2.3-.3 1.8-1.7M4.6 12.8c0 .7-.4 1.3-1.2 1.6"],
  fill: ["M6.6 1.8L12.8 8L7.6 13.2L2.2 7.8zM3.4 8.2h9.2M6.6 1.8v4", "fill", "M13.6 10c.8 1.2 1.2 2 1.2 2.6a1.2 1.2 0 0 1-2.4 0c0-.6 .4-1.4 1.2-2.6z"],
  grow: ["M8 1.8v3M8 11.2v3M1.8 8h3M11.2 8h3M3.6 3.6l1.8 1.8M10.6 10.6l1.8 1.8M12.4 3.6l-1.8 1.8M5.4 10.6l-1.8 1.8", "fill", "M8 6.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6z"],
  undo: ["M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.8 3.4L2.7 6.5l3.1 3.1"],
  redo: ["M13 6.5H6.500a3.5 3.5 0 0 0 0 7H10M10.2 3.4l3.1 3.1l-3.1 3.1"],
  lock: ["M3.5 7.500h9v6h-9zM5.200 7.500V5.2a2.8 2.8 0 0 1 5.6 0v2.3"],
  full: ["M2.5 6v-3.5h3.5M10 2.5h3.5v3.5M13.5 10v3.5h-3.5M6 13.5h-3.5v-3.5"],
};

/** @param {string} name */
export const hasIcon = (name) => Object.hasOwn(PATHS, name);

/** @param {string} name @returns {SVGElement} */
export function icon(name) {
  const svg = /** @type {SVGElement} */ (document.createElementNS(SVG, "svg"));
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: "16", height: "16", fill: "none", stroke: "currentColor", "stroke-width": "1.3", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  let filled = false;
  for (const d of PATHS[name]) {
    if (d === "fill") {
      filled = true;
      continue;
    }
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    if (filled) path.setAttribute("fill", "currentColor");
    svg.append(path);
  }
  return svg;
}
