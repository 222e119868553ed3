import * as cell from '../../records/cells.ts';
import type { Table } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import type { RequestContext } from '../request-context.ts';

const revoke = 'POST /sessions/{session_id}/revoke';

/** Where a person is signed in; nothing for who may not see it. */
export async function sessionsTable(
  { api, ctx }: RequestContext,
  { user_id, path }: { user_id: string; path: string },
): Promise<Table[]> {
  if (!api.may('GET /users/{user}/sessions')) return [];
  const cursor = one(ctx.query.cursor);
  const given = { params: { user: `id:${user_id}` }, query: cursor ? { cursor } : {} };
  const { items, next } = await api.call('GET /users/{user}/sessions', given);
  const rows = items.map(({ session_id, user_agent, address, signed_in_at, last_seen_at }) => [
    cell.text(user_agent ?? 'an unknown browser'),
    address ? cell.code(address) : cell.text(''),
    cell.time(signed_in_at),
    cell.time(last_seen_at),
    api.may(revoke)
      ? cell.action('Sign out', `${path}/sessions/${encodeURIComponent(session_id)}/revoke`, 'this browser')
      : cell.text(''),
  ]);
  return [
    {
      heading: 'Signed in with',
      columns: ['Browser', 'From', 'Signed in', 'Last seen', ''],
      rows,
      empty: 'No browser.',
      actions: [],
      next: next === null ? undefined : `${path}?cursor=${next}`,
    },
  ];
}
