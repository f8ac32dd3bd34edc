// The map of gestures and keys: what the help lists is what is bound.

/** @typedef {"next"|"previous"|"next10"|"previous10"|"first"|"last"|"nextStep"|"previousStep"|"reset"|"invert"|"corners"|"crosshair"|"layout"|"full"|"layers"|"help"|"firstWindow"|"ruler"|"angle"|"finish"|"remove"|"measured"} KeyAction */

/** @type {Record<string, KeyAction>} */
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
  l: "layers",
  0: "firstWindow",
  "?": "help",
};

/** @type {[string, string][]} */
export const HELP = [
  ["Wheel", "next or previous slice, one a notch"],
  ["Left drag", "window: sideways width, up and down level"],
  ["Middle drag", "move the picture"],
  ["Right drag, Ctrl + wheel", "zoom about the pointer"],
  ["Double click", "one pane alone, and back; a single one fits"],
  ["Shift + move", "the crosshair follows in all planes"],
  ["Crosshair", "drag near the crossing moves it, on a line tilts the other planes"],
  ["Ctrl + double click", "first window again"],
  ["↑ ↓", "previous or next slice"],
  ["Shift + ↑ ↓, Page ↑ ↓", "ten slices"],
  ["Home, End", "first, last slice"],
  ["← →", "previous, next step of time, echo …"],
  ["P, H, F", "three planes, crosshair, full screen"],
  ["D, A", "draw a ruler, an angle; again for the window"],
  ["N, Delete", "go to the next measurement; remove the chosen one"],
  ["Measurements", "drag a handle, or a line to move all"],
  ["L", "panel of volumes, window and labels"],
  ["1 … 9", "window presets"],
  ["0", "first window"],
  ["X", "invert"],
  ["I or Space", "hide or show the text"],
  ["Esc", "leaves help, drawing, measurement, tool; else first window, no zoom, shift or inversion (slice and plane stay)"],
  ["?", "opens and closes this help"],
];

/**
 * @param {{key: string, shiftKey: boolean, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 * @returns {KeyAction | number | null} an action, the number of a preset, or null when the key is not ours
 */
export function actionOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (/^[1-9]$/.test(event.key)) return Number(event.key);
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Only the arrows tell Shift apart: "?" needs it on most keyboards, and X may come from caps lock.
  const name = event.shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key;
  return Object.hasOwn(KEYS, name) ? KEYS[name] : null;
}
