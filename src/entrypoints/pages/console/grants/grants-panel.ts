import type { Panel } from '../../records/page-shapes.ts';
import type { RequestContext } from '../request-context.ts';
import { rowOf } from './grant.ts';

const most = '10';

/** The grants of a user or client; nothing for a user who may not list them. `href` is the address of the whole list. */
export async function grantsPanel(
  { api }: RequestContext,
  query: { user?: string; client_id?: string },
  href: string,
): Promise<Panel[]> {
  if (!api.may('GET /grants')) return [];
  const { items } = await api.call('GET /grants', { query: { ...query, limit: most } });
  const columns = ['App', 'User', 'Expires', 'Created'].map((label) => ({ label }));
  return [
    {
      heading: 'Grants',
      intro: 'The access that apps have now, one grant per session.',
      link: { text: 'View all', href },
      content: { kind: 'table', columns, rows: items.map(rowOf), empty: 'No grants.' },
    },
  ];
}
