import type { Digest } from '../../platform/crypto/index.ts';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { replaceIds } from './renewal-store.ts';
import type { SessionDeps } from './sessions.ts';

/** The session in which the user authenticated again, and the digest of its new id. */
export type RenewalInput = { uid: string; id: Digest; confirmed_at: Date };

/**
 * Gives the session a new id after its user authenticated again, in the transaction of the caller. Every earlier copy of its cookie
 * is refused from the next request on, on every node (OWASP ASVS 5.0 §7.2.4).
 *
 * @returns the expiry of the session
 * @throws Problem `conflict`: the session was revoked meanwhile
 */
export async function renewSession(trx: Trx, user_id: string, { uid, id, confirmed_at }: RenewalInput): Promise<Date> {
  const expires_at = await replaceIds(trx, { uid, user_id, id, confirmed_at });
  if (!expires_at) throw conflict('You were signed out in the meantime. Sign in and try again.');
  return expires_at;
}

/**
 * Records that a user authenticated again (a step-up), and renews their session. `amr`: the methods (RFC 8176).
 *
 * @returns the expiry of the session
 * @throws Problem `conflict`: the session was revoked meanwhile
 */
export async function confirmSession(
  { db }: Pick<SessionDeps, 'db'>,
  actor: Actor & { id: string },
  { amr, ...renewal }: RenewalInput & { amr: readonly string[] },
): Promise<Date> {
  return inTransaction(db, async (trx) => {
    const expires_at = await renewSession(trx, actor.id, renewal);
    await appendEvent(trx, {
      actor,
      action: 'session.confirmed',
      target: { kind: 'session', id: renewal.uid },
      details: { amr },
      occurred_at: renewal.confirmed_at,
    });
    return expires_at;
  });
}
