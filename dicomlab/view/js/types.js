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
 * @typedef {object} Plane One family of parallel planes, as dicomlab.view.state.PlaneView resolved it.
 * @property {number} axis the volume axis that is cut
 * @property {number} down the volume axis that runs down the screen
 * @property {number} right the volume axis that runs to the right
 * @property {[[number, number], [number, number]]} matrix from mm along (down, right) to screen mm (down, right)
 * @property {[boolean, boolean]} flips whether rising indices run up, and to the left
 * @property {[string, string, string, string]} letters left, right, top, bottom
 * @property {[string, string]} sides of the patient at which the cut axis begins and ends
 */

/**
 * @typedef {object} Meta What Python says once about a volume; it never holds a pixel.
 * @property {string} key names the volume in the page's cache; a new key means new pixels
 * @property {[Axis, Axis, Axis]} axes mm of slice, row, column
 * @property {number[]} direction nine numbers, row-major 3x3; its columns are the LPS vectors of slice, row, column
 * @property {Record<PlaneName, Plane>} planes
 * @property {string} units
 * @property {string} title
 * @property {boolean} integer whether the stored values are whole numbers
 * @property {boolean} smooth whether to interpolate between voxels, unlike in a mask
 * @property {string[]} findings what was odd about the series
 * @property {boolean} reslice whether the kernel can cheaply cut a plane across the slices
 * @property {Preset[]} presets
 * @property {Window} window the first window
 * @property {boolean} invert the first state of the invert switch
 * @property {PlaneName} plane the plane as it was acquired
 * @property {number} height css px of the stage
 * @property {number} budget bytes of slices the page may keep
 */

/**
 * @typedef {object} Scale How 16-bit codes become values: value = code * slope + intercept.
 * @property {boolean} signed codes are int16 rather than uint16
 * @property {boolean} exact no digit was lost on the way
 * @property {boolean} special codes 65533, 65534 and 65535 mean -inf, +inf and NaN
 * @property {number} slope
 * @property {number} intercept
 */

/**
 * @typedef {object} Picture One plane of voxels in native order.
 * @property {Uint16Array} codes raw bits, (rows, cols) in C order
 * @property {number} rows
 * @property {number} cols
 * @property {Scale[]} scales one for the picture, or one for each row
 * @property {Uint8Array | null} missing rows not yet here, or null when all are
 */

/**
 * @typedef {object} State What can be read and set from Python.
 * @property {PlaneName} plane
 * @property {Vector3} voxel slice, row, column indices
 * @property {Window} window
 * @property {boolean} invert
 * @property {number} zoom 1 fits the picture into the stage
 * @property {[number, number]} pan mm by which the picture is moved right and down
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
