import { barChart } from '../charts/index.ts';
import { periodsUntil, shortDay } from '../times.ts';
import { figure } from '../words.ts';
import * as cell from './cells.ts';
import type { Panel } from './page-shapes.ts';

/** What the admin API answers about the usage of a key or client. */
export type UsageAnswer = {
  last_used_at: Date | null;
  allowed: number;
  refused: number;
  days: readonly { day: string; allowed: number; refused: number }[];
};

const days = 30;
const dayMs = 86_400_000;

/**
 * How often something was used in the last 30 days, of which today is the last: figures, and a bar for each day, in UTC.
 *
 * @param what what is counted where it was allowed: `Requests`, `Tokens`
 */
export function usagePanel(usage: UsageAnswer, { what, now }: { what: string; now: Date }): Panel {
  const heading = `Usage, ${days} days`;
  const starts = periodsUntil(now, { stepMs: dayMs, periods: days });
  const byDay = new Map(usage.days.map((day) => [day.day, day]));
  const values = (of: 'allowed' | 'refused') => starts.map((at) => byDay.get(at.toISOString().slice(0, 10))?.[of] ?? 0);
  const chart = barChart({
    ...{ id: 'usage', title: heading, unit: 'Day', labels: starts.map(shortDay) },
    series: [
      { label: what, tone: 1, values: values('allowed') },
      { label: 'Denied', tone: 2, values: values('refused') },
    ],
  });
  const facts = [
    { label: what, cell: cell.text(figure(usage.allowed)) },
    { label: 'Denied', cell: cell.text(deniedIn(usage)) },
    { label: 'Last used', cell: cell.time(usage.last_used_at) },
  ];
  return { heading, content: { kind: 'usage', facts, chart } };
}

function deniedIn({ allowed, refused }: UsageAnswer): string {
  if (refused === 0) return '0';
  const percent = (refused / (allowed + refused)) * 100;
  return `${figure(refused)} (${percent < 0.1 ? 'less than 0.1' : figure(Math.round(percent * 10) / 10)}%)`;
}
