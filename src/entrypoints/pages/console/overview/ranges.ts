import type { AdminAnswer } from '../../../admin/index.ts';
import { clockTime, dayAndTime, shortDay } from '../../times.ts';

export type ActivityAnswer = AdminAnswer<'GET /activity'>;
type Kind = ActivityAnswer['items'][number]['kind'];
type Outcome = ActivityAnswer['items'][number]['outcome'];

const hourMs = 3_600_000;

/** A range that the chart can show: `periods` of one step, the last of which is the present one. */
export type Range = {
  name: string;
  text: string;
  words: string;
  step: '5m' | '1h' | '6h' | '1d';
  stepMs: number;
  periods: number;
  unit: string;
  /** The name of a period in the table, and below the chart. */
  label: (at: Date) => string;
  shortLabel: (at: Date) => string;
};

const ofHours = { unit: 'Hour', label: clockTime, shortLabel: clockTime };

export const ranges: readonly [Range, Range, ...Range[]] = [
  {
    ...{ name: '24h', text: '24 hours', words: 'last 24 hours', step: '1h', stepMs: hourMs, periods: 24 },
    ...ofHours,
  },
  {
    ...{ name: '1h', text: '1 hour', words: 'last hour', step: '5m', stepMs: hourMs / 12, periods: 12 },
    ...{ ...ofHours, unit: 'Five minutes' },
  },
  {
    ...{ name: '7d', text: '7 days', words: 'last 7 days', step: '6h', stepMs: 6 * hourMs, periods: 28 },
    ...{ unit: 'Six hours', label: dayAndTime, shortLabel: shortDay },
  },
  {
    ...{ name: '30d', text: '30 days', words: 'last 30 days', step: '1d', stepMs: 24 * hourMs, periods: 30 },
    ...{ unit: 'Day', label: shortDay, shortLabel: shortDay },
  },
];

/** The counts at each of these starts; a period without an answer has none. */
export function valuesOf(
  { items }: ActivityAnswer,
  starts: readonly Date[],
  isWanted: (kind: Kind, outcome: Outcome) => boolean,
): number[] {
  const sums = new Map<number, number>();
  for (const { starts_at, kind, outcome, count } of items) {
    if (!isWanted(kind, outcome)) continue;
    const at = starts_at.getTime();
    sums.set(at, (sums.get(at) ?? 0) + count);
  }
  return starts.map((at) => sums.get(at.getTime()) ?? 0);
}
