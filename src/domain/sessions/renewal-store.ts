import { sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { standing } from './store.ts';

/**
 * Since when the person of this session is known to be the one who uses it: when they signed in, or confirmed it later. Where a provider
 * signed them in, only what it says of the time counts, which is their first confirmation.
 * Undefined: the session does not stand.
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

/** When somebody signed in to this session, by the database's time, whatever that proved. Undefined: it does not stand. */
export async function findSignIn(
  db: Db,
  user_id: string,
  { uid, now }: { uid: string; now: Date },
): Promise<Date | undefined> {
  const query = standing(db, user_id, now).where('s.uid', '=', uid).select('s.signed_in_at');
  return (await query.executeTakeFirst())?.signed_in_at ?? undefined;
}

/** No id that a session has answered to until now finds it any more, however a request that used it ends. */
export async function retireIds(trx: Trx, uid: string, retired_at: Date): Promise<void> {
  await trx
    .updateTable('session_ids')
    // Older versions look at the expiry alone.
    .set({ retired_at, expires_at: sql<Date>`least(expires_at, ${retired_at})` })
    .where('session_uid', '=', uid)
    .where('retired_at', 'is', null)
    .execute();
}

/**
 * Lets the grants of a session stand in the next epoch of its person, which begins when all else of theirs ends. They are locked before
 * the session is.
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

/** Gives a session that stands another id, instead of all it had. @returns until when it lasts; undefined: it was ended */
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
