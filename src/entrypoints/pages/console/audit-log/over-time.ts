import { barChart } from '../../charts/index.ts';
import type { ListChart } from '../../records/page-shapes.ts';
import { clockTime, dayAndTime, exactTime, shortDay } from '../../times.ts';
import { figure } from '../../words.ts';
import type { RequestContext } from '../request-context.ts';

const dayMs = 86_400_000;

/** The matching events of a filter over time; undefined if there are none. */
export async function eventsOverTime(
  { api, deps }: RequestContext,
  query: Record<string, string>,
): Promise<ListChart | undefined> {
  const { from, to, step_seconds, is_partial, items } = await api.call('GET /audit/histogram', { query });
  if (items.length === 0) return undefined;
  const stepMs = step_seconds * 1000;
  const count = Math.max(1, Math.ceil((to.getTime() - from.getTime()) / stepMs));
  const starts = Array.from({ length: count }, (_, n) => new Date(from.getTime() + n * stepMs));
  const of = (outcome: 'success' | 'failure') => {
    const counts = new Map(items.map((item) => [item.starts_at.getTime(), item[outcome]]));
    return starts.map((at) => counts.get(at.getTime()) ?? 0);
  };
  const label = labelOf(stepMs, count);
  const total = items.reduce((sum, { success, failure }) => sum + success + failure, 0);
  const chart = barChart({
    ...{ id: 'over-time', title: 'Events over time', unit: 'From (UTC)', labels: starts.map((at) => label(at)) },
    shortLabels: starts.map((at) => (stepMs * count > 2 * dayMs ? shortDay(at) : clockTime(at))),
    series: [
      { label: 'Succeeded', tone: 1, values: of('success') },
      { label: 'Denied or failed', tone: 2, values: of('failure') },
    ],
    height: 96,
    endsNow: deps.now().getTime() - to.getTime() < stepMs,
  });
  const since = `since ${exactTime(from)}`;
  const note = is_partial
    ? `The newest events only: ${figure(total)} ${since}. Choose a time to see earlier ones.`
    : `${figure(total)} ${total === 1 ? 'event' : 'events'} ${since}.`;
  return { chart, note };
}

function labelOf(stepMs: number, count: number): (at: Date) => string {
  if (stepMs >= dayMs) return shortDay;
  return stepMs * count > dayMs ? dayAndTime : clockTime;
}
