import { choiceFilter, type ListFilter } from '../records/filters.ts';

const presets: Readonly<Record<string, { text: string; hours: number }>> = {
  '1h': { text: 'Last hour', hours: 1 },
  '24h': { text: 'Last 24 hours', hours: 24 },
  '7d': { text: 'Last 7 days', hours: 7 * 24 },
  '30d': { text: 'Last 30 days', hours: 30 * 24 },
};

/** The filters of a list by time: a preset, or your own start and end. */
export const rangeFilters: readonly ListFilter[] = [
  choiceFilter(
    { name: 'range', label: 'Time', any: 'All time' },
    Object.fromEntries(Object.entries(presets).map(([name, { text }]) => [name, text])),
  ),
  { name: 'from', label: 'From (UTC)', options: [], type: 'datetime-local' },
  { name: 'to', label: 'To (UTC)', options: [], type: 'datetime-local' },
];

type Chosen = Partial<Record<'range' | 'from' | 'to', string | undefined>>;

/** The range that the filters name, as a route takes it: an own start takes precedence over that of a preset. */
export function rangeIn(now: Date, { range = '', from, to }: Chosen): { from?: string; to?: string } {
  const hours = presets[range]?.hours;
  const start = from ? inUtc(from) : hours && new Date(now.getTime() - hours * 3_600_000).toISOString();
  return { ...(start && { from: start }), ...(to && { to: inUtc(to) }) };
}

/** A time as a browser's field writes it, which names no zone. */
const inUtc = (text: string): string =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${padded(text)}Z` : text;
const padded = (text: string) => (text.length === 16 ? `${text}:00` : text);
