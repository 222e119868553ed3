import * as cell from '../../records/cells.ts';
import { choiceFilter, enabledFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { type Client, clientPath, kinds, nameOf, origins, selfRegistrationOf } from './client.ts';
import { clientLinks } from './links.ts';

export const clientList: List = {
  heading: 'Clients',
  intro: 'Applications and services that request tokens from this server.',
  noun: 'client',
  icon: 'client',
  columns: [
    { label: 'Name', sort: 'name' },
    { label: 'Type', sort: 'type' },
    { label: 'State' },
    { label: 'Last used', sort: '-last_used_at' },
    { label: 'Registered', sort: '-created_at' },
    { label: '' },
  ],
  sort: 'name',
  search: 'Name or client ID',
  filters: [
    choiceFilter({ name: 'type', label: 'Type', any: 'All types' }, kinds),
    choiceFilter({ name: 'registered_by', label: 'Registered by', any: 'Anyone' }, origins),
    enabledFilter,
  ],
  empty: {
    heading: 'No clients yet',
    words:
      'A client is an application or a service that signs users in or calls your APIs. Register one to get its client ID and a snippet for its framework.',
  },
  actions: [
    {
      route: 'POST /clients',
      label: 'Register client',
      href: '/console/new-client',
      danger: false,
    },
  ],
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /clients', { query });
    return { rows: items.map((client) => rowOf(context, client)), ...page };
  },
};

function rowOf(context: RequestContext, client: Client): Cell[] {
  return [
    nameCell(client),
    cell.text(kinds[client.type]),
    cell.enabled(client.enabled),
    cell.time(client.last_used_at, 'Never'),
    cell.time(client.created_at),
    cell.menu(nameOf(client), rowActions(context, client)),
  ];
}

/** A client that registered itself has an id that identifies nothing to a reader. */
function nameCell(client: Client): Cell {
  const [name, path, note] = [nameOf(client), clientPath(client.client_id), selfRegistrationOf(client)];
  return note === undefined ? cell.link(name, path, client.client_id) : cell.noted(name, path, note);
}

function rowActions(context: RequestContext, client: Client) {
  const disable = {
    route: 'POST /clients/{client_id}/disable' as const,
    label: 'Disable',
    href: `${clientPath(client.client_id)}/disable`,
    danger: true,
  };
  return [...clientLinks(context, client), ...(client.enabled ? allowedActions(context, [disable]) : [])];
}
