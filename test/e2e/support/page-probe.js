// Runs in every page before its own scripts; tests ask it what only the page itself can measure.
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
  /** What has moved since the page began to load, without its person having done anything. */
  jumps: () => jumps,

  /** By how many pixels the page is wider than the window. */
  overflow: () => Math.max(0, document.scrollingElement.scrollWidth - innerWidth),

  /** What has the focus: its name, its place in the document, and whether one can see that it has the focus. */
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
