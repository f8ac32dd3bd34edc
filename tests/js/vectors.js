// What Python computed (tests/js/make_vectors.py).

import { readFileSync } from "node:fs";

/** @param {string} name @returns {any[]} */
export function vectors(name) {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), "utf8"));
}
