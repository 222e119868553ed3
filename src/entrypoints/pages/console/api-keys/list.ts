import { KeyView, MintedKeyView, RotatedKeyView, UsageView } from '../../../../domain/api-keys/index.ts';
import { Problem, pageOf } from '../../../../platform/http/index.ts';
import { type Key, type KeyDoors, type KeyPlace, type KeyVerb, shortOf } from '../../keys/key-context.ts';
import { keyFilters, keyPage, states } from '../../keys/key-page.ts';
import * as cell from '../../records/cells.ts';
import type { Rows } from '../../records/lists.ts';
import type { Cell, Fact } from '../../records/page-shapes.ts';
import type { AdminCalls, RouteName } from '../admin-client.ts';
import type { List } from '../lists.ts';
import { type Place, showInConsole } from '../request-context.ts';

export const section = 'api-keys' as const;
const crumb = { text: 'API keys', href: '/console/api-keys' };
const keyPath = (id: string) => `/console/api-keys/${encodeURIComponent(id)}`;

/** With which route of the admin API a key is dealt with. */
export const keyRoutes = {
  change: 'PATCH /api-keys/{key_id}',
  rotate: 'POST /api-keys/{key_id}/rotate',
  disable: 'POST /api-keys/{key_id}/disable',
  enable: 'POST /api-keys/{key_id}/enable',
  revoke: 'POST /api-keys/{key_id}/revoke',
} as const satisfies Record<KeyVerb, RouteName>;

/** The keys of services and people, in the environments there are. */
export const apiKeyList = (environments: readonly string[]): List => ({
  section,
  heading: 'Which API keys are there?',
  intro: 'With which services and people call APIs. Their texts are stored nowhere.',
  columns: ['Name', 'Key', 'Owner', 'Environment', 'State', 'Last used'],
  search: 'Name, description or how it starts',
  filters: [
    ...keyFilters(environments),
    { name: 'client_id', label: 'Client', options: [] },
    { name: 'user', label: 'Person', options: [] },
  ],
  empty: 'There is no API key yet. Mint one here, with “latchkey key create” or with POST /admin/v1/api-keys.',
  acts: [
    {
      does: 'POST /api-keys',
      label: 'Mint a key',
      href: '/console/new-api-key',
      danger: false,
      words: 'With which a service or a person calls APIs',
    },
  ],
  read: async ({ calls }, query) => {
    const { items, next } = await calls.read('GET /api-keys', pageOf(KeyView), { query }).catch(noneOfNobody);
    return { rows: items.map(rowOf), next };
  },
});

/** Of an owner whom there is not, there are no keys. */
function noneOfNobody(error: unknown): { items: Key[]; next: Rows['next'] } {
  if (error instanceof Problem && error.options.pointer === '/owner') return { items: [], next: null };
  throw error;
}

function rowOf(key: Key): Cell[] {
  return [
    cell.link(key.name, keyPath(key.id)),
    cell.code(shortOf(key)),
    cell.text(key.owner.name),
    cell.text(key.environment),
    states[key.state].cell,
    cell.time(key.last_used_at),
  ];
}

/** Everybody's keys, as this administrator may deal with them. */
export function withKeys(place: Place): KeyPlace {
  const { calls } = place;
  const may = (verb: KeyVerb) => calls.may(keyRoutes[verb]);
  const ownerFacts = (key: Key) => [ownerFact(place, key)];
  const held = async () => [];
  return { ...place, keys: doorsOf(calls), crumb, pathOf: keyPath, may, ownerFacts, held, isOwn: false };
}

function doorsOf(calls: AdminCalls): KeyDoors {
  const of = (key_id: string) => ({ params: { key_id } });
  return {
    get: (id) => calls.read('GET /api-keys/{key_id}', KeyView, of(id)),
    usage: (id) => calls.read('GET /api-keys/{key_id}/usage', UsageView, of(id)),
    mint: (body) => calls.read('POST /api-keys', MintedKeyView, { body }),
    change: (id, body, ifVersion) => calls.act(keyRoutes.change, { ...of(id), body, ifVersion }),
    rotate: (id, body) => calls.read(keyRoutes.rotate, RotatedKeyView, { ...of(id), body }),
    disable: (id) => calls.act(keyRoutes.disable, of(id)),
    enable: (id) => calls.act(keyRoutes.enable, of(id)),
    revoke: (id) => calls.act(keyRoutes.revoke, of(id)),
  };
}

function ownerFact({ calls }: Place, { owner: { kind, name } }: Key): Fact {
  const [route, path] =
    kind === 'client' ? (['GET /clients', '/console/clients'] as const) : (['GET /users', '/console/people'] as const);
  const owner = calls.may(route) ? cell.link(name, `${path}/${encodeURIComponent(name)}`) : cell.text(name);
  return { label: 'Owner', cell: owner };
}

export async function showKey(place: Place): Promise<void> {
  showInConsole(place, 'console-detail', { section, ...(await keyPage(withKeys(place))) });
}
