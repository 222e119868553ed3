import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { type Client, clientPath, kinds, nameOf } from './client.ts';

export const clientList: List = {
  heading: 'Which clients are registered?',
  intro: 'Applications that people use, and services that act for themselves.',
  columns: ['Name', 'Kind', 'State', 'Registered'],
  search: 'Name or client_id',
  filters: [
    {
      name: 'type',
      label: 'Kind',
      options: [
        { value: '', text: 'every kind' },
        ...Object.entries(kinds).map(([value, text]) => ({ value, text: `${text}s` })),
      ],
    },
    {
      name: 'enabled',
      label: 'State',
      options: [
        { value: '', text: 'in every state' },
        { value: 'true', text: 'enabled' },
        { value: 'false', text: 'disabled' },
      ],
    },
  ],
  sorts: [
    { value: 'client_id', text: 'client_id' },
    { value: '-created_at', text: 'newest' },
  ],
  empty: 'No client is registered yet. Register one here, with “latchkey apply” or with POST /admin/v1/clients.',
  actions: [
    {
      route: 'POST /clients',
      label: 'Register a client',
      href: '/console/new-client',
      danger: false,
      words: 'An app or a service',
    },
  ],
  read: async ({ api }, query) => {
    const { items, next } = await api.call('GET /clients', { query });
    return { rows: items.map(rowOf), next };
  },
};

function rowOf(client: Client): Cell[] {
  return [
    cell.link(nameOf(client), clientPath(client.client_id), client.client_id),
    cell.text(kinds[client.type]),
    cell.enabled(client.enabled),
    cell.time(client.created_at),
  ];
}
