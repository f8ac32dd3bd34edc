// The bundle's entry: anywidget takes the default export; an exported page, whose inline module nobody can import from,
// takes the start function from the page's global object.

import { standalone } from "./standalone.js";
import { createWidget } from "./widget.js";

Object.assign(globalThis, { [Symbol.for("dicomlab.standalone/1")]: standalone });

export default () => createWidget();
