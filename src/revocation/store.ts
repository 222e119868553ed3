import { sql } from 'kysely';
import type { Db, Trx } from '../platform/database/index.ts';

/** Live credentials by kind. */
export type IssuedBefore = { sessions: number; refresh_families: number; access_tokens: number };

export async function countIssuedBefore(db: Db, { before, now }: { before: Date; now: Date }): Promise<IssuedBefore> {
  const { rows } = await sql<IssuedBefore>`select
    (select count(*)::int from sessions s where s.user_id is not null and s.revoked_at is null and s.expires_at > ${now} and s.login_at <= ${before}) as sessions,
    (select count(*)::int from refresh_families f join standing_grants g on g.id = f.grant_id and g.ends_at > ${now}
      where f.revoked_at is null and f.digest is not null and f.expires_at > ${now} and f.issued_at <= ${before}) as refresh_families,
    (select count(*)::int from (
      select grant_id, issued_at, expires_at, revoked_at from access_tokens
      union all select grant_id, issued_at, expires_at, revoked_at from jwt_access_tokens) t
      left join standing_grants g on g.id = t.grant_id
      where t.revoked_at is null and t.expires_at > ${now} and t.issued_at <= ${before} and (t.grant_id is null or g.ends_at > ${now}))
      as access_tokens`.execute(db);
  return rows[0] ?? { sessions: 0, refresh_families: 0, access_tokens: 0 };
}

/** Clients before people, as token commits lock them. */
export async function markAllOwners(trx: Trx, before: Date): Promise<void> {
  for (const table of ['clients', 'users'] as const) {
    const marked = sql<Date>`greatest(tokens_valid_after, ${before})`;
    await trx.updateTable(table).set({ tokens_valid_after: marked }).execute();
  }
}
