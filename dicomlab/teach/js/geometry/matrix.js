// The affine, entry by entry: what it is made of, and of which attributes.

import { make } from "../../../view/js/elements.js";
import { ROLES } from "./scene.js";
import { toRas } from "./planes.js";

/** @typedef {import("./planes.js").Grid} Grid */
/** @typedef {import("./planes.js").Setting} Setting */
/** @typedef {import("./planes.js").Plane} Plane */
/** @typedef {keyof typeof ROLES} Role */

const WAYS = [
  ["the left", "the right"],
  ["the back", "the front"],
  ["the head", "the feet"],
];
/** @type {Role[]} */
const LPS_ROLES = ["slice", "row", "column", "origin"];
/** @type {Role[]} */
const RAS_ROLES = ["column", "row", "slice", "origin"];

/** A number with at most so many decimals and a true minus. @param {number} x @param {number} [places] */
export const figure = (x, places = 4) => {
  const text = String(Math.abs(Number(x.toFixed(places))));
  return Number(x.toFixed(places)) < 0 ? `−${text}` : text;
};

/**
 * What an entry of the affine is made of.
 * @param {number} x 0 to 2, the patient axis @param {Role} role @param {"LPS" | "RAS"} system @param {Grid} grid @param {Setting} setting @param {Plane[]} planes
 * @returns {string}
 */
export function explained(x, role, system, grid, setting, planes) {
  const name = "xyz"[x];
  const flip = system === "RAS" && x < 2 ? ` RAS counts towards ${WAYS[x][1]}: the sign is changed.` : "";
  const last = planes.length - 1;
  const behind = (/** @type {number} */ value) => (value < 0 && figure(value) !== "0" ? `(${figure(value)})` : figure(value));
  const mm = `mm towards ${WAYS[x][0]}`;
  if (role === "column") {
    const cosine = grid.r[x];
    return `One column on: Image Orientation (0020,0037) value ${x + 1} × Pixel Spacing (0028,0030) value 2 = ${figure(cosine)} × ${figure(setting.spacing[1])} = ${figure(cosine * setting.spacing[1])} ${mm}. The first three cosines, r, say where the column index goes.${flip}`;
  }
  if (role === "row") {
    const cosine = grid.c[x];
    return `One row on: Image Orientation (0020,0037) value ${x + 4} × Pixel Spacing (0028,0030) value 1 = ${figure(cosine)} × ${figure(setting.spacing[0])} = ${figure(cosine * setting.spacing[0])} ${mm}. The first value of Pixel Spacing is the distance between rows.${flip}`;
  }
  if (role === "slice") {
    if (!last) return `A lone slice: nothing in its file says how far the next would be; a step of ${figure(setting.step)} mm along n = r × c is assumed here.${flip}`;
    const [from, to] = [planes[0].position[x], planes[last].position[x]];
    return `One slice on: ${name} of Image Position (0020,0032), last minus first by ${last} steps = (${figure(to)} − ${behind(from)}) / ${last} = ${figure((to - from) / last)} ${mm}. Slice Thickness has no part in it.${flip}`;
  }
  return `Centre of voxel (0, 0, 0): Image Position (0020,0032) value ${x + 1} of the slice that is first by n · IPP, ${figure(planes[0].position[x])} ${mm}.${flip}`;
}

export class Matrix {
  /** @param {(role: Role) => void} [onChoose] hears which column is looked at */
  constructor(onChoose = () => undefined) {
    this.onChoose = onChoose;
    this.said = make("p", "dl-explained", { "aria-live": "polite" });
    this.body = make("table", "dl-matrix");
    this.caption = make("div", "dl-soft dl-code");
    this.element = make("div", "", {}, [this.body, this.caption, this.said]);
    /** @private @type {[number, Role]} */ this.chosen = [0, "column"];
    /** @private @type {HTMLElement[]} */ this.cells = [];
    /** @private @type {((x: number, role: Role) => string) | null} */ this.explain = null;
    this.heads = [0, 1, 2, 3].map(() => make("th", "", { scope: "col" }));
    this.names = [0, 1, 2].map(() => make("th", "", { scope: "row" }));
    this.build();
  }

  /** @private */
  build() {
    for (let x = 0; x < 4; x++) {
      for (let at = 0; at < 4; at++) {
        const cell = make("td", "dl-entry", { tabindex: x < 3 ? "0" : "-1", "data-entry": `${x}-${at}`, "data-lm-suppress-shortcuts": "true" });
        const choose = () => {
          if (x >= 3) return;
          this.choose(x, /** @type {Role} */ (cell.dataset.role));
          this.onChoose(this.chosen[1]);
        };
        cell.addEventListener("pointerenter", choose);
        cell.addEventListener("focus", choose);
        cell.addEventListener("keydown", (event) => {
          const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
          if (!way) return;
          event.preventDefault();
          event.stopPropagation();
          this.cells[4 * Math.min(Math.max(x + way[0], 0), 2) + Math.min(Math.max(at + way[1], 0), 3)].focus();
        });
        this.cells.push(cell);
      }
    }
    const corner = make("th", "");
    this.body.append(make("thead", "", {}, [make("tr", "", {}, [corner, ...this.heads])]));
    const rows = [0, 1, 2, 3].map((x) => make("tr", "", {}, [x < 3 ? this.names[x] : make("th", ""), ...this.cells.slice(4 * x, 4 * x + 4)]));
    this.body.append(make("tbody", "", {}, rows));
  }

  /** @private @param {number} x @param {Role} role */
  choose(x, role) {
    this.chosen = [x, role];
    for (const cell of this.cells) cell.classList.toggle("dl-chosen", cell.dataset.entry?.startsWith(`${x}-`) === true && cell.dataset.role === role);
    if (this.explain) this.said.textContent = this.explain(x, role);
  }

  /** @param {Grid} grid @param {Setting} setting @param {Plane[]} planes @param {"LPS" | "RAS"} system */
  show(grid, setting, planes, system) {
    const roles = system === "RAS" ? RAS_ROLES : LPS_ROLES;
    const lps = grid.affine ?? [...[0, 1, 2].map((x) => [NaN, setting.spacing[0] * grid.c[x], setting.spacing[1] * grid.r[x], planes[0].position[x]]), [0, 0, 0, 1]];
    const shown = system === "RAS" ? toRas(lps) : lps;
    const index = { slice: "slice k", row: "row i", column: "column j", origin: "origin" };
    roles.forEach((role, at) => {
      const head = this.heads[at];
      head.textContent = index[role];
      head.style.color = ROLES[role];
    });
    this.names.forEach((name, x) => (name.textContent = `${"xyz"[x]}  ${system[x]}`));
    this.cells.forEach((cell, n) => {
      const [x, at] = [n >> 2, n & 3];
      const value = shown[x][at];
      const role = roles[at];
      cell.dataset.role = role;
      cell.textContent = Number.isNaN(value) ? "—" : figure(value);
      cell.classList.toggle("dl-flipped", system === "RAS" && x < 2 && Number.isFinite(value) && figure(value) !== "0");
      cell.style.setProperty("--dl-role", ROLES[role]);
    });
    this.body.setAttribute("aria-label", system === "RAS" ? "Affine from (column, row, slice, 1) to RAS mm" : "Affine from (slice, row, column, 1) to LPS mm");
    this.caption.textContent = system === "RAS" ? "(x, y, z, 1) RAS = A · (column, row, slice, 1): nibabel's affine, Slicer's IJK to RAS" : "(x, y, z, 1) LPS = A · (slice, row, column, 1): volume.dicom.affine, DICOM's and ITK's mm";
    this.explain = (x, role) => {
      if (role === "slice" && !grid.affine) return `Slices are ${Math.min(...grid.gaps).toFixed(2)} to ${Math.max(...grid.gaps).toFixed(2)} mm apart: no one affine places them all. volume.dicom.lps() does; regularize() makes even slices.`;
      return explained(x, role, system, grid, setting, planes);
    };
    this.choose(...this.chosen);
  }
}
