import { Problem } from '../../../../platform/http/index.ts';
import { type Key, shortOf } from '../../keys/key-context.ts';
import { keyFilters, states } from '../../keys/key-page.ts';
import * as cell from '../../records/cells.ts';
import type { Rows } from '../../records/lists.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { keyPath } from './key-context.ts';

/** The keys of services and people, in the environments there are. */
export const apiKeyList = (environments: readonly string[]): List => ({
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
  actions: [
    {
      route: 'POST /api-keys',
      label: 'Mint a key',
      href: '/console/new-api-key',
      danger: false,
      words: 'With which a service or a person calls APIs',
    },
  ],
  read: async ({ api }, query) => {
    const { items, next } = await api.call('GET /api-keys', { query }).catch(noneOfNobody);
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
