import * as cell from '../../records/cells.ts';
import type { List } from '../lists.ts';
import { apiPath } from './resource-server.ts';

export const resourceServerList: List = {
  heading: 'Which APIs are protected?',
  intro: 'What clients get tokens for: audiences with their scopes.',
  columns: ['Name', 'Tokens', 'Scopes', 'State'],
  search: 'Name or identifier',
  empty: 'No API is registered yet. Register one here, with “latchkey apply” or with POST /admin/v1/resource-servers.',
  actions: [
    {
      route: 'POST /resource-servers',
      label: 'Register an API',
      href: '/console/new-api',
      danger: false,
      words: 'An audience with its scopes',
    },
  ],
  read: async ({ api }, query) => {
    const { items, next } = await api.call('GET /resource-servers', { query });
    const rows = items.map(({ identifier, name, access_token_format, scopes, enabled }) => [
      cell.link(name, apiPath(identifier), identifier),
      cell.text(access_token_format),
      cell.text(String(scopes.length)),
      cell.enabled(enabled),
    ]);
    return { rows, next };
  },
};
