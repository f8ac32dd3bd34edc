// What Python says of series, stacks and cells (dicomlab/teach/series).

/** @typedef {{name: string, by: "row" | "column" | "plane", values: (number | string | null)[]}} Attribute */
/**
 * @typedef {object} Stack
 * @property {string} name
 * @property {(number | null)[]} heights mm of each slice position, ascending
 * @property {number[]} ghosts positions where no image lies though one should
 * @property {string[]} steps
 * @property {string[]} axes
 * @property {number[]} row slice position of each image
 * @property {number[]} column step of each image
 * @property {number[]} file
 * @property {string[] | null} names of the files, by number, where identity is shown
 * @property {number[]} number
 * @property {number[] | null} frame
 * @property {Attribute[]} attributes
 * @property {string} note
 */
/** @typedef {{code: string, text: string, stops: boolean, does: string, cells: [number, number][]}} Finding */
/** @typedef {{name: string, value?: string, values?: (number | null)[], texts?: string[]}} Run */
/**
 * @typedef {object} Groups
 * @property {string} name
 * @property {number} frames
 * @property {number[]} at
 * @property {{name: string, where: string, attributes: Run[]}[]} macros
 * @property {{name: string, values: (number | null)[]}[]} dimensions
 */
/** @typedef {{name: string, number: number, frames: number}} Instance */
/** @typedef {{stacks: Stack[], findings: Finding[], instances: Instance[], groups: Groups | null}} Detail */
/**
 * @typedef {object} Row
 * @property {number} key
 * @property {number | null} number
 * @property {string} modality
 * @property {string} description
 * @property {number} files
 * @property {string} images
 * @property {string} size
 * @property {string} plane
 * @property {string} axes
 * @property {string} spacing
 * @property {number} stacks
 * @property {string[]} codes
 * @property {string | null} picture
 * @property {Detail | null} detail
 */

export {};
