// Shapes of an SVG, and elements that are changed as little as can be.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag @param {Record<string, string | number>} attributes @param {string} [text]
 * @returns {SVGElement}
 */
export function shape(tag, attributes, text) {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Sets an attribute, if it is another: what is set anew is laid out anew. @param {Element} node @param {string} name @param {string | number | boolean} value */
export function mark(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** Sets the text of an element, if it is another. @param {Element} node @param {string} text */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets the value of a control, if it is another. @param {HTMLInputElement | HTMLSelectElement} control @param {string} value */
export function choose(control, value) {
  if (control.value !== value) control.value = value;
}

/**
 * Gives an element these children, and leaves alone those that are there already: what does not change is neither laid out nor painted.
 * @param {Element} parent @param {Element[]} wanted
 */
export function refill(parent, wanted) {
  const { children } = parent;
  for (let n = 0; n < wanted.length; n++) {
    const here = children[n];
    if (!here) parent.append(wanted[n]);
    else if (!here.isEqualNode(wanted[n])) {
      if (here.cloneNode(false).isEqualNode(wanted[n].cloneNode(false)) && wanted[n].children.length) refill(here, [...wanted[n].children]);
      else here.replaceWith(wanted[n]);
    }
  }
  while (children.length > wanted.length) children[children.length - 1].remove();
}
