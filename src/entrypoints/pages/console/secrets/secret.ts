import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell, Impact } from '../../records/page-shapes.ts';
import { counted } from '../../words.ts';
import type { ActionDescription } from '../actions.ts';
import { namesIn, partyCell } from '../audit-log/parties.ts';
import type { RequestContext } from '../request-context.ts';
import { secretPath } from './addresses.ts';

export type Secret = AdminAnswer<'GET /secrets/{path}'>;
export type Version = Secret['versions'][number];
export type Consumers = AdminAnswer<'GET /secrets/{path}/consumers'>;
type Consumer = Consumers['items'][number];

/** The secret that an address names. */
export function getSecret({ api, params: { path = '' } }: RequestContext): Promise<Secret> {
  return api.call('GET /secrets/{path}', { params: { path } });
}

/** A secret, with the common data of its action pages. */
export async function frame(
  context: RequestContext,
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { secret: Secret }> {
  const secret = await getSecret(context);
  return { secret, crumb: context.crumb, name: secret.path, back: secretPath(secret.path) };
}

/** The readers of a secret in the last seven days. */
export function listConsumers({ api }: RequestContext, path: string): Promise<Consumers> {
  return api.call('GET /secrets/{path}/consumers', { params: { path } });
}

/** Consumers as links to their pages, by their names. */
export async function consumerCells(context: RequestContext, items: readonly Consumer[]): Promise<Map<Consumer, Cell>> {
  const parties = items.map(({ kind, id }) => ({
    ...{ actor_kind: kind, actor_id: id, target_kind: null, target_id: null },
  }));
  const names = await namesIn(context, parties);
  return new Map(items.map((item) => [item, partyCell(item.kind, item.id, names)]));
}

const kinds: Readonly<Record<string, string>> = {
  client: 'Client',
  api_key: 'API key',
  user: 'User',
  system: 'Server',
};
export const kindWords = (kind: string) => kinds[kind] ?? kind;

/** The effect on programs that read these versions in the last days. */
export function lostBy({ items }: Consumers, isLost: (version: number) => boolean): Impact[] {
  const readers = new Set(items.filter(({ version }) => isLost(version)).map(({ kind, id }) => `${kind} ${id}`));
  if (readers.size === 0) return [{ text: 'No consumers', words: 'in the last 7 days' }];
  return [{ text: counted(readers.size, 'consumer'), words: 'read it in the last 7 days' }];
}

/** Consumers whose last read was of an earlier version than the current one. */
export function consumersBehind({ items }: Consumers, current: number): Consumer[] {
  const latest = new Map<string, Consumer>();
  for (const item of items) if (!latest.has(`${item.kind} ${item.id}`)) latest.set(`${item.kind} ${item.id}`, item);
  return [...latest.values()].filter(({ version }) => version < current);
}

/** The state of a version, as a badge. */
export function stateCell({ state, number }: Version, current: number): Cell {
  if (state === 'destroyed') return cell.bad('Destroyed');
  if (state === 'deleted') return cell.warn('Deleted');
  if (state === 'expired') return cell.warn('Expired');
  return number === current ? cell.good('Current') : cell.quiet('Previous');
}
