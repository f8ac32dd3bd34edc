// The geometry explorer: slices in the patient, the attributes that put them there, and the affine made of these.

import { base64, inflate } from "../../view/js/codec.js";
import { make } from "../../view/js/elements.js";
import { letters } from "../../view/js/text.js";
import { slicePicture } from "./geometry/figure.js";
import { Matrix, figure as written } from "./geometry/matrix.js";
import { Order, coloursOf, lineOf } from "./geometry/order.js";
import { astray, directions, findingsOf, gridOf, lpsOf, misplaced, ordered, planesOf, sound, sum, voxelOf } from "./geometry/planes.js";
import { Stored } from "./geometry/stored.js";
import { ROLES, drawScene, sides } from "./geometry/scene.js";
import { choice, select, slider, toggle } from "./shared/controls.js";
import { dial } from "./shared/dial.js";
import { explorer } from "./shared/explorer.js";

/** @typedef {[number, number, number]} Vector3 */
/** @typedef {import("./geometry/planes.js").Plane} Plane */

const MOST_DRAWN = 32;
const MOST_ASTRAY = 6;
const PICTURE = 80; // pixels of a slice's picture along its longer side
const FIRST = { turns: [0, 0, 0], fault: "none", labels: "position", order: "position", system: "LPS", voxel: [0, 0, 0], view: [28, 18], zoom: 1, figure: true };

/** @type {Record<string, number[]>} */
const PRESETS = {
  axial: [1, 0, 0, 0, 1, 0],
  sagittal: [0, 1, 0, 0, 0, -1],
  coronal: [1, 0, 0, 0, 0, -1],
  "feet first": [-1, 0, 0, 0, 1, 0],
  prone: [-1, 0, 0, 0, -1, 0],
};
/** @type {Record<string, string>} */
const DOES = {
  none: "Each slice lies on the line of the others, at even steps.",
  missing: "The slice in the middle is not there: the gap is two steps wide, and no one affine places all slices.",
  uneven: "Behind the middle one gap is half a step wider: no one affine places all slices, nothing is missing.",
  beside: "The slice in the middle is pushed along its rows, by an eighth of them: drawn in the colour of warnings, dashed where it should be. The affine does not change: it is wrong for this slice.",
};
const OBLIQUE = [18, -14, 8]; // degrees about x, y, z, from axial

/** Sliders whose even steps are even factors. @param {number} low @param {number} high */
const factors = (low, high) => ({
  to: (/** @type {number} */ value) => (1000 * Math.log(Math.min(Math.max(value, low), high) / low)) / Math.log(high / low),
  from: (/** @type {number} */ at) => Number((low * (high / low) ** (at / 1000)).toPrecision(3)),
});

export default explorer("geometry", "Geometry explorer: slices in the patient, and the affine that says where voxels are", ({ root, facts, state, choose }) => {
  const style = getComputedStyle(root);
  const given = /** @type {import("./geometry/planes.js").Given | null} */ (facts.given);
  const first = { ...FIRST, ...facts.first };
  const now = () => ({ ...first, ...state() });
  /** The first picture of each plane that has one. @type {Map<number, {words: Uint32Array, line: number[]}>} */
  const real = new Map();

  /** Sets what is patched; the middle of the stack stays where it is. @param {Record<string, any>} patch */
  const turn = (patch) => {
    const before = sound(now());
    const after = sound({ ...now(), ...patch });
    const middle = (/** @type {any} */ setting) => {
      const grid = gridOf(planesOf({ ...setting, fault: "none" }, given), setting);
      return lpsOf(grid, setting, [(grid.heights.length - 1) / 2, (setting.rows - 1) / 2, (setting.columns - 1) / 2]);
    };
    const [from, to] = [middle(before), middle(after)];
    choose({ ...patch, ipp: after.ipp.map((x, axis) => Number((x + from[axis] - to[axis]).toFixed(6))) });
  };
  const preset = choice("Orientation", [...Object.keys(PRESETS), "oblique"].map((one) => [one, one, one === "prone" ? "Head first, prone: the picture is upright in the room" : one === "feet first" ? "Feet first, supine: the picture is upright in the room" : `${one} slices`]), (name) => turn({ iop: PRESETS[name] ?? PRESETS.axial, turns: name === "oblique" ? OBLIQUE : [0, 0, 0] }));
  const system = choice("Millimetres", [["LPS", "LPS", "DICOM, ITK, dicomlab: x to the left, y to the back, z to the head"], ["RAS", "RAS", "nibabel, NIfTI, Slicer: x to the right, y to the front, z to the head"]], (one) => choose({ system: one }));
  const figure = toggle("figure", "Show the drawn body, or take it away; where it stands is a guess, unless the stack is made up", (on) => choose({ figure: on }));
  const reset = make("button", "dl-button", { type: "button", title: given ? "Back to the positions of the series" : "Back to the beginning" }, ["reset"]);
  reset.addEventListener("click", () => choose(first));

  const canvas = make("canvas", "", { "aria-hidden": "true" });
  const stage = make("div", "dl-scene", { tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true", "aria-label": "Slices in the patient. Arrow keys turn the view, plus and minus zoom", title: "Drag or arrow keys turn the view, plus and minus zoom" }, [canvas]);
  steer(stage, () => now(), choose);

  const dials = controls(given, first, now, choose, turn);
  const stored = new Stored();
  let pointed = "?";
  const matrix = new Matrix((role) => {
    pointed = role;
    draw();
  });
  const order = new Order();
  const by = choice("Sort by", [["position", "n · IPP", "By where slices lie: the one that is right"], ["instance", "Instance Number", "By Instance Number (0020,0013)"], ["location", "Slice Location", "By Slice Location (0020,1041)"]], (one) => choose({ order: one }));
  const labels = select("How the files are labelled", [...(given ? [/** @type {[string, string]} */ (["file", "as in the files"])] : []), ["position", "numbers rise with position"], ["reversed", "numbered from the other end"], ["interleaved", "every second slice first"], ["negative", "Slice Location with the other sign"], ["constant", "Slice Location the same for all"]], (one) => choose({ labels: one }));
  const voxels = /** @type {const} */ (["slice", "row", "column"]).map((name, n) => slider({ label: name, min: 0, max: 1, step: 1, title: `Index along ${name}` }, (value) => choose({ voxel: now().voxel.map((/** @type {number} */ x, /** @type {number} */ k) => (k === n ? value : x)) })));
  const places = ["x", "y", "z"].map((name, axis) => {
    const field = make("input", "dl-number", { type: "number", step: "1", "aria-label": `${name} of the place, mm` });
    field.addEventListener("change", () => move(axis, Number(field.value)));
    return field;
  });
  const read = make("p", "dl-code dl-read", { "aria-live": "polite" });
  const tags = make("div", "dl-tags dl-code", { role: "group", "aria-label": "The attributes of the first slice" });
  const findings = make("ul", "dl-findings");
  const beside = make("div", "dl-soft");
  const head = (/** @type {string} */ text) => make("div", "dl-head", {}, [text]);
  root.append(
    make("div", "dl-tools", {}, [preset.element, system.element, figure.element, reset]),
    make("div", "dl-body", {}, [
      make("section", "dl-seen", { "aria-label": "Slices in the patient" }, [head(facts.title || "slices"), stage, beside]),
      make("section", "dl-set", { "aria-label": "Attributes" }, dials.element),
      make("section", "dl-affine", { "aria-label": "Affine" }, [head("Affine"), matrix.element, head("As in the files, first slice"), tags]),
      make("section", "dl-voxel", { "aria-label": "Voxel and mm" }, [head("Voxel and millimetres"), ...voxels.map(({ element }) => element), make("div", "dl-mm", {}, [make("span", "dl-name", {}, ["mm"]), ...places]), read]),
      make("section", "dl-sorted", { "aria-label": "Order of slices" }, [head("Order of the slices"), make("div", "dl-tools", {}, [by.element, labels.element]), order.element]),
      make("section", "dl-odd", { "aria-label": "Findings and the slice as stored" }, [make("div", "", {}, [head("What the reader says"), findings]), stored.element]),
    ]),
  );
  const observer = new ResizeObserver(() => draw());
  observer.observe(stage);
  let drawn = "";
  let stand = 0;
  /** @type {Map<number, HTMLCanvasElement>} */
  let pictures = new Map();
  /** @type {Map<number, number[]>} */
  let lines = new Map();

  /** The voxel nearest to a place. @param {number} axis @param {number} value */
  function move(axis, value) {
    if (!Number.isFinite(value)) return;
    const setting = sound(now());
    const grid = gridOf(planesOf(setting, given), setting);
    const lps = lpsOf(grid, setting, now().voxel);
    const sign = now().system === "RAS" && axis < 2 ? -1 : 1;
    lps[axis] = sign * value;
    const sizes = [grid.heights.length, setting.rows, setting.columns];
    choose({ voxel: voxelOf(grid, setting, lps).map((x, k) => Math.min(Math.max(Math.round(x), 0), sizes[k] - 1)) });
  }

  /** Every so many planes, or those that have a picture; the outer ones and the one that is read in any case. @param {Plane[]} planes @param {number[]} always */
  function few(planes, always) {
    const every = Math.ceil(planes.length / MOST_DRAWN);
    return planes.filter(({ index }) => always.includes(index) || (real.size ? real.has(index) : index % every === 0));
  }

  function draw() {
    const wide = stage.clientWidth;
    if (!wide) return;
    const all = now();
    const setting = sound(all);
    const planes = planesOf(setting, given);
    const grid = gridOf(planes, setting);
    const voxel = sizesOf(all.voxel, [planes.length, setting.rows, setting.columns]);
    const aside = astray(planes, grid, setting).sort((a, b) => b.mm - a.mm).slice(0, MOST_ASTRAY);
    const always = [planes[0].index, planes[planes.length - 1].index, planes[voxel[0]].index, ...aside.map(({ index }) => index)];
    const some = few(planes, always);
    const stack = ordered(planes, setting.order);
    // Turning the view moves no slice: their pictures are kept.
    const key = JSON.stringify([setting, real.size, always]);
    if (key !== drawn) {
      drawn = key;
      [pictures, lines] = painted(some, grid, setting);
      // Of many slices some have no picture: what is nearest stands for it, and is named.
      const own = planes[voxel[0]].index;
      stand = own;
      if (pictures.size && !pictures.has(own)) {
        stand = [...pictures.keys()].reduce((best, one) => (Math.abs(one - own) < Math.abs(best - own) ? one : best));
        pictures.set(own, /** @type {HTMLCanvasElement} */ (pictures.get(stand)));
      }
    }
    const colours = coloursOf(stack);
    drawScene(canvas, wide, stage.clientHeight, style, {
      setting,
      grid,
      planes: some,
      aside,
      colours,
      pictures,
      figure: facts.figure,
      figured: all.figure !== false,
      system: all.system === "RAS" ? "RAS" : "LPS",
      voxel: sum(planes[voxel[0]].position, [voxel[1] * setting.spacing[0], grid.c], [voxel[2] * setting.spacing[1], grid.r]),
      lit: planes[voxel[0]].index,
      view: /** @type {[number, number]} */ ([0, 1].map((n) => (Number.isFinite(all.view?.[n]) ? all.view[n] : FIRST.view[n]))),
      zoom: Math.min(Math.max(Number(all.zoom) || 1, 0.5), 6),
      pointed,
    });
    return { all, setting, planes, grid, some, stack, voxel, always };
  }

  /** Pictures of slices, and a line of each. @param {Plane[]} planes @param {import("./geometry/planes.js").Grid} grid @param {import("./geometry/planes.js").Setting} setting @returns {[Map<number, HTMLCanvasElement>, Map<number, number[]>]} */
  function painted(planes, grid, setting) {
    const made = new Map();
    const through = new Map();
    for (const plane of planes) {
      const known = real.get(plane.index);
      if (facts.given && !known) continue; // a guess at anatomy is no picture of a series
      const { corner, right, down } = sides(plane, grid, setting);
      const longest = Math.max(Math.hypot(...right), Math.hypot(...down));
      const [wide, high] = known ? [facts.pictures.wide, facts.pictures.high] : [right, down].map((side) => Math.max(4, Math.round((PICTURE * Math.hypot(...side)) / longest)));
      const picture = document.createElement("canvas");
      picture.width = wide;
      picture.height = high;
      const context = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
      const image = context.createImageData(wide, high);
      new Uint32Array(image.data.buffer).set(known ? known.words : slicePicture(facts.figure.parts, corner, right, down, wide, high));
      context.putImageData(image, 0, 0);
      made.set(plane.index, picture);
      through.set(plane.index, known ? known.line : lineOf(plane, grid, setting, facts.figure.parts));
    }
    return [made, through];
  }

  function update() {
    const found = draw();
    if (!found) return;
    const { all, setting, planes, grid, some, stack, voxel, always } = found;
    dials.show(setting);
    preset.show(presetOf(setting));
    system.show(all.system === "RAS" ? "RAS" : "LPS");
    figure.show(all.figure !== false);
    by.show(setting.order);
    labels.show(setting.labels === "file" && !given ? "position" : setting.labels);
    const mode = all.system === "RAS" ? "RAS" : "LPS";
    matrix.show(grid, setting, planes, mode);
    const wrong = stack.filter((plane, n) => plane !== planes[n]).length;
    const seen = lines.size ? (/** @type {Plane} */ plane) => lines.has(plane.index) : () => true;
    order.show({ stack: few(stack, always).filter(seen), planes: some.filter(seen), all: planes, grid, lines, by: setting.order, off: misplaced(stack, grid), wrong }, style);
    const sizes = [planes.length, setting.rows, setting.columns];
    voxels.forEach((one, n) => {
      const input = /** @type {HTMLInputElement} */ (one.element.querySelector("input"));
      input.max = String(sizes[n] - 1);
      one.show(voxel[n]);
    });
    const lps = lpsOf(grid, setting, voxel);
    const mm = lps.map((x, axis) => (mode === "RAS" && axis < 2 ? -x : x) + 0);
    places.forEach((field, axis) => {
      if (field.ownerDocument.activeElement !== field || Number(field.value) !== Number(mm[axis].toFixed(2))) field.value = String(Number(mm[axis].toFixed(2)));
    });
    read.textContent = `(slice ${voxel[0]}, row ${voxel[1]}, column ${voxel[2]})  ↔  ${mode} (${mm.map((x) => written(x, 2)).join(", ")}) mm: ${lps.map((x, axis) => `${Math.abs(x).toFixed(1)} ${(x < 0 ? "RAF" : "LPH")[axis]}`).join(", ")}`;
    stored.show(pictures.get(planes[voxel[0]].index), grid, setting, voxel);
    tell(tags, setting, grid, planes);
    const odd = findingsOf(planes, grid, setting);
    const lines_ = [...odd.map(({ code, text }) => [code, text]), ...(facts.findings ?? []).filter((/** @type {string} */ line) => !odd.some(({ code }) => line.startsWith(code))).map((/** @type {string} */ line) => ["as read", line])];
    findings.replaceChildren(...(lines_.length ? lines_.map(([code, text]) => make("li", "", {}, [make("b", "dl-warning", {}, [code]), ` ${text}`])) : [make("li", "dl-soft", {}, ["nothing: one affine places every voxel"])]));
    const facing = `Slices go ${letters(grid.n)}, rows down ${letters(grid.c)}, columns along ${letters(grid.r)}.`;
    const other = stand !== planes[voxel[0]].index && pictures.size ? [`The picture is that of slice ${stand}.`] : [];
    const guess = facts.guessed && all.figure !== false ? ["The drawn body is a guess: the files say where left, back and head are, not where in the body the slices lie."] : [];
    const count = some.length < planes.length ? [`${some.length} of ${planes.length} slices are drawn.`] : [];
    beside.textContent = [facing, ...other, ...count, ...guess, ...(facts.notes ?? [])].join(" ");
  }

  root.dataset.ready = "false";
  void unpack(facts, real).finally(() => {
    update();
    root.dataset.ready = "true";
  });
  return {
    update,
    destroy: () => observer.disconnect(),
  };
});

/** @param {any} voxel @param {number[]} sizes */
const sizesOf = (voxel, sizes) => sizes.map((size, n) => Math.min(Math.max(Math.round(Number(voxel?.[n]) || 0), 0), size - 1));

/** Which preset an orientation is. @param {import("./geometry/planes.js").Setting} setting */
function presetOf(setting) {
  const { r, c } = directions(setting);
  const now = [...r, ...c];
  const same = (/** @type {number[]} */ other) => now.every((x, n) => Math.abs(x - other[n]) < 1e-6);
  const oblique = directions({ ...setting, iop: PRESETS.axial, turns: /** @type {Vector3} */ (OBLIQUE) });
  return Object.keys(PRESETS).find((name) => same(PRESETS[name])) ?? (same([...oblique.r, ...oblique.c]) ? "oblique" : "");
}

/** Pictures of a real series' planes, where there are some. @param {Record<string, any>} facts @param {Map<number, {words: Uint32Array, line: number[]}>} real */
async function unpack({ pictures }, real) {
  if (!pictures?.data) return;
  const { wide, high, index } = pictures;
  const bytes = await inflate(base64(pictures.data), 1);
  index.forEach((/** @type {number} */ plane, /** @type {number} */ n) => {
    const greys = bytes.subarray(n * wide * high, (n + 1) * wide * high);
    const middle = greys.subarray((high >> 1) * wide, ((high >> 1) + 1) * wide);
    real.set(plane, {
      words: Uint32Array.from(greys, (grey) => (0xff000000 | (grey * 0x010101)) >>> 0),
      line: Array.from({ length: 120 }, (_, x) => middle[Math.min(Math.floor((x * wide) / 120), wide - 1)]),
    });
  });
}

/** The attributes of the first slice as a file has them. @param {HTMLElement} element @param {import("./geometry/planes.js").Setting} setting @param {import("./geometry/planes.js").Grid} grid @param {Plane[]} planes */
function tell(element, setting, grid, planes) {
  const values = (/** @type {number[]} */ numbers, /** @type {string} */ colour, /** @type {number} */ places = 4) => make("span", "dl-tag-values", {}, numbers.flatMap((x, n) => {
    const one = make("span", "", {}, [String(Number(x.toFixed(places)) + 0)]);
    one.style.color = colour;
    return n ? ["\\", one] : [one];
  }));
  const orientation = make("span", "dl-tag-values", {}, [values([...grid.r], ROLES.column), "\\", values([...grid.c], ROLES.row)]);
  const between = make("span", "dl-tag-values", {}, [values([setting.spacing[0]], ROLES.row), "\\", values([setting.spacing[1]], ROLES.column)]);
  const plain = (/** @type {any} */ text) => make("span", "dl-tag-values", {}, [String(text ?? "(absent)")]);
  const rows = /** @type {[string, string, HTMLElement][]} */ ([
    ["(0020,0037)", "Image Orientation", orientation],
    ["(0020,0032)", "Image Position", values([...planes[0].position], ROLES.origin, 3)],
    ["(0028,0030)", "Pixel Spacing", between],
    ["(0020,0013)", "Instance Number", plain(planes[0].instance)],
    ["(0020,1041)", "Slice Location", plain(planes[0].location === null ? null : Number(planes[0].location.toFixed(3)))],
  ]);
  element.replaceChildren(...rows.map(([tag, name, value]) => make("div", "dl-tag", {}, [make("span", "dl-soft", {}, [tag]), make("span", "dl-tag-name", {}, [name]), value])));
}

/**
 * Turning the view by hand and by keys.
 * @param {HTMLElement} stage @param {() => any} now @param {(patch: any) => void} choose
 */
function steer(stage, now, choose) {
  /** @type {[number, number] | null} */
  let from = null;
  const turn = (/** @type {number} */ right, /** @type {number} */ up) => {
    const [azimuth, elevation] = now().view;
    choose({ view: [(((azimuth + right + 180) % 360) + 360) % 360 - 180, Math.min(Math.max(elevation + up, -90), 90)] });
  };
  const zoom = (/** @type {number} */ factor) => choose({ zoom: Math.min(Math.max(now().zoom * factor, 0.5), 6) });
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = [event.clientX, event.clientY];
    try {
      stage.setPointerCapture(event.pointerId);
    } catch {
      // A pointer made by a script cannot be captured.
    }
  });
  stage.addEventListener("pointermove", (event) => {
    if (!from) return;
    turn(0.5 * (from[0] - event.clientX), 0.5 * (event.clientY - from[1]));
    from = [event.clientX, event.clientY];
  });
  const letGo = () => (from = null);
  stage.addEventListener("pointerup", letGo);
  stage.addEventListener("lostpointercapture", letGo);
  stage.addEventListener(
    "wheel",
    (event) => {
      // The page goes on scrolling unless the view has been taken up.
      if (!event.ctrlKey && stage.ownerDocument.activeElement !== stage) return;
      event.preventDefault();
      zoom(2 ** (-event.deltaY / 400));
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 30 : 5;
    const way = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] }[event.key];
    if (way) turn(way[0], way[1]);
    else if (event.key === "+" || event.key === "=") zoom(1.2);
    else if (event.key === "-") zoom(1 / 1.2);
    else if (event.key === "0") choose({ view: FIRST.view, zoom: 1 });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/**
 * What can be set.
 * @param {import("./geometry/planes.js").Given | null} given @param {any} first @param {() => any} now @param {(patch: any) => void} choose @param {(patch: any) => void} turn
 */
function controls(given, first, now, choose, turn) {
  const start = sound(first);
  const middle = lpsOf(gridOf(planesOf(start, given), start), start, [start.slices / 2, start.rows / 2, start.columns / 2]);
  // Wherever the stack is turned about its middle, its corner stays within reach.
  const reach = Math.ceil(Math.hypot(...start.ipp.map((x, axis) => x - middle[axis])) / 50) * 50 + 100;
  const part = (/** @type {any[]} */ list, /** @type {number} */ n, /** @type {number} */ value) => list.map((one, k) => (k === n ? value : one));
  const turns = ["x", "y", "z"].map((name, n) => dial({ label: `about ${name}`, min: -90, max: 90, step: 1, unit: "°", title: `Turns the Image Orientation (0020,0037) of the beginning, or of the plane chosen above, further about patient ${name}; the middle of the stack stays` }, (value) => turn({ turns: part(now().turns, n, value) })));
  const ipp = ["x", "y", "z"].map((name, n) => {
    const at = Math.round(middle[n] / 10) * 10;
    return dial({ label: `IPP ${name}`, min: at - reach, max: at + reach, step: 1, unit: "mm", title: `Image Position (0020,0032) value ${n + 1} of the first slice` }, (value) => choose({ ipp: part(now().ipp, n, value) }));
  });
  const positive = (/** @type {number} */ x) => Math.max(x, 1e-3);
  const range = (/** @type {number} */ x) => factors(x / 4, x * 4);
  const spacing = ["rows", "columns"].map((name, n) => dial({ label: `between ${name}`, min: 0, max: 1, step: 0.1, unit: "mm", title: `Pixel Spacing (0028,0030) value ${n + 1}: distance between ${name}`, curve: range(first.spacing[n]) }, (value) => choose({ spacing: part(now().spacing, n, positive(value)) })));
  const step = dial({ label: "between slices", min: 0, max: 1, step: 0.1, unit: "mm", title: "Distance between neighbouring slices along n: only Image Position (0020,0032) can be trusted for it", curve: range(first.step) }, (value) => choose({ step: positive(value) }));
  const slices = dial({ label: "slices", min: 1, max: given ? given.along.length : 40, step: 1 }, (value) => choose({ slices: Math.min(Math.max(Math.round(value), 1), given ? given.along.length : 200) }));
  const rows = dial({ label: "Rows", min: 2, max: Math.max(128, 2 * first.rows), step: 1, title: "Rows (0028,0010)" }, (value) => choose({ rows: Math.min(Math.max(Math.round(value), 1), 8192) }));
  const columns = dial({ label: "Columns", min: 2, max: Math.max(128, 2 * first.columns), step: 1, title: "Columns (0028,0011)" }, (value) => choose({ columns: Math.min(Math.max(Math.round(value), 1), 8192) }));
  const tilt = dial({ label: "gantry tilt", min: -35, max: 35, step: 0.5, unit: "°", title: "The table moves along its own axis: slices lean, and the slice axis is sheared" }, (value) => choose({ tilt: Math.min(Math.max(value, -80), 80) }));
  const fault = choice("Fault", [["none", "none", "No fault"], ["missing", "missing", "One slice is not there"], ["uneven", "uneven", "One gap is wider than the others"], ["beside", "beside", "One slice lies beside the others"]], (one) => choose({ fault: one }));
  const does = make("p", "dl-soft dl-does", { "aria-live": "polite" });
  const group = (/** @type {string} */ text, /** @type {string} */ colour, /** @type {Element[]} */ ...elements) => {
    const head = make("div", "dl-head", {}, [text]);
    head.style.setProperty("--dl-role", colour);
    return make("div", "dl-dials", { role: "group", "aria-label": text }, [head, ...elements]);
  };
  return {
    element: [
      group("Orientation: turn further by", ROLES.column, ...turns.map(({ element }) => element)),
      group("Position of the first slice", ROLES.origin, ...ipp.map(({ element }) => element)),
      group("Spacing", ROLES.row, ...spacing.map(({ element }) => element), step.element),
      group("Size", ROLES.slice, slices.element, rows.element, columns.element),
      group("Tilt and faults", ROLES.slice, tilt.element, make("div", "dl-control", {}, [make("span", "dl-name", {}, ["fault"]), fault.element]), does),
    ],
    /** @param {import("./geometry/planes.js").Setting} setting */
    show(setting) {
      turns.forEach((one, n) => one.show(setting.turns[n]));
      ipp.forEach((one, n) => one.show(setting.ipp[n]));
      spacing.forEach((one, n) => one.show(setting.spacing[n]));
      step.show(setting.step);
      slices.show(setting.slices);
      rows.show(setting.rows);
      columns.show(setting.columns);
      tilt.show(setting.tilt);
      fault.show(setting.fault);
      does.textContent = DOES[setting.fault];
    },
  };
}

