import { choiceFilter, type ListFilter } from '../records/filters.ts';

const presets = {
  '1h': { text: 'Last hour', hours: 1 },
  '24h': { text: 'Last 24 hours', hours: 24 },
  '7d': { text: 'Last 7 days', hours: 7 * 24 },
  '30d': { text: 'Last 30 days', hours: 30 * 24 },
} as const;

export type Preset = keyof typeof presets;

/** The name of a range of time that ends now. */
export const presetText = (preset: Preset): string => presets[preset].text;

const isPreset = (text: string): text is Preset => Object.hasOwn(presets, text);

/** The selection of a range, or all time. */
export const presetFilter = choiceFilter(
  { name: 'range', label: 'Time', any: 'All time' },
  Object.fromEntries(Object.entries(presets).map(([name, { text }]) => [name, text])),
);

/** The filters of a list by time: a preset, or your own start and end. */
export const rangeFilters: readonly ListFilter[] = [
  presetFilter,
  { name: 'from', label: 'From (UTC)', options: [], type: 'datetime-local' },
  { name: 'to', label: 'To (UTC)', options: [], type: 'datetime-local' },
];

type Chosen = Partial<Record<'range' | 'from' | 'to', string | undefined>>;

/** The range of the filters, as a route accepts it: an explicit start takes precedence over that of a preset. */
export function rangeIn(now: Date, { range = '', from, to }: Chosen): { from?: string; to?: string } {
  const hours = isPreset(range) ? presets[range].hours : undefined;
  const start = from ? inUtc(from) : hours && new Date(now.getTime() - hours * 3_600_000).toISOString();
  return { ...(start && { from: start }), ...(to && { to: inUtc(to) }) };
}

/** A time in the format of a browser's field, which has no zone. */
const inUtc = (text: string): string =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${padded(text)}Z` : text;
const padded = (text: string) => (text.length === 16 ? `${text}:00` : text);
