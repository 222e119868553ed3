import { Problem } from '../../../../platform/http/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import * as cell from '../../records/cells.ts';
import { deviceName } from '../../records/devices.ts';
import type { Rows } from '../../records/lists.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { userPath } from '../users/user.ts';

type Session = AdminAnswer<'GET /sessions'>['items'][number];

export const sessionList: List = {
  heading: 'Sessions',
  intro: 'Browsers in which users are signed in now. Revoking a session signs its browser out.',
  noun: 'session',
  icon: 'session',
  columns: [
    { label: 'Browser' },
    { label: 'User' },
    { label: 'Address' },
    { label: 'Apps' },
    { label: 'Signed in', sort: '-signed_in_at' },
    { label: 'Last active', sort: '-last_seen_at' },
    { label: '' },
  ],
  sort: '-last_seen_at',
  filters: [{ name: 'user', label: 'Username', options: [] }],
  empty: { heading: 'No active sessions', words: 'A session appears here when a user signs in.' },
  read: async (context, { user, ...query }) => {
    const { items, ...page } = user
      ? await context.api.call('GET /users/{user}/sessions', { params: { user }, query }).catch(noneOfUnknownUser)
      : await context.api.call('GET /sessions', { query });
    return { rows: items.map((session) => rowOf(context, session)), ...page };
  },
};

/** A user who does not exist has no sessions. */
function noneOfUnknownUser(error: unknown): Omit<Rows, 'rows'> & { items: Session[] } {
  if (error instanceof Problem && error.status === 404) return { items: [], next: null };
  throw error;
}

function rowOf(context: RequestContext, session: Session): Cell[] {
  const { session_id, username, user_agent, address, apps, signed_in_at, last_seen_at } = session;
  const browser = deviceName(user_agent);
  const revoke = {
    route: 'POST /sessions/{session_id}/revoke' as const,
    label: 'Revoke',
    href: `${userPath(username)}/sessions/${encodeURIComponent(session_id)}/revoke`,
    danger: true,
  };
  return [
    cell.text(browser),
    cell.link(username, userPath(username)),
    address ? cell.code(address) : cell.text(''),
    cell.text(apps.map(({ name }) => name).join(', ')),
    cell.time(signed_in_at),
    cell.time(last_seen_at),
    cell.menu(`the session of ${username} in ${browser}`, allowedActions(context, [revoke])),
  ];
}
