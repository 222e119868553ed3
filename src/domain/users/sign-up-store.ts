import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export type PendingSignUp = Selectable<Database['sign_ups']>;

export async function insertSignUp(trx: Trx, row: PendingSignUp): Promise<void> {
  await trx.insertInto('sign_ups').values(row).execute();
}

/** A link that can still be used. */
export async function findSignUp(db: Db, digest: Digest, now: Date): Promise<PendingSignUp | undefined> {
  return db
    .selectFrom('sign_ups')
    .selectAll()
    .where('digest', '=', digest)
    .where('expires_at', '>', now)
    .executeTakeFirst();
}

/** Takes a link; of concurrent uses only one gets it. @returns the address that it was mailed to */
export async function takeSignUp(trx: Trx, digest: Digest, now: Date): Promise<string | undefined> {
  const taken = trx.deleteFrom('sign_ups').where('digest', '=', digest).where('expires_at', '>', now);
  return (await taken.returning('email').executeTakeFirst())?.email;
}

/** Deletes the other links that were mailed to an address. */
export async function deleteSignUpsOf(trx: Trx, email: string): Promise<void> {
  await trx.deleteFrom('sign_ups').where(sql<boolean>`lower(email) = lower(${email})`).execute();
}
