// Elements of a page. Every text is set as text, never as markup: it may come from a file.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className, attributes = {}, children = []) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  // Notebooks look at the element that has the focus: letters typed there would be commands to them ("d d" deletes the cell).
  if (["button", "input", "select", "summary"].includes(tag)) node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children);
  return node;
}

/** @param {string} label @param {string} title @param {string} [className] */
export function button(label, title, className = "") {
  return make("button", `dl-button ${className}`, { type: "button", title, "aria-label": title }, [label]);
}
