import { sparkline, type Tone } from '../../charts/index.ts';
import { clockTime, periodsUntil, shortDay } from '../../times.ts';
import { figure } from '../../words.ts';
import type { RequestContext } from '../request-context.ts';
import type { Tile } from './page-data.ts';
import { type ActivityAnswer, valuesOf } from './ranges.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const dayInHours = { stepMs: hourMs, periods: 24 };
// Below this number, a rate of twice the usual one is chance.
const fewestAlarming = 10;
const alarmingTimes = 2;

type Read = { now: Date; hours: ActivityAnswer; lastHour: ActivityAnswer; days: ActivityAnswer };

/** Four figures, each with a comparison and its course over 24 hours. */
export async function tilesFor(context: RequestContext): Promise<Tile[]> {
  const { api } = context;
  const now = context.deps.now();
  const since = (ms: number, step: '5m' | '1h' | '1d') =>
    api.call('GET /activity', {
      query: { from: new Date(now.getTime() - ms).toISOString(), to: now.toISOString(), step },
    });
  // The first call counts new events, for all of them.
  const hours = await since(2 * dayMs, '1h');
  const [lastHour, days, sessions] = await Promise.all([
    since(hourMs, '5m'),
    since(8 * dayMs, '1d'),
    api.call('GET /activity/sessions'),
  ]);
  const read = { now, hours, lastHour, days };
  return [
    tokensTile(read, linkTo(context, 'audit-log', '?action=access_token.issued')),
    sessionsTile(read, sessions, linkTo(context, 'sessions')),
    apiKeysTile(read, linkTo(context, 'api-keys')),
    failedSignInsTile(read, linkTo(context, 'audit-log', '?action=session.refused')),
  ];
}

/** The address of a section; undefined if the user does not see it. */
export function linkTo({ sections }: Pick<RequestContext, 'sections'>, section: string, rest = ''): string | undefined {
  return sections.some((item) => item.section === section) ? `/console/${section}${rest}` : undefined;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function tokensTile({ now, hours }: Read, href: string | undefined): Tile {
  const isToken = (kind: string, outcome: string) => kind === 'token' && outcome === 'allowed';
  const hoursToday = now.getUTCHours() + 1;
  const values = valuesOf(hours, periodsUntil(now, { stepMs: hourMs, periods: hoursToday + 24 }), isToken);
  const today = values.slice(24);
  return {
    label: 'Tokens issued today',
    href,
    value: figure(sum(today)),
    // The present hour is not over: both days up to its start.
    comparison: changeOf(sum(today.slice(0, -1)), sum(values.slice(0, hoursToday - 1)), hoursToday - 1),
    isAlarming: false,
    spark: sparkline('Tokens issued per hour', values.slice(-24)),
  };
}

function changeOf(present: number, before: number, hour: number): string {
  const until = `${String(hour).padStart(2, '0')}:00`;
  if (hour === 0) return 'Since midnight';
  if (before === 0) return `None yesterday by ${until}`;
  const percent = Math.round(Math.abs(present / before - 1) * 100);
  if (percent === 0) return `As many as yesterday by ${until}`;
  return `${figure(percent)}% ${present > before ? 'more' : 'fewer'} than yesterday by ${until}`;
}

type Sessions = { active: number; is_capped: boolean };

function sessionsTile({ now, hours, lastHour }: Read, sessions: Sessions, href: string | undefined): Tile {
  const starts = periodsUntil(now, { stepMs: hourMs / 12, periods: 12 });
  const started = sum(valuesOf(lastHour, starts, (kind, outcome) => kind === 'sign_in' && outcome === 'allowed'));
  const values = valuesOf(hours, periodsUntil(now, dayInHours), (kind) => kind === 'session');
  return {
    label: 'Active sessions',
    href,
    value: `${figure(sessions.active)}${sessions.is_capped ? '+' : ''}`,
    comparison: `${figure(started)} started since ${clockTime(starts[0] ?? now)}`,
    isAlarming: false,
    spark: sparkline('Active sessions per hour', [
      ...values.slice(0, -1),
      Math.max(values.at(-1) ?? 0, sessions.active),
    ]),
  };
}

function apiKeysTile({ now, hours }: Read, href: string | undefined): Tile {
  const starts = periodsUntil(now, dayInHours);
  const values = valuesOf(hours, starts, (kind) => kind === 'api_key');
  const allowed = sum(valuesOf(hours, starts, (kind, outcome) => kind === 'api_key' && outcome === 'allowed'));
  const requests = sum(values);
  const share = `${Math.floor((allowed / Math.max(1, requests)) * 1000) / 10}% allowed`;
  return {
    label: 'API key requests',
    href,
    value: figure(requests),
    comparison: `${requests === 0 ? 'None' : share} since yesterday, ${clockTime(starts[0] ?? now)}`,
    isAlarming: false,
    spark: sparkline('API key requests per hour', values),
  };
}

function failedSignInsTile({ now, hours, days }: Read, href: string | undefined): Tile {
  const isFailed = (kind: string, outcome: string) => kind === 'sign_in' && outcome === 'refused';
  const starts = periodsUntil(now, dayInHours);
  const values = valuesOf(hours, starts, isFailed);
  const failed = sum(values);
  const usual = usualRate(now, days, isFailed);
  const times = usual ? failed / usual : 0;
  const isAlarming = failed >= fewestAlarming && times >= alarmingTimes;
  const tone: Tone = isAlarming ? 3 : 1;
  return {
    label: 'Failed sign-ins',
    href,
    value: figure(failed),
    comparison: isAlarming ? `${Math.floor(times)} times the usual rate` : usualInWords(usual, starts[0] ?? now),
    isAlarming,
    spark: sparkline('Failed sign-ins per hour', values, tone),
  };
}

function usualInWords(usual: number | undefined, since: Date): string {
  if (usual === undefined) return `Since yesterday, ${clockTime(since)}`;
  return usual < 1 ? 'Usually fewer than 1 a day' : `Usually ${figure(Math.round(usual))} a day`;
}

/** The mean of the seven whole days before today; undefined if nothing is known of the first of them. */
function usualRate(
  now: Date,
  days: ActivityAnswer,
  isWanted: (kind: string, outcome: string) => boolean,
): number | undefined {
  const starts = periodsUntil(now, { stepMs: dayMs, periods: 8 }).slice(0, 7);
  const [first] = starts;
  const isKnown = days.items.some(({ starts_at }) => first && shortDay(starts_at) === shortDay(first));
  return isKnown ? sum(valuesOf(days, starts, isWanted)) / starts.length : undefined;
}
