// Runs in every page before its own scripts; it returns measurements that only the page itself can take.
const jumps = [];
const placeOf = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries()) {
    if (hadRecentInput) continue;
    const moved = sources.map(
      ({ node, previousRect, currentRect }) => `${node?.nodeName} ${placeOf(previousRect)} → ${placeOf(currentRect)}`,
    );
    jumps.push(`${value}: ${moved.join(', ')}`);
  }
}).observe({ type: 'layout-shift', buffered: true });

const nameOf = (element) => {
  const [label] = element.labels ?? [];
  const text = label ? label.innerText.split('\n')[0] : element.innerText.replaceAll(/\s+/g, ' ');
  return text.trim() || element.getAttribute('aria-label');
};

globalThis.probe = {
  /** Elements that moved since the page began to load, without user input. */
  jumps: () => jumps,

  /** How many pixels the page is wider than the window. */
  overflow: () => Math.max(0, document.scrollingElement.scrollWidth - innerWidth),

  /** The focused element: its name, its position in the document, and whether its focus is visible. */
  focusStop: () => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const { top, left, width, height } = element.getBoundingClientRect();
    return {
      name: nameOf(element),
      order: [...document.querySelectorAll('*')].indexOf(element),
      top: Math.round(top + scrollY),
      left: Math.round(left),
      isOnScreen: width > 0 && height > 0 && top >= 0 && top < innerHeight,
      isMarked: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2,
    };
  },
};
