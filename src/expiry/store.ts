import { sql } from 'kysely';
import type { Db } from '../platform/database/index.ts';

/** A table, and which of its rows (named `t`) nobody will ask for again at `$now`. */
type ExpiringTable = { name: string; gone: string };

const nothingUnder = `not exists (select from refresh_families f where f.grant_id = t.id)
  and not exists (select from authorization_codes c where c.grant_id = t.id)
  and not exists (select from device_codes d where d.grant_id = t.id)`;

/**
 * Children before parents. What tells reuse stays a day longer than it can be used; a family stays, revoked or not, as long as
 * any of its refresh tokens could come back; no access token outlives a day.
 */
export const expiringTables: readonly ExpiringTable[] = [
  { name: 'access_tokens', gone: "t.expires_at < $now - interval '1 minute'" },
  { name: 'jwt_access_tokens', gone: "t.expires_at < $now - interval '1 minute'" },
  { name: 'authorization_codes', gone: "t.expires_at < $now - interval '1 day'" },
  { name: 'device_codes', gone: "t.expires_at < $now - interval '1 day'" },
  { name: 'pushed_requests', gone: 't.expires_at < $now' },
  { name: 'interactions', gone: 't.expires_at < $now' },
  { name: 'replay_detection', gone: "t.expires_at < $now - interval '1 minute'" },
  { name: 'session_ids', gone: 't.expires_at < $now' },
  { name: 'sessions', gone: "t.expires_at < $now - interval '1 day' or t.revoked_at < $now - interval '1 day'" },
  {
    name: 'refresh_families',
    gone: "t.absolute_expires_at < $now or (t.digest is null and t.issued_at < $now - interval '2 days')",
  },
  {
    name: 'grants',
    gone: `t.created_at < $now - interval '2 days' and (t.revoked_at is not null or t.offline
      or not exists (select from sessions s where s.uid = t.session_uid)) and ${nothingUnder}`,
  },
  { name: 'idempotency_keys', gone: 't.expires_at < $now' },
  { name: 'password_links', gone: 't.expires_at < $now' },
  { name: 'setup_links', gone: 't.expires_at < $now' },
  { name: 'limit_counters', gone: 't.expires_at < $now' },
  { name: 'api_key_usage', gone: "t.day < $now - interval '400 days'" },
  { name: 'throttles', gone: 't.expire < extract(epoch from $now) * 1000' },
];

/** Deletes at most `limit` rows that are gone. @returns how many */
export async function deleteExpired(
  db: Db,
  { name, gone }: ExpiringTable,
  { now, limit }: { now: Date; limit: number },
): Promise<number> {
  const table = sql.table(name);
  const [first = '', ...rest] = gone.split('$now');
  const condition = rest.reduce(
    (left, right) => sql`${left}${now}::timestamptz${sql.raw(right)}`,
    sql`${sql.raw(first)}`,
  );
  const result = await sql`
    delete from ${table} where ctid = any(array(select t.ctid from ${table} t where ${condition} limit ${limit} for update skip locked))`.execute(
    db,
  );
  return Number(result.numAffectedRows ?? 0);
}
