const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** "12.5k", for little room. */
export function shortFigure(value: number): string {
  return compact.format(value).toLowerCase();
}

/** A coordinate, rounded to the visible digits. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}
