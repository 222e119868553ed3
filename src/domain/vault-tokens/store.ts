import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export type VaultToken = Selectable<Database['vault_tokens']>;

export async function findVaultToken(db: Db, digest: Digest): Promise<VaultToken | undefined> {
  return db.selectFrom('vault_tokens').selectAll().where('digest', '=', digest).executeTakeFirst();
}

export async function insertVaultToken(db: Db, row: Insertable<Database['vault_tokens']>): Promise<void> {
  await db.insertInto('vault_tokens').values(row).execute();
}

/** Of renewals and a revocation the first to lock the token wins. @returns false: it does not stand any more */
export async function extendAccessToken(trx: Trx, digest: Digest, expires_at: Date, now: Date): Promise<boolean> {
  const extended = await trx
    .updateTable('access_tokens')
    .set({ expires_at })
    .where('digest', '=', digest)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('digest')
    .executeTakeFirst();
  return extended !== undefined;
}
