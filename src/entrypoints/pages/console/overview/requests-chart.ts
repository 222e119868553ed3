import { areaChart } from '../../charts/index.ts';
import { periodsUntil } from '../../times.ts';
import type { RequestContext } from '../request-context.ts';
import type { RangeLink, RequestsChart } from './page-data.ts';
import { type Range, ranges, valuesOf } from './ranges.ts';

// A job counts every minute, and so does a request for this page.
const lateMs = 5 * 60_000;
const notRequests = ['sign_in', 'session'];

/** The range in the address; default: 24 hours. */
export function rangeIn(name: string | undefined): Range {
  return ranges.find((range) => range.name === name) ?? ranges[0];
}

/** Links to all ranges, shortest first. */
export function rangeLinks(current: Range): RangeLink[] {
  return ranges
    .toSorted((a, b) => a.stepMs - b.stepMs)
    .map(({ name, text }) => ({ text, href: `/console?range=${name}`, isCurrent: name === current.name }));
}

/** Requests by result over a range: for tokens, and about keys and tokens. */
export async function requestsChart({ api, deps }: RequestContext, range: Range): Promise<RequestsChart> {
  const now = deps.now();
  const starts = periodsUntil(now, range);
  const from = starts[0] ?? now;
  const query = { from: from.toISOString(), to: now.toISOString(), step: range.step };
  const activity = await api.call('GET /activity', { query });
  const of = (wanted: string) =>
    valuesOf(activity, starts, (kind, outcome) => outcome === wanted && !notRequests.includes(kind));
  const until = activity.counted_until;
  return {
    since: from,
    counted_until: now.getTime() - until.getTime() > lateMs ? until : undefined,
    chart: areaChart({
      id: 'requests',
      title: `Requests by result, ${range.words}`,
      unit: range.unit,
      labels: starts.map(range.label),
      shortLabels: starts.map(range.shortLabel),
      series: [
        { label: 'Allowed', tone: 1, values: of('allowed') },
        { label: 'Denied', tone: 2, values: of('refused') },
      ],
    }),
  };
}
