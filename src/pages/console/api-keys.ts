import type { z } from 'zod';
import { isLiveVersion, KeyView, UsageView } from '../../api-keys/index.ts';
import { Problem, pageOf } from '../../platform/http/index.ts';
import { counted } from '../words.ts';
import * as cell from './cells.ts';
import type { Cell, DetailPage, Fact, Table } from './console-pages.ts';
import type { List, Rows } from './lists.ts';
import { noticeIn } from './notices.ts';
import { allowedActs, type Place, showInConsole } from './place.ts';
import { rightLine } from './rights-lines.ts';

export type Key = z.output<typeof KeyView>;

export const section = 'api-keys' as const;
export const crumb = { text: 'API keys', href: '/console/api-keys' };
export const keyPath = (id: string) => `/console/api-keys/${encodeURIComponent(id)}`;

const states: Record<Key['state'], { cell: Cell; text: string }> = {
  active: { cell: cell.good('works'), text: 'works' },
  disabled: { cell: cell.bad('disabled'), text: 'disabled' },
  expired: { cell: cell.quiet('expired'), text: 'expired' },
  revoked: { cell: cell.bad('revoked'), text: 'revoked' },
};

/** The keys of services and people, in the environments there are. */
export const apiKeyList = (environments: readonly string[]): List => ({
  section,
  heading: 'Which API keys are there?',
  intro: 'With which services and people call APIs. Their texts are stored nowhere.',
  columns: ['Name', 'Key', 'Owner', 'Environment', 'State', 'Last used'],
  search: 'Name, description or how it starts',
  filters: [
    {
      name: 'environment',
      label: 'Environment',
      options: [{ value: '', text: 'in every environment' }, ...environments.map((value) => ({ value, text: value }))],
    },
    {
      name: 'state',
      label: 'State',
      options: [
        { value: '', text: 'in every state' },
        ...Object.entries(states).map(([value, { text }]) => ({ value, text })),
      ],
    },
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

/** What of a key may be shown: how the present text starts, and its last four characters. */
export function shortOf({ versions: [present] }: Pick<Key, 'versions'>): string {
  return present ? `${present.start}…${present.last_four}` : '';
}

/** The key that an address names. */
export function getKeyOf({ calls, params: { key_id = '' } }: Place): Promise<Key> {
  return calls.read('GET /api-keys/{key_id}', KeyView, { params: { key_id } });
}

/** One key: whose it is, what it may, its texts and its use, and what can be done with it. */
export async function showKey(place: Place): Promise<void> {
  const key = await getKeyOf(place);
  const page: DetailPage = {
    section,
    crumb,
    heading: 'What is',
    name: key.name,
    notice: noticeIn(place.ctx),
    facts: factsOf(place, key),
    tables: [versionsTable(key, place.deps.now()), await usageTable(place, key)],
    acts: actsOf(place, key),
  };
  showInConsole(place, 'console-detail', page);
}

function factsOf(place: Place, key: Key): Fact[] {
  const { permissions, roles, restrictions_in_words, tags, metadata, revoked_at } = key;
  const said = Object.entries(metadata).map(([name, value]) => `${name}=${String(value)}`);
  return [
    { label: 'Key', cell: cell.code(shortOf(key)) },
    { label: 'Id', cell: cell.copied(key.id) },
    ...(key.description === null ? [] : [{ label: 'Is for', cell: cell.text(key.description) }]),
    { label: 'Owner', cell: ownerCell(place, key) },
    { label: 'Environment', cell: cell.text(key.environment) },
    { label: 'State', cell: states[key.state].cell },
    { label: 'It may', cell: cell.codes(permissions.map(rightLine), 'nothing by itself') },
    ...(roles.length > 0 ? [{ label: 'With roles', cell: cell.codes(roles) }] : []),
    { label: 'But', cell: cell.text(restrictions_in_words.join('; ') || 'without any restriction') },
    { label: 'Risk', cell: cell.text(key.risk) },
    ...(tags.length > 0 ? [{ label: 'Tags', cell: cell.codes(tags) }] : []),
    ...(said.length > 0 ? [{ label: 'Is said of it', cell: cell.codes(said) }] : []),
    revoked_at
      ? { label: 'Revoked', cell: cell.time(revoked_at) }
      : { label: 'Expires', cell: cell.time(key.expires_at) },
    { label: 'Last used', cell: cell.time(key.last_used_at) },
    { label: 'Minted', cell: cell.time(key.created_at) },
    { label: 'Changed', cell: cell.time(key.updated_at) },
  ];
}

function ownerCell({ calls }: Place, { owner: { kind, name } }: Key): Cell {
  const [route, path] =
    kind === 'client' ? (['GET /clients', '/console/clients'] as const) : (['GET /users', '/console/people'] as const);
  return calls.may(route) ? cell.link(name, `${path}/${encodeURIComponent(name)}`) : cell.text(name);
}

function versionsTable(key: Key, now: Date): Table {
  const isOver = key.state === 'revoked' || key.state === 'expired';
  const rows = key.versions.map((version) => [
    cell.code(shortOf({ versions: [version] })),
    !isOver && isLiveVersion(version, now) ? states[key.state].cell : cell.quiet('over'),
    cell.time(version.issued_at),
    version.ends_at ? cell.time(version.ends_at) : cell.text('with the key'),
  ]);
  return {
    heading: 'Texts',
    intro: 'A rotation makes a new one; the one before works until the overlap is over.',
    columns: ['Text', 'State', 'Made', 'Ends'],
    rows,
    empty: 'None.',
    acts: [],
  };
}

async function usageTable({ calls }: Place, { id }: Key): Promise<Table> {
  const { days, allowed, refused } = await calls.read('GET /api-keys/{key_id}/usage', UsageView, {
    params: { key_id: id },
  });
  const rows = days
    .toReversed()
    .map((day) => [cell.code(day.day), cell.text(String(day.allowed)), cell.text(String(day.refused))]);
  return {
    heading: 'Usage',
    intro: `In the last 30 days: ${counted(allowed, 'request')} allowed, ${refused} refused. Days are in UTC.`,
    columns: ['Day', 'Allowed', 'Refused'],
    rows,
    empty: 'It was not used in the last 30 days.',
    acts: [],
  };
}

function actsOf(place: Place, { id, state }: Key) {
  if (state === 'revoked') return [];
  const path = keyPath(id);
  const sleeping = {
    does: 'POST /api-keys/{key_id}/enable',
    label: 'Enable',
    href: `${path}/enable`,
    danger: false,
    words: 'It works again',
  } as const;
  const working = {
    does: 'POST /api-keys/{key_id}/disable',
    label: 'Disable',
    href: `${path}/disable`,
    danger: true,
    words: 'It is refused until it is enabled again',
  } as const;
  return allowedActs(place, [
    {
      does: 'PATCH /api-keys/{key_id}',
      label: 'Change',
      href: `${path}/change`,
      danger: false,
      words: 'Its name, what it may, its restrictions and its end',
    },
    ...(state === 'expired' ? [] : [rotateLink(path)]),
    state === 'disabled' ? sleeping : working,
    {
      does: 'POST /api-keys/{key_id}/revoke',
      label: 'Revoke',
      href: `${path}/revoke`,
      danger: true,
      words: 'It ends for good, with all its texts',
    },
  ]);
}

const rotateLink = (path: string) =>
  ({
    does: 'POST /api-keys/{key_id}/rotate',
    label: 'Rotate',
    href: `${path}/rotate`,
    danger: false,
    words: 'A new text; the present one ends after an overlap',
  }) as const;
