import { digest } from '../../../platform/crypto/index.ts';
import type { Db } from '../../../platform/database/index.ts';

/** Records the `jti` of an issuer until it expires; false: it was used before, on any node. One insert decides. */
export async function isFirstUse(db: Db, iss: string, jti: string, expiresAtSeconds: number): Promise<boolean> {
  const row = { digest: digest(JSON.stringify([iss, jti])), expires_at: new Date(expiresAtSeconds * 1000) };
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('replay_detection')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
