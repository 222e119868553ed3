import { sql } from 'kysely';
import { type Db, inTransaction, isContention, type Trx } from '../../platform/database/index.ts';

/**
 * A table, and the condition for its rows (named `t`) that are no longer needed. `$now` is the database's time, less a margin: the
 * clock of a node never decides what is deleted (DESIGN.md §4).
 */
export type ExpiringTable = {
  name: string;
  expired: string;
  /** No index finds these rows: the table is checked in the order of ids, some rows in each run. */
  isWalked?: boolean;
};

const nothingUnder = `not exists (select from refresh_families f where f.grant_id = t.id)
  and not exists (select from authorization_codes c where c.grant_id = t.id)
  and not exists (select from device_codes d where d.grant_id = t.id)`;

// Read once a statement, so that an index on the time can be used. The margin is well above the clock skew of ready nodes, and above
// that of verifiers: a revoked JWT stays in its status list until even a slow clock takes it for expired.
const now = "(select latchkey_now() - interval '5 minutes')";

/**
 * Children before parents. Rows that detect reuse stay a day after their expiry; a family stays, revoked or not, as long as any of
 * its refresh tokens could be presented; no access token lives longer than a day.
 */
export const expiringTables: readonly ExpiringTable[] = [
  { name: 'access_tokens', expired: 't.expires_at < $now' },
  { name: 'jwt_access_tokens', expired: 't.expires_at < $now' },
  { name: 'authorization_codes', expired: "t.expires_at < $now - interval '1 day'" },
  { name: 'device_codes', expired: "t.expires_at < $now - interval '1 day'" },
  { name: 'pushed_requests', expired: 't.expires_at < $now' },
  { name: 'interactions', expired: 't.expires_at < $now' },
  { name: 'replay_detection', expired: 't.expires_at < $now' },
  { name: 'session_ids', expired: 't.expires_at < $now' },
  { name: 'sessions', expired: "t.expires_at < $now - interval '1 day'" },
  { name: 'sessions', expired: "t.revoked_at < $now - interval '1 day'" },
  { name: 'refresh_families', expired: 't.absolute_expires_at < $now' },
  {
    name: 'grants',
    isWalked: true,
    expired: `t.created_at < $now - interval '2 days' and (t.revoked_at is not null or t.offline
      or not exists (select from sessions s where s.uid = t.session_uid)) and ${nothingUnder}`,
  },
  // The client is deleted with it (migration 0036). A disabled client stays, so that it remains disabled.
  {
    name: 'self_registered_clients',
    expired: `t.kept_until < $now and exists (select from clients c where c.id = t.client_id and c.enabled
        and c.registered_by <> 'operator')
      and not exists (select from grants g where g.client_id = t.client_id)
      and not exists (select from consents k where k.client_id = t.client_id and k.revoked_at is null
        and k.updated_at > $now - interval '180 days')
      and not exists (select from refresh_families f where f.client_id = t.client_id)
      and not exists (select from api_keys k where k.owner_id = t.client_id)
      and not exists (select from clients o where o.owner_id = t.client_id)`,
  },
  { name: 'access_records', expired: "t.occurred_at < $now - interval '30 days'" },
  { name: 'idempotency_keys', expired: 't.expires_at < $now' },
  { name: 'password_links', expired: 't.expires_at < $now' },
  { name: 'email_changes', expired: 't.expires_at < $now' },
  { name: 'enrolment_links', expired: 't.expires_at < $now' },
  { name: 'sign_ups', expired: 't.expires_at < $now' },
  { name: 'sign_in_codes', expired: 't.expires_at < $now' },
  { name: 'remembered_browsers', expired: 't.expires_at < $now' },
  { name: 'webhook_secrets', expired: 't.expires_at < $now' },
  { name: 'webhook_deliveries', expired: "t.updated_at < $now - interval '30 days'" },
  { name: 'setup_links', expired: 't.expires_at < $now' },
  { name: 'leak_reports', expired: "t.reported_at < $now - interval '400 days'" },
  { name: 'limit_counters', expired: 't.expires_at < $now' },
  { name: 'api_key_usage', expired: "t.day < $now - interval '400 days'" },
  { name: 'activity_counts', expired: "t.step_seconds = 300 and t.starts_at < $now - interval '2 days'" },
  { name: 'activity_counts', expired: "t.step_seconds = 3600 and t.starts_at < $now - interval '400 days'" },
  { name: 'credential_uses', expired: "t.day < $now - interval '400 days'" },
  { name: 'client_usage', expired: "t.day < $now - interval '400 days'" },
  { name: 'vault_tokens', expired: 't.ends_at < $now' },
  { name: 'vault_secret_ids', expired: 't.expires_at < $now' },
  { name: 'vault_wrapped', expired: 't.expires_at < $now' },
  { name: 'throttles', expired: 't.expire < extract(epoch from $now) * 1000' },
];

/** Those of the tables that have expired rows; asked at once, because most have none most of the time. */
export async function tablesWithExpired(db: Db, tables: readonly ExpiringTable[]): Promise<ExpiringTable[]> {
  const { rows } = await inTransaction(db, async (trx) => {
    await bound(trx);
    const has = tables.map(
      ({ name, expired }, n) =>
        sql`select ${sql.lit(n)}::int as n where exists (select from ${sql.table(name)} t where ${condition(expired)})`,
    );
    return sql<{ n: number }>`${sql.join(has, sql` union all `)}`.execute(trx);
  });
  const found = new Set(rows.map(({ n }) => n));
  return tables.filter((_, n) => found.has(n));
}

/** Deletes at most `limit` expired rows. @returns how many */
export async function deleteExpired(
  db: Db,
  { name, expired }: ExpiringTable,
  { limit }: { limit: number },
): Promise<number> {
  return inTransaction(db, async (trx) => {
    await bound(trx);
    const table = sql.table(name);
    const result = await sql`delete from ${table} where ctid = any(array(
      select t.ctid from ${table} t where ${condition(expired)} limit ${limit} for update skip locked))`.execute(trx);
    return Number(result.numAffectedRows ?? 0);
  });
}

/** The id of the last of the next `limit` rows after an id; undefined when there are none. */
export async function lastOfNext(
  db: Db,
  { name }: ExpiringTable,
  { limit, after }: { limit: number; after: string | undefined },
): Promise<string | undefined> {
  const { rows } = await sql<{ last: string | null }>`select max(id::text) as last
    from (select id from ${sql.table(name)} where ${isBehind('id', after)} order by id limit ${limit}) next`.execute(
    db,
  );
  return rows[0]?.last ?? undefined;
}

/** Deletes the expired rows among those after an id up to another. @returns how many */
export async function deleteExpiredUpTo(
  db: Db,
  { name, expired }: ExpiringTable,
  { after, last }: { after: string | undefined; last: string },
): Promise<number> {
  return inTransaction(db, async (trx) => {
    await bound(trx);
    const table = sql.table(name);
    const result = await sql`delete from ${table} where id = any(array(select t.id from ${table} t
      where ${isBehind('t.id', after)} and t.id <= ${last} and ${condition(expired)} for update skip locked))`.execute(
      trx,
    );
    return Number(result.numAffectedRows ?? 0);
  });
}

function isBehind(id: string, after: string | undefined) {
  return after ? sql`${sql.ref(id)} > ${after}` : sql`true`;
}

// Shorter than the timeout of the connection (`query_timeout`): otherwise the database would continue a statement without a client.
const statementMs = 1000;

/** Bounds the statements of a batch. With outdated statistics of a table that has grown, a plan would read all of it. */
async function bound(trx: Trx): Promise<void> {
  await sql`select set_config('enable_seqscan', 'off', true), set_config('statement_timeout', ${String(statementMs)}, true)`.execute(
    trx,
  );
}

/** Whether fewer rows at once may succeed: the statement took too long (57014), or its rows were locked. */
export function isTooSlow(error: unknown): boolean {
  return isContention(error) || (error instanceof Error && 'code' in error && error.code === '57014');
}

function condition(expired: string) {
  return sql.raw(expired.replaceAll('$now', now));
}
