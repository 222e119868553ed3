import { Problem } from '../../../../platform/http/index.ts';
import { type Key, shortOf } from '../../keys/key-context.ts';
import { actionLinks, keyFilters, stateCell } from '../../keys/key-page.ts';
import { textsOf } from '../../languages/languages.ts';
import * as cell from '../../records/cells.ts';
import type { Rows } from '../../records/lists.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import type { RequestContext } from '../request-context.ts';
import { keyPath } from './addresses.ts';
import { withKeys } from './key-context.ts';

/** The keys of services and users, in all environments. */
export const apiKeyList = (environments: readonly string[]): List => ({
  heading: 'API keys',
  intro: 'Services and users call APIs with them. Only digests of their values are stored.',
  noun: 'API key',
  icon: 'key',
  columns: [
    { label: 'Name', sort: 'name' },
    { label: 'Key' },
    { label: 'Owner' },
    { label: 'Environment' },
    { label: 'State' },
    { label: 'Last used', sort: '-last_used_at' },
    { label: 'Expires', sort: 'expires_at' },
    { label: '' },
  ],
  sort: '-created_at',
  search: 'Name, description or beginning of the key',
  filters: [
    ...keyFilters(environments, textsOf('en')),
    { name: 'client_id', label: 'Client', options: [] },
    { name: 'user', label: 'User', options: [] },
  ],
  empty: {
    heading: 'No API keys yet',
    words: 'A service or a user calls APIs with a key, with restrictions and an expiry that you set.',
  },
  actions: [
    {
      route: 'POST /api-keys',
      label: 'Create API key',
      href: '/console/new-api-key',
      danger: false,
    },
  ],
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /api-keys', { query }).catch(noneOfUnknownOwner);
    return { rows: items.map((key) => rowOf(context, key)), ...page };
  },
});

/** An owner that does not exist has no keys. */
function noneOfUnknownOwner(error: unknown): Omit<Rows, 'rows'> & { items: Key[] } {
  if (error instanceof Problem && error.options.pointer === '/owner') return { items: [], next: null };
  throw error;
}

/** A key as one row of a list. */
export function rowOf(context: RequestContext, key: Key): Cell[] {
  return [
    cell.link(key.name, keyPath(key.id)),
    cell.code(shortOf(key)),
    cell.text(key.owner.name),
    cell.text(key.environment),
    stateCell(key, withKeys(context)),
    cell.time(key.last_used_at),
    cell.time(key.expires_at),
    cell.menu(key.name, actionLinks(withKeys(context), key)),
  ];
}
