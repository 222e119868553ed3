import { dayMs } from '../../../domain/credentials/index.ts';
import { barChart } from '../charts/index.ts';
import { type Catalogue, en } from '../languages/en.ts';
import { periodsUntil, shortDay } from '../times.ts';
import { figure } from '../words.ts';
import * as cell from './cells.ts';
import type { Panel } from './page-shapes.ts';

/** The admin API's data about the usage of a key or client. */
export type UsageAnswer = {
  last_used_at: Date | null;
  allowed: number;
  refused: number;
  days: readonly { day: string; allowed: number; refused: number }[];
};

const days = 30;

/**
 * The use in the last 30 days, including today: figures, and a bar for each day, in UTC.
 *
 * @param what the name of allowed uses: `Requests`, `Tokens`
 */
export function usagePanel(
  usage: UsageAnswer,
  { what, now, texts = en }: { what: string; now: Date; texts?: Catalogue },
): Panel {
  const t = texts.charts;
  const heading = t.usage({ count: days });
  const starts = periodsUntil(now, { stepMs: dayMs, periods: days });
  const byDay = new Map(usage.days.map((day) => [day.day, day]));
  const values = (of: 'allowed' | 'refused') => starts.map((at) => byDay.get(at.toISOString().slice(0, 10))?.[of] ?? 0);
  const chart = barChart({
    ...{ id: 'usage', title: heading, unit: t.day, labels: starts.map((at) => shortDay(at, texts)), texts },
    series: [
      { label: what, tone: 1, values: values('allowed') },
      { label: t.denied, tone: 2, values: values('refused') },
    ],
  });
  const facts = [
    { label: what, cell: cell.text(figure(usage.allowed, texts.tag)) },
    { label: t.denied, cell: cell.text(deniedIn(usage, texts)) },
    { label: t.lastUsed, cell: cell.time(usage.last_used_at, texts.records.never) },
  ];
  return { heading, content: { kind: 'usage', facts, chart } };
}

function deniedIn({ allowed, refused }: UsageAnswer, { tag, charts }: Catalogue): string {
  if (refused === 0) return '0';
  const percent = (refused / (allowed + refused)) * 100;
  const least = 0.1;
  const rounded = figure(Math.max(least, Math.round(percent * 10) / 10), tag);
  return charts.share({
    figure: figure(refused, tag),
    percent: percent < least ? charts.lessThan({ percent: rounded }) : rounded,
  });
}
