// The tools that paint. Shift makes each of them take away instead.

/** @typedef {import("./tools.js").Tool} Tool */

/** @param {boolean} erases @param {string} title @returns {Tool} */
const stroke = (erases, title) => ({
  title,
  cursor: "none",
  begin: (drag) => {
    const { viewer, pane, start } = drag;
    drag.memory = viewer.painting.begin(erases !== drag.shift);
    if (drag.memory) viewer.painting.dab(pane, ...start);
  },
  move: ({ viewer, pane, memory }, x, y) => {
    if (memory) viewer.painting.dab(pane, x, y);
  },
  end: ({ viewer, memory }) => {
    if (memory) viewer.painting.end();
  },
});

/** @type {Record<string, Tool>} */
export const PAINT = {
  brush: stroke(false, "Brush: paint the label (B); with Shift it erases"),
  eraser: stroke(true, "Eraser: take the label away (E)"),
  lasso: {
    title: "Outline: draw around, or click corners and close with a double click or Enter; its inside is painted",
    cursor: "crosshair",
    begin: (drag) => drag.viewer.measuring.press("lasso", drag.pane, ...drag.start, drag.shift),
    move: ({ viewer, pane }, x, y) => viewer.measuring.stroke(pane, x, y),
    end: ({ viewer, pane }) => viewer.measuring.release(pane),
  },
  fill: {
    title: "Fill: click into a closed outline; with Shift a part goes",
    cursor: "cell",
    move: () => {},
    end: ({ viewer, pane, start, shift }) => viewer.painting.fill(pane, ...start, shift),
  },
  grow: {
    title: "Grow from here: click; all that hangs together and has values like those there (G)",
    cursor: "cell",
    move: () => {},
    end: ({ viewer, pane, start }) => viewer.painting.ask("grow", { at: viewer.stage.lpsAt(pane, ...start), range: viewer.painting.brush.range }),
  },
};
