import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import type { Cell, Impact, Panel } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import { exactTime } from '../../times.ts';
import { counted } from '../../words.ts';
import type { ActionDescription } from '../actions.ts';
import type { RouteName } from '../admin-client.ts';
import { namesIn, partyCell } from '../audit-log/parties.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';
import type { Secret } from './secret.ts';

export type Consumers = AdminAnswer<'GET /secrets/{path}/consumers'>;
export type Consumer = Consumers['items'][number];

const usualDays = 7;

/** The readers of a secret in the last days; default: seven. */
export function listConsumers(
  { api }: RequestContext,
  path: string,
  query: { days?: string; version?: string } = {},
): Promise<Consumers> {
  return api.call('GET /secrets/{path}/consumers', { params: { path }, query });
}

type Party = { kind: string; id: string | null };

/** Parties as links to their pages, by their names. */
export async function partyCells<P extends Party>(
  context: RequestContext,
  parties: readonly P[],
): Promise<Map<P, Cell>> {
  const asActors = parties.map(({ kind, id }) => ({
    ...{ actor_kind: kind, actor_id: id, target_kind: null, target_id: null },
  }));
  const names = await namesIn(context, asActors);
  return new Map(parties.map((party) => [party, cellOf(context, party, names)]));
}

/** The routes without which the page of a party cannot be opened. */
const routes: Readonly<Record<string, RouteName>> = {
  user: 'GET /users',
  client: 'GET /clients',
  api_key: 'GET /api-keys',
};

function cellOf({ api }: RequestContext, { kind, id }: Party, names: Parameters<typeof partyCell>[2]): Cell {
  if (kind === 'system' && !id) return cell.text('System');
  const shown = partyCell(kind, id, names);
  const route = routes[kind];
  return shown.kind === 'link' && route && !api.may(route) ? cell.text(shown.text) : shown;
}

const kinds: Readonly<Record<string, string>> = {
  client: 'Client',
  api_key: 'API key',
  user: 'User',
  system: 'Server',
};
const kindWords = (kind: string) => kinds[kind] ?? kind;
const readerOf = ({ kind, id }: Party) => `${kind} ${id}`;

const mostNamed = 10;
const nameOf = (shown: Cell | undefined) => (shown && 'text' in shown ? shown.text : 'A reader');

/** Whom an action on versions affects: who read them in the last days. */
export async function affected(
  context: RequestContext,
  { items, is_partial, since }: Consumers,
  isAffected: (version: number) => boolean,
): Promise<Pick<ActionDescription, 'impact' | 'impact_heading'>> {
  const latest = latestOf(items.filter(({ version }) => isAffected(version)));
  const named = latest.slice(0, mostNamed);
  const cells = await partyCells(context, named);
  const impact = named.map((item): Impact => ({ text: nameOf(cells.get(item)), words: lastRead(item) }));
  const others = latest.length - named.length;
  const from = is_partial ? `since ${exactTime(since)}` : 'in the last 7 days';
  return {
    impact_heading: latest.length === 0 ? `Consumers ${from}:` : `${counted(latest.length, 'consumer')} ${from}:`,
    impact: [
      ...impact,
      ...(others > 0 ? [{ text: `${counted(others, 'more consumer')}`, words: 'listed on the Access tab' }] : []),
      ...(latest.length === 0 ? [{ text: 'None', words: 'Programs that read it before are not counted.' }] : []),
    ],
  };
}

function lastRead({ kind, version, reads, last_read_at, address }: Consumer): string {
  const place = address ? ` from ${address}` : '';
  return `${kindWords(kind)} · ${counted(reads, 'read')} of v${version}, the last ${exactTime(last_read_at)}${place}`;
}

/** The last read of each consumer. Consumers are listed with the latest first. */
function latestOf(items: readonly Consumer[]): Consumer[] {
  const latest = new Map<string, Consumer>();
  for (const item of items) if (!latest.has(readerOf(item))) latest.set(readerOf(item), item);
  return [...latest.values()];
}

/** Consumers whose last read was of an earlier version than the current one. */
export function consumersBehind({ items }: Consumers, current: number): Consumer[] {
  return latestOf(items).filter(({ version }) => version < current);
}

const mostShort = 5;
const mostListed = 100;

/** The latest consumers, for the overview. */
export async function shortConsumersPanel(
  context: RequestContext,
  secret: Secret,
  consumers: Consumers,
): Promise<Panel> {
  const { length } = consumers.items;
  const link = { text: length > mostShort ? `All ${length}` : 'Details', href: accessPath(secret.path) };
  const shown = consumers.items.slice(0, mostShort);
  return {
    heading: 'Consumers',
    link,
    intro: introOf(consumers, usualDays),
    content: await table(context, secret, shown),
  };
}

const accessPath = (path: string, query: Record<string, string> = {}) =>
  addressOf(secretPath(path), { tab: 'access', ...query });

/** The address of the readers of a version. */
export const readersPath = (path: string, number: number) => accessPath(path, { version: String(number) });

const ranges = { '1': 'Last 24 hours', '7': 'Last 7 days', '30': 'Last 30 days', '90': 'Last 90 days' } as const;

/** The consumers of all versions, or of the one that the address names, in a range of time. */
export async function accessPanel(context: RequestContext, secret: Secret): Promise<Panel> {
  const { path } = secret;
  const asked = one(context.ctx.query.days);
  const days = Object.hasOwn(ranges, asked) ? asked : String(usualDays);
  const version = secret.versions.find(({ number }) => String(number) === one(context.ctx.query.version));
  const of = version ? { version: String(version.number) } : undefined;
  const consumers = await listConsumers(context, path, { days, ...of });
  return {
    heading: version ? `Consumers of v${version.number}` : 'Consumers',
    link: version ? { text: 'Show all versions', href: accessPath(path, { days }) } : undefined,
    choices: Object.entries(ranges).map(([each, label]) => ({
      label,
      href: accessPath(path, { ...of, days: each }),
      is_current: each === days,
    })),
    intro: introOf(consumers, Number(days)),
    content: await table(context, secret, consumers.items.slice(0, mostListed)),
  };
}

function introOf({ is_partial, since, items }: Consumers, days: number): string {
  const cut = items.length > mostListed ? ` The ${mostListed} latest are listed.` : '';
  if (is_partial) return `Who read a version since ${exactTime(since)}. Earlier reads are in the audit log.${cut}`;
  return `Who read a version in the last ${counted(days, 'day')}, as the audit log recorded it.${cut}`;
}

async function table(context: RequestContext, { current_version }: Secret, items: readonly Consumer[]) {
  const cells = await partyCells(context, items);
  return {
    kind: 'table' as const,
    columns: [
      ...['Consumer', 'Kind', 'Version', 'Last read', 'From'].map((label) => ({ label })),
      { label: 'Reads, 24 hours', is_number: true },
      { label: 'Reads', is_number: true },
    ],
    rows: items.map((item) => [
      cells.get(item) ?? cell.text(''),
      cell.text(kindWords(item.kind)),
      item.version === current_version
        ? cell.good(`v${item.version}, current`)
        : cell.warn(`v${item.version}, earlier`),
      cell.time(item.last_read_at),
      item.address ? cell.code(item.address) : cell.text(''),
      cell.number(item.reads_24h),
      cell.number(item.reads),
    ]),
    empty: 'No one read it in this time. Programs read it with Vault’s API, the admin API or latchkey run.',
  };
}
