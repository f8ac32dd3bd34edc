// The shapes that travel between the modules. Only types: this file leaves nothing in the bundle.

/** @typedef {"LINEAR"|"LINEAR_EXACT"|"SIGMOID"} VoiFunction PS3.3 C.11.2.1.2 and C.11.2.1.3 */
/**
 * @typedef {object} Window
 * @property {number} center
 * @property {number} width
 * @property {VoiFunction} function
 * @property {string} [lut] a VOI LUT, which counts instead: first and last value, and the shades between in base64
 */
/** @typedef {Window & {name: string, group: string}} Preset */
/** @typedef {{start: number, step: number, count: number} | number[]} Axis mm along one dimension, packed when evenly spaced */
/** @typedef {"axial"|"coronal"|"sagittal"} PlaneName */
/** @typedef {[number, number, number]} Vector3 */

/**
 * @typedef {object} SourceMeta What Python says once about a volume; it never holds a pixel (dicomlab/view/source.py).
 * @property {string} key names the volume in the page's cache; a new key means new pixels
 * @property {string} title
 * @property {string} units
 * @property {boolean} integer whether the values are whole numbers
 * @property {boolean} smooth whether to interpolate between voxels, unlike in a mask
 * @property {string[]} findings what was odd about the series
 * @property {string} frame tells frames of reference apart
 * @property {[Axis, Axis, Axis]} axes mm of slice, row, column
 * @property {number[]} direction nine numbers, row-major 3x3; its columns are the LPS vectors of slice, row, column
 * @property {number[]} inverse of `direction`
 * @property {[number, number | null][]} ruler first position and step of each axis; no step where it is uneven
 * @property {[number, number, number]} shape
 * @property {number} finest mm, the smallest spacing
 * @property {boolean} reslice whether the kernel can cheaply cut a plane across the slices
 * @property {{name: string, units: string, labels: string[]}[]} steps further axes
 * @property {(number[] | null)[]} follows for each of them, which of its steps goes with each of the first volume
 * @property {Preset[]} presets
 * @property {boolean} invert the first state of the invert switch
 * @property {Histogram | null} histogram
 * @property {string} made what is known of how the values came about
 * @property {number[][]} places slices that each finding is about
 * @property {{plain: Partial<Look>, fused: Partial<Look>}} manner how it is looked at by itself, and over another volume
 * @property {LabelMeta[]} [labels] of a mask, whose values are numbers of labels
 * @property {{bytes: number, mm3: (number | null)[]}} [edited] of the mask that is edited: bytes of a voxel, and mm³ of one in each slice
 */

/** @typedef {{low: number, high: number, counts: number[]}} Histogram */
/** @typedef {{value: number, name: string, ml: number | null, at: Vector3 | null}} LabelMeta one label of a mask */
/** @typedef {{title: string, units: string, integer: boolean, presets: Preset[], histogram: Histogram | null, made?: string}} Subject what is looked at through a window */

/**
 * @typedef {object} Meta All that Python says once about a viewer.
 * @property {SourceMeta[]} sources volumes, then masks
 * @property {Subject | null} difference the second volume minus the first, where that means anything
 * @property {import("./scene.js").Basis} basis
 * @property {Record<string, string>} palettes 256 RGB triples of each colour map in base64, "" for grey
 * @property {number} height css px of the stage
 * @property {number} budget bytes of slices the page may keep
 * @property {boolean} [fixed] whether there is no kernel that could edit
 * @property {string} [note] what a page says of how its values were made smaller
 * @property {State} first what is shown first, and after a reset
 */

/**
 * @typedef {object} Look How one volume is looked at.
 * @property {Window} window
 * @property {boolean} invert
 * @property {string} cmap
 * @property {number} opacity over those before it
 * @property {boolean} fade low values are clearer
 * @property {boolean} visible
 */

/** @typedef {{playing: boolean, fps: number, bounce: boolean, along: "slices" | "steps"}} Cine */

/**
 * @typedef {object} LabelLook How one label of a mask is drawn.
 * @property {number} value
 * @property {[number, number, number]} colour
 * @property {number} opacity
 * @property {boolean} outline
 * @property {boolean} visible
 * @property {string} [name] of a label of the mask that is edited
 * @property {boolean} [locked] whether nothing is painted over it
 * @property {string} [mask] key of the mask that is edited
 */

/** @typedef {{size: number, sphere: boolean, range: [number, number] | null, label: number}} Brush mm across; whether it is a ball; values that it takes; the label that it paints */

/**
 * @typedef {object} State What can be read and set from Python.
 * @property {import("./scene.js").Scene} scene
 * @property {Look[]} looks one for each volume
 * @property {number[]} step along each further axis of the first volume
 * @property {import("./draw.js").Mode} mode how two volumes meet
 * @property {number} split of a curtain
 * @property {Cine} cine
 * @property {string} tool of the left button
 * @property {Brush} brush
 * @property {Roi[]} rois measurements
 * @property {Look} difference how the second volume minus the first is looked at
 * @property {LabelLook[][]} labels of each mask
 */

/** @typedef {"ruler"|"angle"|"rectangle"|"ellipse"|"polygon"|"freehand"|"profile"|"probe"} RoiKind */
/**
 * @typedef {object} Roi A measurement (dicomlab/view/roi.py).
 * @property {string} id
 * @property {RoiKind} kind
 * @property {Vector3[]} points LPS mm: of a rectangle its corners in order, of an ellipse the ends of one axis, then of the other
 * @property {Vector3 | null} normal of the plane that it was drawn in; areas always have one
 * @property {string} label
 * @property {string} colour #rrggbb
 */

/**
 * @typedef {object} Model The part of anywidget's model that is used, so that an exported page can stand in for it.
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(message: any, callbacks?: any, buffers?: any) => void} send
 * @property {(name: string, handler: (...args: any[]) => void) => void} on
 * @property {(name: string, handler?: (...args: any[]) => void) => void} off
 */

export {};
