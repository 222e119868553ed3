import { z } from 'zod';
import { keyIn, notFound, pageByKey, pageOf, routesWith } from '../../platform/http/index.ts';
import { findSubject } from '../access/index.ts';
import { SessionParams, SessionsParams, SessionsQuery, SessionView } from './schemas.ts';
import { revokeSession, type SessionDeps } from './sessions.ts';
import { listSessions } from './store.ts';

const Offset = z.string().regex(/^\d{1,7}$/);

const route = routesWith<SessionDeps>();

/** Who is signed in where. */
export const sessionRoutes = [
  route({
    method: 'GET',
    path: '/users/{user}/sessions',
    summary: 'List the sessions of a user, most recently active first',
    permission: 'latchkey:session:read',
    params: SessionsParams,
    query: SessionsQuery,
    response: pageOf(SessionView),
    handle: async ({ params: { user }, query: { limit, cursor } }, deps) => {
      const user_id = await findSubject(deps.db, { kind: 'user', name: user });
      if (user_id === undefined) throw notFound('user', user);
      const offset = Number(keyIn(cursor, Offset) ?? 0);
      const { sessions } = await listSessions(deps.db, user_id, { now: deps.now(), offset, limit: limit + 1 });
      const { items, next } = pageByKey(sessions, limit, () => String(offset + limit));
      return { items: items.map(({ uid, ...session }) => ({ session_id: uid, ...session })), next };
    },
  }),
  route({
    method: 'POST',
    path: '/sessions/{session_id}/revoke',
    summary:
      'Revoke a session: sign a browser out, revoke the tokens bound to the session, and notify its applications',
    permission: 'latchkey:session:revoke',
    params: SessionParams,
    handle: ({ actor, params }, deps) => revokeSession(deps, actor, params.session_id),
  }),
];
