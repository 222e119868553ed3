import { sql } from 'kysely';
import type { Digest, Sealed } from '../../platform/crypto/index.ts';
import type { Trx } from '../../platform/database/index.ts';

/** `key_id`: the server key that was mixed in; null where an older version kept it. */
export type KeptAnswer = { request_digest: Digest; sealed: Sealed; key_id: number | null };
export type NewAnswer = KeptAnswer & { digest: Digest; created_at: Date; expires_at: Date };

// Of those that send the same key at once the first takes the lock, and the others find what it left.
export async function lockKey(trx: Trx, digest: Digest, now: Date): Promise<KeptAnswer | undefined> {
  await sql`select pg_advisory_xact_lock(${digest.readBigInt64BE().toString()}::bigint)`.execute(trx);
  const query = trx
    .selectFrom('idempotency_keys')
    .select(['request_digest', 'sealed', 'key_id'])
    .where('digest', '=', digest);
  return query.where('expires_at', '>', now).executeTakeFirst();
}

/** Keeps an answer in place of one whose time was over. */
export async function keepAnswer(trx: Trx, { digest, ...answer }: NewAnswer): Promise<void> {
  await trx
    .insertInto('idempotency_keys')
    .values({ digest, ...answer })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet(answer))
    .execute();
}
