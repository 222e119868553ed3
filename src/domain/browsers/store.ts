import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export type RememberedBrowser = Omit<Selectable<Database['standing_remembered_browsers']>, 'digest'>;

export async function insertBrowser(trx: Trx, row: Insertable<Database['remembered_browsers']>): Promise<void> {
  await trx.insertInto('remembered_browsers').values(row).execute();
}

/** The present time, and the earliest creation of a browser that is still remembered. */
type Window = { now: Date; since: Date };

/** Records the use of a browser with one of these secrets. @returns whether it is remembered for the user */
export async function useBrowser(
  trx: Trx,
  { user_id, digests }: { user_id: string; digests: readonly Digest[] },
  { now, since }: Window,
): Promise<boolean> {
  const found = await trx
    .selectFrom('standing_remembered_browsers')
    .select('id')
    .where('user_id', '=', user_id)
    .where('digest', 'in', digests)
    .where('expires_at', '>', now)
    .where('created_at', '>', since)
    .executeTakeFirst();
  if (!found) return false;
  const update = trx.updateTable('remembered_browsers').set({ last_used_at: now }).where('id', '=', found.id);
  return (await update.executeTakeFirst()).numUpdatedRows === 1n;
}

/** The browsers that are remembered for a user, the latest first. */
export async function listBrowsers(db: Db, user_id: string, { now, since }: Window): Promise<RememberedBrowser[]> {
  return db
    .selectFrom('standing_remembered_browsers')
    .select(['id', 'user_id', 'user_agent', 'created_at', 'last_used_at', 'expires_at'])
    .where('user_id', '=', user_id)
    .where('expires_at', '>', now)
    .where('created_at', '>', since)
    .orderBy('id', 'desc')
    .execute();
}

/** Keeps the latest of a user's browsers. */
export async function keepLatest(trx: Trx, user_id: string, most: number): Promise<void> {
  await trx
    .deleteFrom('remembered_browsers')
    .where('user_id', '=', user_id)
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('remembered_browsers')
        .select('id')
        .where('user_id', '=', user_id)
        .orderBy('id', 'desc')
        .offset(most),
    )
    .execute();
}

/** The id of the browser with this secret; undefined: it is not remembered now. */
export async function findBrowser(db: Db, secret: Digest, now: Date): Promise<string | undefined> {
  const query = db.selectFrom('standing_remembered_browsers').select('id').where('digest', '=', secret);
  return (await query.where('expires_at', '>', now).executeTakeFirst())?.id;
}

/** @returns the user whose browser it was; undefined: there is none, or it is another user's */
export async function deleteBrowser(
  trx: Trx,
  { id, user_id }: { id: string; user_id?: string },
): Promise<string | undefined> {
  const query = trx.deleteFrom('remembered_browsers').where('id', '=', id).returning('user_id');
  const deleted = await query
    .$if(user_id !== undefined, (of) => of.where('user_id', '=', user_id ?? ''))
    .executeTakeFirst();
  return deleted?.user_id;
}

/** Deletes every browser of a user, in the transaction of the verb that decides it. @returns whether there was one */
export async function forgetBrowsersOf(trx: Trx, user_id: string): Promise<boolean> {
  const query = trx.deleteFrom('remembered_browsers').where('user_id', '=', user_id);
  return (await query.executeTakeFirst()).numDeletedRows > 0n;
}
