import * as cell from '../../records/cells.ts';
import { deviceName } from '../../records/devices.ts';
import type { Panel } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import type { RequestContext } from '../request-context.ts';

const revoke = 'POST /sessions/{session_id}/revoke';

/** The sessions of a user; nothing for a user who may not see them. */
export async function sessionsPanel(
  { api, ctx }: RequestContext,
  { user_id, path }: { user_id: string; path: string },
): Promise<Panel[]> {
  if (!api.may('GET /users/{user}/sessions')) return [];
  const cursor = one(ctx.query.cursor);
  const given = { params: { user: `id:${user_id}` }, query: cursor ? { cursor } : {} };
  const { items, next } = await api.call('GET /users/{user}/sessions', given);
  const rows = items.map(({ session_id, user_agent, address, signed_in_at, last_seen_at, apps }) => [
    cell.text(deviceName(user_agent)),
    address ? cell.code(address) : cell.text(''),
    cell.text(apps.map(({ name }) => name).join(', ')),
    cell.time(signed_in_at),
    cell.time(last_seen_at),
    api.may(revoke)
      ? cell.action('Revoke', `${path}/sessions/${encodeURIComponent(session_id)}/revoke`, 'this session')
      : cell.text(''),
  ]);
  return [
    {
      heading: 'Sessions',
      content: {
        kind: 'table',
        columns: ['Browser', 'Address', 'Apps', 'Signed in', 'Last active', ''].map((label) => ({ label })),
        rows,
        empty: 'No active sessions.',
        next: next === null ? undefined : `${path}?cursor=${next}`,
      },
    },
  ];
}
