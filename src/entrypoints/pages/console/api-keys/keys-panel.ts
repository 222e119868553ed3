import { addressOf } from '../../records/lists.ts';
import type { Panel } from '../../records/page-shapes.ts';
import type { RequestContext } from '../request-context.ts';
import { rowOf } from './list.ts';

const most = '10';

/** The newest API keys of an owner; nothing for a user who may not list keys. */
export async function keysPanel(
  context: RequestContext,
  owner: { client_id: string } | { user: string },
): Promise<Panel[]> {
  const { api } = context;
  if (!api.may('GET /api-keys')) return [];
  const { items } = await api.call('GET /api-keys', { query: { ...owner, limit: most } });
  const columns = ['Name', 'Key', 'Owner', 'Environment', 'State', 'Last used', 'Expires', ''].map((label) => ({
    label,
  }));
  return [
    {
      heading: 'API keys',
      link: { text: 'View all', href: addressOf('/console/api-keys', owner) },
      content: { kind: 'table', columns, rows: items.map((key) => rowOf(context, key)), empty: 'No API keys.' },
    },
  ];
}
