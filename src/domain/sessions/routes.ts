import { notFound, pageOf, routesWith } from '../../platform/http/index.ts';
import { findSubject } from '../access/index.ts';
import { SessionParams, SessionsParams, SessionsQuery, SessionView } from './schemas.ts';
import { revokeSession, type SessionDeps } from './sessions.ts';
import { listActiveSessions } from './store.ts';

const route = routesWith<SessionDeps>();

/** Sessions of users. */
export const sessionRoutes = [
  route({
    method: 'GET',
    path: '/users/{user}/sessions',
    summary: 'List the sessions of a user, most recently active first',
    permission: 'latchkey:session:read',
    params: SessionsParams,
    query: SessionsQuery,
    response: pageOf(SessionView),
    handle: async ({ params: { user }, query }, deps) => {
      const user_id = await findSubject(deps.db, { kind: 'user', name: user });
      if (user_id === undefined) throw notFound('user', user);
      return listActiveSessions(deps.db, { ...query, user_id, now: deps.now() });
    },
  }),
  route({
    method: 'GET',
    path: '/sessions',
    summary: 'List active sessions, most recently active first',
    permission: 'latchkey:session:read',
    query: SessionsQuery,
    response: pageOf(SessionView),
    handle: ({ query }, deps) => listActiveSessions(deps.db, { ...query, now: deps.now() }),
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
