// A long list of which only the lines that can be seen are drawn.

import { make } from "../../../view/js/elements.js";

const SPARE = 6; // lines above and below what is seen

/**
 * @param {{height: number, className: string, attributes?: Record<string, string>, draw: (index: number) => HTMLElement}} about height of a line in px
 */
export function rolling({ height, className, attributes = {}, draw }) {
  const lines = make("div", "dl-lines");
  const room = make("div", "dl-room", {}, [lines]);
  const element = make("div", `dl-rolling ${className}`, { tabindex: "0", "data-lm-suppress-shortcuts": "true", ...attributes }, [room]);
  let count = 0;
  let frame = 0;
  const refresh = () => {
    frame = 0;
    const first = Math.max(0, Math.floor(element.scrollTop / height) - SPARE);
    const last = Math.min(count, Math.ceil((element.scrollTop + element.clientHeight) / height) + SPARE);
    lines.style.transform = `translateY(${first * height}px)`;
    lines.replaceChildren(...Array.from({ length: Math.max(0, last - first) }, (_, k) => draw(first + k)));
  };
  const later = () => {
    frame ||= requestAnimationFrame(refresh);
  };
  element.addEventListener("scroll", later, { passive: true });
  const sizes = new ResizeObserver(later);
  sizes.observe(element);
  return {
    element,
    refresh,
    /** How many lines fit. */
    page: () => Math.max(1, Math.floor(element.clientHeight / height) - 1),
    /** @param {number} now */
    set(now) {
      count = now;
      room.style.height = `${now * height}px`;
      refresh();
    },
    /** Scroll so far that a line is seen, and `after` lines behind it. @param {number} index @param {number} [after] */
    reveal(index, after = 0) {
      const top = index * height;
      const bottom = Math.min((index + 1 + after) * height, top + element.clientHeight);
      if (top < element.scrollTop) element.scrollTop = Math.max(0, top - 2 * height);
      else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = Math.min(top - height, bottom + 2 * height - element.clientHeight);
      refresh();
    },
    destroy() {
      sizes.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}
