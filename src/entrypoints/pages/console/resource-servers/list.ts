import * as cell from '../../records/cells.ts';
import type { List } from '../lists.ts';
import { apiPath, formats } from './resource-server.ts';

export const resourceServerList: List = {
  heading: 'APIs',
  intro: 'The APIs that clients get tokens for, with their permissions (scopes).',
  noun: 'API',
  icon: 'api',
  columns: [
    { label: 'Name', sort: 'name' },
    { label: 'Token format' },
    { label: 'Permissions', is_number: true },
    { label: 'State' },
  ],
  sort: 'name',
  search: 'Name or identifier',
  empty: {
    heading: 'No APIs yet',
    words: 'Register an API with its permissions. Clients then request tokens for it, and users see what they allow.',
  },
  actions: [
    {
      route: 'POST /resource-servers',
      label: 'Register API',
      href: '/console/new-api',
      danger: false,
    },
  ],
  read: async ({ api }, query) => {
    const { items, ...page } = await api.call('GET /resource-servers', { query });
    const rows = items.map(({ identifier, name, access_token_format, scopes, enabled }) => [
      cell.link(name, apiPath(identifier), identifier),
      cell.text(formats[access_token_format]),
      cell.number(scopes.length),
      cell.enabled(enabled),
    ]);
    return { rows, ...page };
  },
};
