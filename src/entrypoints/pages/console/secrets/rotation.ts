import { earliest } from '../../../../domain/access/index.ts';
import { dayMs, riskDays } from '../../../../domain/credentials/index.ts';
import type { SecretRights } from '../../../../domain/secrets/index.ts';
import { type Period, timeline } from '../../charts/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, Fact, Panel } from '../../records/page-shapes.ts';
import { clockTime, dayAndTime, exactTime, relativeTime, shortDay } from '../../times.ts';
import { counted } from '../../words.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import { type Consumers, consumersBehind } from './consumers.ts';
import type { Secret, Version } from './secret.ts';

type Shown = { secret: Secret; consumers: Consumers };
type Due = Pick<Secret, 'due_at'>;

/** When a secret is due for rotation, in a list; nothing: it is not scheduled. */
export function dueCell({ due_at }: Due, now: Date): Cell {
  if (due_at === null) return cell.text('');
  return due_at <= now ? cell.warn('Due', relativeTime(due_at, now)) : cell.time(due_at);
}

/** The same as a badge beside the name, if it is due. */
export function dueBadge({ due_at }: Due, now: Date): Cell[] {
  return due_at !== null && due_at <= now ? [cell.warn('Due for rotation')] : [];
}

const mostShown = 5;

/** The last versions on an axis of time, and when the next one is due. */
export function schedulePanel({ deps }: RequestContext, shown: Shown): Panel[] {
  const { path, versions, due_at } = shown.secret;
  // One version alone is no history.
  if (versions.length === 0 || (versions.length === 1 && due_at === null)) return [];
  const now = deps.now();
  const last = versions.slice(-mostShown);
  const rows = last.map((version) => rowOf(shown, version, now));
  const next = { label: 'next', periods: dueAfter(due_at, last, now), note: 'due' };
  return [
    {
      heading: 'Rotation schedule',
      intro: scheduleWords(shown.secret, now),
      content: {
        kind: 'timeline',
        timeline: timeline({
          ...{ id: 'rotation', title: `Rotation schedule of ${path}`, now, legend },
          description: rows.map(({ words }) => words).join(' '),
          rows: [...rows, ...(due_at ? [next] : [])],
          table: {
            unit: 'Version',
            columns: ['Current from', 'Current until', 'Readable until'],
            rows: rows.map(({ label, values }) => ({ label, values })),
          },
          labelOf,
        }),
      },
    },
  ];
}

function labelOf(at: Date, spanMs: number): string {
  if (spanMs > 3 * dayMs) return shortDay(at);
  return spanMs > dayMs ? dayAndTime(at) : `${clockTime(at)} UTC`;
}

const legend = [
  { style: 'current', label: 'Current' },
  { style: 'past', label: 'Earlier' },
  { style: 'readable', label: 'Still readable' },
  { style: 'read', label: 'Still read' },
  { style: 'due', label: 'Due' },
] as const;

const endOf = ({ destroyed_at, deleted_at, expires_at }: Version): Date | undefined =>
  earliest([destroyed_at, deleted_at, expires_at]) ?? undefined;

const earlier = (a: Date, b: Date | null | undefined) => earliest([a, b]) ?? a;

function rowOf(shown: Shown, version: Version, now: Date) {
  const { versions, due_at } = shown.secret;
  const { number, created_at } = version;
  const replaced = versions.find((each) => each.number > number)?.created_at;
  const end = endOf(version);
  const periods = replaced
    ? periodsBefore(shown, version, { replaced, end, now })
    : periodsNow(version, { end, due_at, now });
  const until = replaced ? exactTime(replaced) : 'Now';
  const readable = end ? exactTime(end) : 'No limit';
  const label = `v${number}`;
  return {
    ...{ label, periods, note: replaced ? undefined : currentNote(end, due_at, now) },
    values: [exactTime(created_at), until, readable],
    words: `${label} was current from ${exactTime(created_at)} ${replaced ? `until ${until}` : 'on'}.`,
  };
}

function currentNote(end: Date | undefined, due_at: Date | null, now: Date): string | undefined {
  const until = due_at ? earlier(due_at, end) : end;
  return until && until > now ? `current, until ${shortDay(until)}` : undefined;
}

function periodsNow({ created_at }: Version, at: { end: Date | undefined; due_at: Date | null; now: Date }): Period[] {
  const { end, due_at, now } = at;
  const ahead = due_at ? earlier(due_at, end) : end;
  return [
    { from: created_at, to: earlier(now, end), style: 'current' },
    ...(ahead && ahead > now ? [{ from: now, to: ahead, style: 'ahead' } as const] : []),
  ];
}

function periodsBefore(
  { consumers }: Shown,
  { number, created_at }: Version,
  { replaced, end, now }: { replaced: Date; end: Date | undefined; now: Date },
): Period[] {
  const readableTo = earlier(now, end);
  const reads = consumers.items.filter(({ version }) => version === number).map((item) => item.last_read_at.getTime());
  const lastRead = new Date(Math.max(0, ...reads));
  return [
    { from: created_at, to: earlier(replaced, end), style: 'past' },
    ...(readableTo > replaced ? [{ from: replaced, to: readableTo, style: 'readable' } as const] : []),
    ...(lastRead > replaced ? [{ from: replaced, to: lastRead, style: 'read' } as const] : []),
  ];
}

/** The time after a due date, as far as the axis reaches. */
function dueAfter(due_at: Date | null, versions: readonly Version[], now: Date): Period[] {
  if (due_at === null) return [];
  const first = versions[0]?.created_at ?? now;
  const shown = Math.max(due_at.getTime(), now.getTime()) - first.getTime();
  const to = new Date(Math.max(due_at.getTime(), now.getTime()) + shown * 0.3);
  return [{ from: due_at, to, style: 'due' }];
}

/** When the next version is due, and why. */
function scheduleWords({ due_at, risk }: Secret, now: Date): string {
  if (due_at === null)
    return risk === null
      ? 'Rate its risk in the settings to see when it is due for rotation.'
      : 'It is not due for rotation: it has no readable value here, and no date of its last replacement.';
  const why = risk === null ? 'when its version expires' : `${riskDays[risk]} days for ${risk} risk`;
  if (due_at <= now) return `Due for rotation since ${exactTime(due_at)} (${why}). Write or generate a new version.`;
  return `Next rotation due: ${exactTime(due_at)} (${why}).`;
}

/** The rules by which a secret is rotated. */
export function rotationFacts(
  context: RequestContext,
  { secret, consumers, rights }: Shown & { rights: SecretRights },
): Panel {
  const { risk, due_at, versions, current_version, max_versions, rotated_at, delete_after_seconds } = secret;
  const current = versions.find(({ number }) => number === current_version);
  const since = current?.created_at ?? rotated_at;
  const behind = consumersBehind(consumers, current_version);
  const facts: Fact[] = [
    { label: 'Rotation due', cell: due_at ? cell.time(due_at) : cell.text('Not scheduled') },
    { label: 'Interval', cell: cell.text(risk ? `${riskDays[risk]} days (${risk} risk)` : 'None: risk not rated') },
    { label: current ? 'Current version' : 'Last replaced', cell: cell.time(since, 'Not known') },
    {
      label: 'Overlap',
      cell: cell.text(`The previous ${counted(max_versions - 1, 'version')} can be read by number`),
    },
    {
      label: 'Expiry',
      cell: cell.text(
        delete_after_seconds
          ? `${cell.duration(delete_after_seconds)} after each write`
          : 'Versions do not expire by default',
      ),
    },
    { label: 'On earlier versions', cell: cell.text(counted(behind.length, 'consumer')) },
  ];
  const change = { text: 'Change schedule', href: `${secretPath(secret.path)}/change` };
  const mayChange = rights.may('write', secret.path) && context.api.may('PATCH /secrets/{path}');
  return {
    heading: 'Schedule',
    intro: scheduleWords(secret, context.deps.now()),
    ...(mayChange && { link: change }),
    content: { kind: 'facts', facts },
  };
}
