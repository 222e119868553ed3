import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, notFound, type Origin } from '../../platform/http/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import { allows } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { forgetBrowsersOf } from '../browsers/index.ts';
import {
  type LockedSession,
  listClientsToNotify,
  listProviderSessions,
  lockSessions,
  markEnded,
  markSeen,
  type ProviderSessions,
  wasSeenBefore,
} from './store.ts';

export type SessionDeps = { db: Db; now: () => Date; jobs: Pick<Jobs, 'send'> };

const elsewhere = 'signed out from another browser';
const seenEveryMs = 5 * 60_000;

/**
 * Signs a browser out remotely: its session and every token bound to it are refused from the next request on, on every node.
 * Clients with a back-channel logout URI are notified. Repeating it changes and records nothing.
 *
 * @throws Problem `not_found`: no such session, or none that this actor may revoke
 */
export async function revokeSession({ db, now, jobs }: SessionDeps, actor: Actor, uid: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const [session] = await lockSessions(trx, { uid });
    if (!session || !mayRevokeSession(actor, session)) throw notFound('session', uid);
    if (session.revoked_at) return;
    await notifyClients({ jobs }, trx, [session]);
    const reason = isOwn(actor, session) ? elsewhere : 'signed out by an administrator';
    await end(trx, actor, [session], { reason, revoked_at: now() });
  });
}

/** Signs a user out of every browser except the one of session `current`. @returns the number of sessions */
export async function revokeOtherSessions(
  { db, now, jobs }: SessionDeps,
  actor: Actor & { id: string },
  current: string,
): Promise<number> {
  const others = { user_id: actor.id, exceptSession: current, reason: elsewhere };
  return inTransaction(db, (trx) => revokeSessionsOf({ jobs }, trx, actor, { ...others, revoked_at: now() }));
}

/** `exceptSession`: undefined if all are revoked. */
type Others = { user_id: string; exceptSession: string | undefined; reason: string; revoked_at: Date };

/**
 * Revokes all sessions of a user, or all except one, in the transaction of the caller, and forgets the browsers in which the user skips the
 * second factor. @returns the number of sessions
 */
export async function revokeSessionsOf(
  { jobs }: Pick<SessionDeps, 'jobs'>,
  trx: Trx,
  actor: Actor,
  { user_id, exceptSession, reason, revoked_at }: Others,
): Promise<number> {
  await forgetBrowsersOf(trx, user_id);
  const locked = await lockSessions(trx, { user_id, exceptSession, now: revoked_at });
  // A concurrent sign-out may have revoked some while this one waited for the lock.
  const sessions = locked.filter((session) => !session.revoked_at);
  if (sessions.length === 0) return 0;
  await notifyClients({ jobs }, trx, sessions);
  await end(trx, actor, sessions, { reason, revoked_at });
  return sessions.length;
}

/**
 * Revokes the session of the browser that signs out, in the transaction of its request. The provider notifies its clients.
 */
export async function revokeOwnSession(
  trx: Trx,
  actor: Actor,
  { uid, revoked_at }: { uid: string; revoked_at: Date },
): Promise<void> {
  const sessions = await lockSessions(trx, { uid });
  const standing = sessions.filter((session) => !session.revoked_at);
  if (standing.length > 0) await end(trx, actor, standing, { reason: 'signed out', revoked_at });
}

/**
 * Revokes the sessions that began with an account at a provider, or with one session there: the user signed out at the provider.
 *
 * @returns the number of sessions
 */
export async function revokeProviderSessions(
  { db, now, jobs }: SessionDeps,
  actor: Actor,
  of: ProviderSessions,
): Promise<number> {
  return inTransaction(db, async (trx) => {
    const revoked_at = now();
    const standing: LockedSession[] = [];
    for (const uid of await listProviderSessions(trx, of, revoked_at)) {
      const locked = await lockSessions(trx, { uid });
      standing.push(...locked.filter((session) => !session.revoked_at));
    }
    if (standing.length === 0) return 0;
    await notifyClients({ jobs }, trx, standing);
    await end(trx, actor, standing, { reason: 'signed out at the identity provider', revoked_at });
    return standing.length;
  });
}

/** Users may revoke their own sessions; anyone else needs the permission. */
function mayRevokeSession(actor: Actor, session: Pick<LockedSession, 'user_id'>): boolean {
  return isOwn(actor, session) || allows(actor.permissions, 'latchkey:session:revoke');
}

function isOwn(actor: Actor, { user_id }: Pick<LockedSession, 'user_id'>): boolean {
  return actor.kind === 'user' && actor.id === user_id;
}

async function end(
  trx: Trx,
  actor: Actor,
  sessions: readonly LockedSession[],
  { reason, revoked_at }: { reason: string; revoked_at: Date },
): Promise<void> {
  await markEnded(trx, { uids: sessions.map(({ uid }) => uid), revoked_at, revoked_for: reason });
  // The other sessions have no signed-in user.
  for (const { uid } of sessions.filter(({ user_id }) => user_id)) {
    const target = { kind: 'session', id: uid };
    await appendEvent(trx, { actor, action: 'session.ended', target, reason, occurred_at: revoked_at });
  }
}

async function notifyClients(
  { jobs }: Pick<SessionDeps, 'jobs'>,
  trx: Trx,
  sessions: readonly LockedSession[],
): Promise<void> {
  const subjects = new Map(sessions.map(({ uid, user_id }) => [uid, user_id]));
  for (const { session_uid, client_id, sid } of await listClientsToNotify(trx, [...subjects.keys()])) {
    await jobs.send(trx, 'backchannel-logout', { client_id, sub: subjects.get(session_uid), sid: sid ?? undefined });
  }
}

/** Records the time and origin of a visit, at most once in five minutes. */
export async function noteVisit(
  { db, now }: Pick<SessionDeps, 'db' | 'now'>,
  origin: Origin,
  uid: string,
): Promise<void> {
  const last_seen_at = now();
  if (!(await wasSeenBefore(db, uid, new Date(last_seen_at.getTime() - seenEveryMs)))) return;
  const seen = { last_seen_at, address: origin.address ?? null, user_agent: origin.user_agent ?? null };
  await inTransaction(db, (trx) => markSeen(trx, { uid, ...seen }));
}
