// The picture as a PNG file: the canvas, and over it what is drawn as shapes and text, as they are seen.

/** @typedef {import("./viewer.js").Viewer} Viewer */

/** What the style sheet says of the shapes; a picture of an SVG knows no style sheet. */
const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "paint-order", "opacity", "font-family", "font-size", "font-weight", "font-variant-numeric", "white-space", "filter", "visibility", "display"];

/** @param {SVGSVGElement} svg @param {number} width css px @param {number} height @param {number} ratio */
async function imageOf(svg, width, height, ratio) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const [from, to] = [[...svg.querySelectorAll("*")], [...copy.querySelectorAll("*")]];
  from.forEach((node, n) => {
    const seen = getComputedStyle(node);
    to[n].setAttribute("style", STYLES.map((name) => `${name}:${seen.getPropertyValue(name)}`).join(";"));
  });
  for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width: width * ratio, height: height * ratio })) copy.setAttribute(name, String(value));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

/** What is seen, as PNG. @param {Viewer} viewer @returns {Promise<Blob>} */
export async function picture({ stage, chrome }) {
  const { canvas, size } = stage;
  const sheet = document.createElement("canvas");
  sheet.width = canvas.width;
  sheet.height = canvas.height;
  const context = /** @type {CanvasRenderingContext2D} */ (sheet.getContext("2d"));
  context.drawImage(canvas, 0, 0);
  context.drawImage(await imageOf(chrome.svg, size.width, size.height, size.ratio), 0, 0);
  return new Promise((resolve, reject) => sheet.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the canvas is empty"))), "image/png"));
}

/** Hands the picture to the user as a file. @param {Viewer} viewer */
export async function save(viewer) {
  const url = URL.createObjectURL(await picture(viewer));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${viewer.state.scene.plane}-${viewer.index + 1}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
