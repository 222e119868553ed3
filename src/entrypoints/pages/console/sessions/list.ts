import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { deviceName } from '../../records/devices.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { pathOfSubject } from '../users/user.ts';

type Session = AdminAnswer<'GET /credentials'>['items'][number];

export const sessionList: List = {
  heading: 'Sessions',
  intro: 'Browsers in which users are signed in now. Revoking a session signs its browser out.',
  noun: 'session',
  icon: 'session',
  columns: [
    { label: 'Browser' },
    { label: 'User' },
    { label: 'Signed in', sort: '-created_at' },
    { label: 'Last active', sort: '-last_used_at' },
    { label: 'Expires', sort: 'expires_at' },
    { label: '' },
  ],
  sort: '-created_at',
  filters: [{ name: 'user', label: 'Username', options: [] }],
  empty: { heading: 'No active sessions', words: 'A session appears here when a user signs in.' },
  read: async (context, query) => {
    const given = { ...query, kind: 'session', state: 'active' };
    const { items, ...page } = await context.api.call('GET /credentials', { query: given });
    return { rows: items.map((session) => rowOf(context, session)), ...page };
  },
};

function rowOf(context: RequestContext, { id, name, owner, created_at, last_used_at, expires_at }: Session): Cell[] {
  const browser = deviceName(name);
  const revoke = {
    route: 'POST /sessions/{session_id}/revoke' as const,
    label: 'Revoke',
    href: owner ? `${pathOfSubject(`id:${owner.id}`)}/sessions/${encodeURIComponent(id)}/revoke` : '',
    danger: true,
    words: '',
  };
  return [
    cell.text(browser),
    owner ? cell.link(owner.name, pathOfSubject(`id:${owner.id}`)) : cell.text(''),
    cell.time(created_at),
    cell.time(last_used_at),
    cell.time(expires_at),
    cell.menu(
      `the session of ${owner?.name ?? 'nobody'} in ${browser}`,
      owner ? allowedActions(context, [revoke]) : [],
    ),
  ];
}
