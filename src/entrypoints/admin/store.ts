import { sql } from 'kysely';
import type { Digest, Sealed } from '../../platform/crypto/index.ts';
import type { Trx } from '../../platform/database/index.ts';

/** `key_id`: the server key that was included; null if an older version stored it. */
export type KeptAnswer = { request_digest: Digest; sealed: Sealed; key_id: number | null };
export type NewAnswer = KeptAnswer & { digest: Digest; created_at: Date; expires_at: Date };

// If several send the same key at once, the first takes the lock, and the others find its result.
export async function lockKey(trx: Trx, digest: Digest, now: Date): Promise<KeptAnswer | undefined> {
  await sql`select pg_advisory_xact_lock(${digest.readBigInt64BE().toString()}::bigint)`.execute(trx);
  const query = trx
    .selectFrom('idempotency_keys')
    .select(['request_digest', 'sealed', 'key_id'])
    .where('digest', '=', digest);
  return query.where('expires_at', '>', now).executeTakeFirst();
}

/** Replaces an expired response. */
export async function keepAnswer(trx: Trx, { digest, ...answer }: NewAnswer): Promise<void> {
  await trx
    .insertInto('idempotency_keys')
    .values({ digest, ...answer })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet(answer))
    .execute();
}
