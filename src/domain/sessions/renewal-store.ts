import { sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { standing } from './store.ts';

/**
 * When the user of this session last authenticated: at sign-in, or in a later confirmation. For a sign-in with a provider, only the time
 * that the provider states counts, which is the first confirmation.
 * Undefined: the session is not active.
 */
export async function findConfirmation(
  db: Db,
  user_id: string,
  { uid, now }: { uid: string; now: Date },
): Promise<Date | undefined> {
  const query = standing(db, user_id, now)
    .where('s.uid', '=', uid)
    .select(
      sql<Date | null>`greatest(case when s.trust_id is null then s.login_at end, s.confirmed_at)`.as('confirmed_at'),
    );
  return (await query.executeTakeFirst())?.confirmed_at ?? undefined;
}

/** When this session began, by the database's time, whatever that proved. Undefined: it is not active. */
export async function findSignIn(
  db: Db,
  user_id: string,
  { uid, now }: { uid: string; now: Date },
): Promise<Date | undefined> {
  const query = standing(db, user_id, now).where('s.uid', '=', uid).select('s.signed_in_at');
  return (await query.executeTakeFirst())?.signed_in_at ?? undefined;
}

/** Retires all ids of a session: none of them identifies it any more, not even in a request that is still running. */
export async function retireIds(trx: Trx, uid: string, retired_at: Date): Promise<void> {
  await trx
    .updateTable('session_ids')
    // Older versions only check the expiry.
    .set({ retired_at, expires_at: sql<Date>`least(expires_at, ${retired_at})` })
    .where('session_uid', '=', uid)
    .where('retired_at', 'is', null)
    .execute();
}

/**
 * Moves the grants of a session to the user's next epoch, which ends everything else of the user. Grants are locked before the session.
 */
export async function carryGrants(trx: Trx, session_uid: string, user_epoch: number): Promise<void> {
  await trx
    .updateTable('grants')
    .set({ user_epoch: user_epoch + 1 })
    .where('session_uid', '=', session_uid)
    .where('user_epoch', '=', user_epoch)
    .execute();
}

/** The same for the session itself. */
export async function carrySession(trx: Trx, uid: string, user_epoch: number): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ user_epoch: user_epoch + 1 })
    .where('uid', '=', uid)
    .where('user_epoch', '=', user_epoch)
    .execute();
}

type Renewal = { uid: string; user_id: string; id: Digest; confirmed_at: Date };

/** Replaces all ids of an active session by a new one. @returns its expiry; undefined: it was revoked */
export async function replaceIds(trx: Trx, { uid, user_id, id, confirmed_at }: Renewal): Promise<Date | undefined> {
  const stands = standing(trx, user_id, confirmed_at).where('s.uid', '=', uid).select('s.uid');
  const renewed = await trx
    .updateTable('sessions')
    .set({ confirmed_at })
    .where('uid', 'in', stands)
    .returning('expires_at')
    .executeTakeFirst();
  if (!renewed) return undefined;
  await retireIds(trx, uid, confirmed_at);
  await trx
    .insertInto('session_ids')
    .values({ digest: id, session_uid: uid, expires_at: renewed.expires_at })
    .execute();
  return renewed.expires_at;
}
