import type { Digest } from '../../platform/crypto/index.ts';
import { inTransaction } from '../../platform/database/index.ts';
import { type Actor, notFound } from '../../platform/http/index.ts';
import { authorityOf, mustHoldAllOf } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { revokeGrantsOf } from '../consents/index.ts';
import { carryGrants, carrySession, renewSession, revokeSessionsOf, type SessionDeps } from '../sessions/index.ts';
import { type NoticeDeps, notify } from './notices.ts';
import { hashNewPassword, verifyPassword } from './password.ts';
import { findPasswordHash, hasPassword } from './password-store.ts';
import { notePasswordBy } from './preparation.ts';
import { record, storeHash, type UserDeps } from './profiles.ts';
import { findUserById, lockUserById, startNextEpoch, updateUser } from './store.ts';

/**
 * Sets a user's password on their behalf, and signs them out everywhere.
 *
 * @throws Problem `not_found`; `invalid`: too weak; `forbidden`: they hold what the actor does not
 */
export async function setPassword(
  deps: UserDeps & NoticeDeps,
  actor: Actor,
  { id, password }: { id: string; password: string },
): Promise<void> {
  const person = await findUserById(deps.db, id);
  if (!person) throw notFound('user', id);
  const hash = await hashNewPassword(password, person);
  await inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, id);
    if (!user) throw notFound('user', id);
    const occurred_at = deps.now();
    await mustHoldAllOf(trx, actor, user.id, occurred_at);
    const isChange = await hasPassword(trx, user.id);
    await storeHash(deps, trx, user.id, hash);
    await notePasswordBy(trx, authorityOf(actor), { user, now: occurred_at });
    const ended = { tokens_valid_after: occurred_at, epoch: user.epoch + 1 };
    await updateUser(trx, user.id, { ...ended, updated_at: occurred_at });
    await record(trx, actor, 'user.password_set', user.id, occurred_at);
    if (isChange) await notify(deps, trx, user, { about: 'password_changed', at: occurred_at });
  });
}

export type ChangePasswordInput = {
  user_id: string;
  current: string;
  password: string;
  session_uid: string;
  /** The digest of the new id of this session. */
  new_session_id: Digest;
};
export type ChangePasswordResult =
  | { kind: 'changed'; ended_sessions: number; ended_grants: number; session_expires_at: Date }
  | { kind: 'wrong' };

/**
 * Changes the user's own password. It revokes all other sessions of the user, and every grant of another session. Apps of those
 * sessions that have a back-channel logout URI are notified. This session gets another id, so that copies of its cookie stop working.
 *
 * @throws Problem `invalid`: too weak; `conflict`: this session was ended meanwhile
 */
export async function changePassword(
  deps: UserDeps & NoticeDeps & Pick<SessionDeps, 'jobs'>,
  actor: Actor,
  input: ChangePasswordInput,
): Promise<ChangePasswordResult> {
  const { user_id, current, password, session_uid, new_session_id } = input;
  const user = await findUserById(deps.db, user_id);
  const fits = await verifyPassword(await findPasswordHash(deps.db, user_id), current);
  if (!user || !fits) return { kind: 'wrong' };
  const hash = await hashNewPassword(password, user);
  return inTransaction(deps.db, async (trx) => {
    const { epoch = 0 } = (await lockUserById(trx, user_id)) ?? {};
    const revoked_at = deps.now();
    await storeHash(deps, trx, user_id, hash);
    const reason = 'password changed';
    const others = { user_id, exceptSession: session_uid, revoked_at };
    const revokeGrants = () => revokeGrantsOf(trx, { ...others, revoked_for: reason });
    // Grants before sessions, as an authorization request locks them; the second call revokes grants that were added meanwhile.
    const known_grants = await revokeGrants();
    await carryGrants(trx, session_uid, epoch);
    const ended_sessions = await revokeSessionsOf(deps, trx, actor, { ...others, reason });
    const renewal = { uid: session_uid, id: new_session_id, confirmed_at: revoked_at };
    const session_expires_at = await renewSession(trx, user_id, renewal);
    // A concurrent sign-in with the previous password belongs to an earlier epoch.
    await startNextEpoch(trx, user_id);
    await carrySession(trx, session_uid, epoch);
    const details = { ended_sessions, ended_grants: known_grants + (await revokeGrants()) };
    await appendEvent(trx, {
      actor,
      action: 'user.password_changed',
      target: { kind: 'user', id: user_id },
      details,
      occurred_at: revoked_at,
    });
    await notify(deps, trx, user, { about: 'password_changed', at: revoked_at });
    return { kind: 'changed', ...details, session_expires_at };
  });
}
