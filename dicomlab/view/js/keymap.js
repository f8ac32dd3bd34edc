// The map of mouse and keys. A user may bind others (the trait `keymap`, dicomlab/view/keymap.py); the help lists what is bound.

/**
 * @typedef {"next"|"previous"|"next10"|"previous10"|"first"|"last"|"nextStep"|"previousStep"|"reset"|"invert"|"corners"|"crosshair"
 *   |"layout"|"full"|"layers"|"help"|"firstWindow"|"enlarge"|"cine"|"save"|"finish"|"remove"|"measured"|"undo"|"redo"
 *   |"edit"|"smaller"|"larger"|"interpolate"|"nextLabel"|"ball"} KeyAction
 */
/** @typedef {Record<string, string>} Keymap what each key and gesture does: an action, a tool, a preset, or "" for nothing */

/** @type {Keymap} */
export const KEYS = {
  ArrowDown: "next",
  ArrowUp: "previous",
  "Shift+ArrowDown": "next10",
  "Shift+ArrowUp": "previous10",
  PageDown: "next10",
  PageUp: "previous10",
  ArrowRight: "nextStep",
  ArrowLeft: "previousStep",
  Home: "first",
  End: "last",
  Escape: "reset",
  c: "cine",
  x: "invert",
  i: "corners",
  " ": "corners",
  h: "crosshair",
  p: "layout",
  f: "full",
  d: "ruler",
  a: "angle",
  n: "measured",
  Enter: "finish",
  Delete: "remove",
  Backspace: "remove",
  "Ctrl+z": "undo",
  "Ctrl+y": "redo",
  "Ctrl+Shift+z": "redo",
  b: "brush",
  e: "eraser",
  g: "grow",
  o: "lasso",
  v: "fill",
  r: "ball",
  ".": "nextLabel",
  "[": "smaller",
  "]": "larger",
  l: "layers",
  s: "save",
  0: "firstWindow",
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [n, `preset${n}`])),
  "?": "help",
};

/** What the mouse does; "tool" is the one chosen in the toolbar. @type {Keymap} */
export const GESTURES = {
  LeftDrag: "tool",
  MiddleDrag: "pan",
  RightDrag: "zoom",
  Wheel: "scroll",
  "Ctrl+Wheel": "zoom",
  DoubleClick: "enlarge",
  "Ctrl+DoubleClick": "firstWindow",
  "Shift+Move": "crosshair",
};

export const BUTTONS = ["LeftDrag", "MiddleDrag", "RightDrag"];

/** The usual map with a user's changes. @param {Keymap} [own] @returns {Keymap} */
export const keymap = (own = {}) => ({ ...KEYS, ...GESTURES, ...own });

/** What gestures mean, as the help says it. @type {Record<string, string>} */
const MEANINGS = {
  tool: "the tool of the toolbar; at first the window: sideways width, up and down level",
  window: "window: sideways width, up and down level",
  pan: "move the picture",
  zoom: "zoom about the pointer",
  scroll: "next or previous slice, one a notch",
  step: "next or previous step of time, echo …",
  crosshair: "all planes go through the point under the pointer",
  enlarge: "one pane alone, and back; a single one fits",
  firstWindow: "first window",
};

/** What keys mean: the actions of a row, and its text. @type {[string[], string][]} */
const ROWS = [
  [["previous", "next"], "previous, next slice"],
  [["previous10", "next10"], "ten slices"],
  [["first", "last"], "first, last slice"],
  [["previousStep", "nextStep"], "previous, next step of time, echo …"],
  [["cine"], "plays the slices or steps, and stops"],
  [["layout"], "three planes"],
  [["enlarge"], MEANINGS.enlarge],
  [["crosshair"], "hide or show the crosshair"],
  [["full"], "full screen"],
  [["window", "pan", "zoom", "scroll"], "tools of the left button: window, move, zoom, slices"],
  [["ruler", "angle", "rectangle", "ellipse", "polygon", "freehand", "profile", "probe"], "measuring: ruler, angle …; again for the window"],
  [["brush", "eraser", "lasso", "fill", "grow"], "edit a mask: brush, eraser, grow from here …; again for the window; Shift turns painting round"],
  [["smaller", "larger", "ball"], "smaller, larger brush; a disc or a ball"],
  [["nextLabel"], "the next label is painted"],
  [["interpolate"], "fills between drawn slices"],
  [["edit"], "edits a mask"],
  [["measured", "remove"], "go to the next measurement; remove the chosen one"],
  [["undo", "redo"], "takes back what was drawn or measured; does it again"],
  [["finish"], "ends a polygon"],
  [["layers"], "panel of volumes, labels, measurements and window"],
  [["preset1", "preset2", "preset3", "preset4", "preset5", "preset6", "preset7", "preset8", "preset9"], "window presets"],
  [["firstWindow"], "first window"],
  [["invert"], "invert"],
  [["corners"], "hide or show the text"],
  [["save"], "save the picture as PNG, as it is seen"],
  [["reset"], "leaves help, drawing, measurement, tool; else first window, no zoom, shift, tilt or inversion (slice and plane stay)"],
  [["help"], "opens and closes this help"],
];

/** @type {Record<string, string>} */
const NAMES = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "Page ↑", PageDown: "Page ↓", Escape: "Esc", " ": "Space", Left: "Left ", Middle: "Middle ", Right: "Right " };

/** A key or gesture as a person would write it. @param {string} name */
export const spoken = (name) =>
  name
    .split("+")
    .map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part.replace(/(?<=[a-z])(?=[A-Z])/g, " ").replace(/ (\w)/, (_, letter) => ` ${letter.toLowerCase()}`)))
    .join(" + ");

/** The rows of the help: what is pressed, and what it does. @param {Keymap} map @returns {[string, string][]} */
export const help = (map) => [...ofMouse(map), ...ofKeys(map)];

/** What the mouse does. @param {Keymap} map */
export function ofMouse(map) {
  /** @type {[string, string][]} */
  const rows = [];
  for (const gesture of Object.keys(GESTURES)) if (map[gesture]) rows.push([spoken(gesture), MEANINGS[map[gesture]] ?? meaning(map[gesture])]);
  rows.push(["Crosshair", "drag near the crossing moves it, on a line tilts the other planes"]);
  rows.push(["Measurements", "drag a handle, or a line to move all"]);
  rows.push(["One finger, two", "the tool of the toolbar; move and zoom"]);
  return rows;
}

/** What the keys do. @param {Keymap} map */
export function ofKeys(map) {
  /** @type {[string, string][]} */
  const rows = [];
  for (const [actions, text] of ROWS) {
    const keys = Object.keys(map).filter((key) => !Object.hasOwn(GESTURES, key) && actions.includes(map[key]));
    keys.sort((a, b) => actions.indexOf(map[a]) - actions.indexOf(map[b]));
    if (keys.length) rows.push([keys.map(spoken).join(keys.length > 2 && keys.every((key) => key.length === 1) ? " " : ", "), text]);
  }
  return rows;
}

/** @param {string} action */
const meaning = (action) => ROWS.find(([actions]) => actions.includes(action))?.[1] ?? action;

/**
 * @param {{key: string, shiftKey: boolean, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 * @param {Keymap} [map]
 * @returns {string | null} what it does, or null when the key is not ours
 */
export function actionOf(event, map = KEYS) {
  if (event.altKey) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Only keys with a name, and letters with Ctrl, tell Shift apart: "?" needs it on most keyboards, and X may come from caps lock.
  const ctrl = event.ctrlKey || event.metaKey;
  const name = `${ctrl ? "Ctrl+" : ""}${event.shiftKey && (key.length > 1 || (ctrl && /[a-z]/.test(key))) ? "Shift+" : ""}${key}`;
  return (Object.hasOwn(map, name) && map[name]) || null;
}
