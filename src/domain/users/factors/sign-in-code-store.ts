import { sql } from 'kysely';
import type { Digest } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';

type Request = { id: string; created_at: Date; expires_at: Date };

export async function insertCodeRequest(trx: Trx, request: Request): Promise<void> {
  await trx.insertInto('sign_in_codes').values(request).execute();
}

type Issued = { id: string; user_id: string; user_epoch: number; digest: Digest; now: Date };

/** Sets the code of a request, once. @returns whether the request was waiting for one */
export async function setCode(trx: Trx, { id, now, ...issued }: Issued): Promise<boolean> {
  const query = trx.updateTable('sign_in_codes').set(issued).where('id', '=', id).where('digest', 'is', null);
  return (await query.where('expires_at', '>', now).executeTakeFirst()).numUpdatedRows === 1n;
}

/** Counts an attempt at a code before it is compared. @returns the user; undefined: there is no code, or there were too many attempts */
export async function countCodeAttempt(trx: Trx, { id, most, now }: { id: string; most: number; now: Date }) {
  const row = await trx
    .updateTable('sign_in_codes')
    .set({ attempts: sql`attempts + 1` })
    .where('id', '=', id)
    .where('attempts', '<', most)
    .where('expires_at', '>', now)
    .returning('user_id')
    .executeTakeFirst();
  return row?.user_id ?? undefined;
}

/** Accepts a code while its user still has the epoch in which it was issued; of concurrent uses one is accepted. */
export async function takeSignInCode(
  trx: Trx,
  { id, digest, user_epoch }: { id: string; digest: Digest; user_epoch: number },
): Promise<boolean> {
  const query = trx.deleteFrom('sign_in_codes').where('id', '=', id).where('digest', '=', digest);
  return (await query.where('user_epoch', '=', user_epoch).executeTakeFirst()).numDeletedRows === 1n;
}
