import { sql } from 'kysely';
import { type CredentialKind, inventoryOf, textKey } from '../credentials/index.ts';
import { revokeSession } from './sessions.ts';

/** Browser sessions with a signed-in user. */
export const sessionKind = {
  kind: 'session',
  label: 'Session',
  permission: 'latchkey:session:read',
  isNumerous: true,
  orders: ['created_at'],
  inventory: inventoryOf(
    'session',
    {
      id: 's.uid',
      name: `coalesce(s.user_agent, 'Unknown browser')`,
      owner_id: 's.user_id',
      created_at: 'coalesce(s.login_at, s.created_at)',
      last_used_at: 's.last_seen_at',
      expires_at: 's.expires_at',
      location: 's.address',
      revoked_at: 's.revoked_at',
      stands_until: `coalesce((select st.expires_at from standing_sessions st where st.uid = s.uid), '-infinity')`,
    },
    { from: 'sessions s', where: 's.user_id is not null', key: textKey('s.uid') },
  ),
  // Offline grants outlive their session, and so are not included.
  reach: (uid: string) => ({
    session: sql`s.uid = ${uid}`,
    family: sql`f.session_uid = ${uid} and not f.offline`,
    token: sql`t.session_uid = ${uid} and not t.offline`,
  }),
  revoke: { permission: 'latchkey:session:revoke', one: revokeSession },
} satisfies CredentialKind;
