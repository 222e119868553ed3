import { type RawBuilder, sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

/** The keys that a handle identifies. */
export type KeyScope =
  | { id: string }
  | { digest: Digest }
  | { owner_id: string }
  | { tag: string }
  | { environment: string }
  | { start: string }
  | { all: true }
  /** Keys with a still accepted version that was issued up to then. */
  | { issued_before: Date };

/** The condition for keys `k` in a scope. A version whose overlap has ended no longer identifies its key. */
function within(scope: KeyScope, now: Date): RawBuilder<unknown> {
  if ('all' in scope) return sql`true`;
  if ('id' in scope) return sql`k.id = ${scope.id}`;
  if ('owner_id' in scope) return sql`k.owner_id = ${scope.owner_id}`;
  if ('environment' in scope) return sql`k.environment = ${scope.environment}`;
  if ('tag' in scope) return sql`k.id in (select t.key_id from api_key_tags t where t.tag = ${scope.tag})`;
  if ('issued_before' in scope)
    return sql`k.id in (select v.key_id from api_key_versions v where v.issued_at <= ${scope.issued_before}
      and (v.ends_at is null or v.ends_at > ${now}))`;
  if ('digest' in scope)
    return sql`k.id in (select v.key_id from api_key_versions v where v.digest = ${scope.digest}
      and (v.ends_at is null or v.ends_at > ${now}))`;
  return sql`k.id in (select v.key_id from api_key_versions v where v.start ^@ ${scope.start})`;
}

/** The keys in a scope that are neither revoked nor expired. */
const isLiveIn = (scope: KeyScope, now: Date) =>
  sql`${within(scope, now)} and k.revoked_at is null and (k.expires_at is null or k.expires_at > ${now})`;

/** A subquery for the ids of the active keys in a scope. */
export function liveKeysIn(scope: KeyScope, now: Date): RawBuilder<unknown> {
  return sql`(select k.id from api_keys k where ${isLiveIn(scope, now)})`;
}

/** Counts the active keys in a scope. */
export async function countLiveKeys(db: Db, scope: KeyScope, now: Date): Promise<number> {
  const live = liveKeysIn(scope, now);
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from ${live} live`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Marks keys as revoked. @returns their ids */
export async function markKeysRevoked(trx: Trx, scope: KeyScope, revoked_at: Date): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update api_keys k set revoked_at = ${revoked_at}, updated_at = ${revoked_at}, version = version + 1
      where ${isLiveIn(scope, revoked_at)}
      returning k.id`.execute(trx);
  return rows.map(({ id }) => id);
}
