import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';

export type DayOfUse = { day: Date; allowed: string; refused: string };

export async function listUsage(db: Db, key_id: string, since: Date): Promise<DayOfUse[]> {
  return db
    .selectFrom('api_key_usage')
    .select(['day', 'allowed', 'refused'])
    .where('key_id', '=', key_id)
    .where('day', '>=', since)
    .orderBy('day')
    .execute();
}

export type Used = { key_id: string; day: Date; allowed: number; refused: number; last_used_at: Date | null };

/** Adds the counts of a node in one statement, also if a key occurs twice; deleted keys are left out. */
export async function addUsage(db: Db, used: readonly Used[]): Promise<void> {
  const column = <Value>(of: (one: Used) => Value) => used.map(of);
  await sql`
    with used as (
      select u.key_id, u.day, sum(u.allowed)::bigint as allowed, sum(u.refused)::bigint as refused, max(u.last_used_at) as last_used_at
        from unnest(${column(({ key_id }) => key_id)}::uuid[], ${column(({ day }) => day)}::timestamptz[],
          ${column(({ allowed }) => allowed)}::bigint[], ${column(({ refused }) => refused)}::bigint[],
          ${column(({ last_used_at }) => last_used_at)}::timestamptz[]) as u(key_id, day, allowed, refused, last_used_at)
        join api_keys k on k.id = u.key_id
        group by u.key_id, u.day),
    touched as (
      -- An update that moves nothing would be announced to all nodes as a change of the key.
      update api_keys k set last_used_at = latest.at
        from (select key_id, max(last_used_at) as at from used group by key_id) latest
        where k.id = latest.key_id and latest.at > coalesce(k.last_used_at, '-infinity'))
    insert into api_key_usage as present (key_id, day, allowed, refused) select key_id, day, allowed, refused from used
      on conflict (key_id, day) do update set allowed = present.allowed + excluded.allowed,
        refused = present.refused + excluded.refused`.execute(db);
}
