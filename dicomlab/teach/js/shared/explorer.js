// What all explorers have in common: facts from Python, a small state that both sides may change, a root that follows the theme.

import { make } from "../../../view/js/elements.js";

/** @typedef {Record<string, any>} Facts what Python says; a new one draws the explorer anew */
/** @typedef {Record<string, any>} State what is chosen; JSON */
/** @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void, on(name: string, handler: () => void): void, off(name: string, handler: () => void): void}} Model */
/**
 * @typedef {object} Stage
 * @property {HTMLElement} root
 * @property {Facts} facts
 * @property {() => State} state what is chosen now
 * @property {(patch: State) => void} choose changes the state, draws, and lets Python hear of it soon
 */
/** @typedef {{update: (state: State) => void, destroy?: () => void}} Drawn */

const QUIET = 150; // ms without a change before Python hears of it

/**
 * Make the widget of an explorer. A factory, because initialize and render are handed different proxies of the model.
 * @param {string} name a word for its class
 * @param {string} label what a screen reader says of it
 * @param {(stage: Stage) => Drawn} draw builds the explorer into `root`; `update` follows each change of the state
 */
export function explorer(name, label, draw) {
  return () => ({
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      const root = make("div", `dl-explorer dl-${name}`, { role: "group", "aria-label": label, tabindex: "-1", "data-lm-suppress-shortcuts": "true" });
      el.append(root);
      /** @type {State} */
      let state = model.get("state") ?? {};
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      /** @type {Drawn | undefined} */
      let drawn;
      const flush = () => {
        if (timer === undefined) return;
        clearTimeout(timer);
        timer = undefined;
        model.set("state", state);
        try {
          model.save_changes();
        } catch {
          // The kernel has gone: nobody is left to hear it.
        }
      };
      /** @param {State} patch */
      const choose = (patch) => {
        state = { ...state, ...patch };
        drawn?.update(state);
        clearTimeout(timer);
        timer = setTimeout(flush, QUIET);
      };
      const begin = () => {
        drawn?.destroy?.();
        root.replaceChildren();
        drawn = draw({ root, facts: model.get("facts"), state: () => state, choose });
        drawn.update(state);
      };
      const adopt = () => {
        if (timer !== undefined) return; // what the hand does now is newer
        state = model.get("state") ?? {};
        drawn?.update(state);
      };
      begin();
      model.on("change:state", adopt);
      model.on("change:facts", begin);
      return () => {
        flush();
        model.off("change:state", adopt);
        model.off("change:facts", begin);
        drawn?.destroy?.();
        root.remove();
      };
    },
  });
}
