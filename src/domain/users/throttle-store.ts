import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';

/** The number of uses since the counter started, and when it restarts. */
export type Uses = { uses: number; resets_in_seconds: number };

// Milliseconds since 1970: what rows have held since the first version.
const nowMs = sql`(extract(epoch from latchkey_now()) * 1000)::bigint`;

/**
 * Counts a use in each of these counters, which are different ones, and restart this many seconds after their first use, by the
 * database's time. In the order of their keys, so that no two requests wait for each other.
 *
 * @returns the uses of each counter, in the order of `keys`
 */
export async function countUses(db: Db, keys: readonly string[], seconds: number): Promise<Uses[]> {
  const { rows } = await sql<Uses & { key: string }>`
    insert into throttles as t (key, points, expire)
      select key, 1, ${nowMs} + ${seconds * 1000}::bigint from unnest(${keys}::text[]) as k(key) order by key
      on conflict (key) do update set points = case when t.expire > ${nowMs} then t.points + 1 else 1 end,
        expire = case when t.expire > ${nowMs} then t.expire else excluded.expire end
      returning key, points as uses, greatest((expire - ${nowMs})::float8 / 1000, 0) as resets_in_seconds`.execute(db);
  const counted = new Map(rows.map((row) => [row.key, row]));
  return keys.map((key) => {
    const row = counted.get(key);
    if (!row) throw new Error('a use was not counted');
    return row;
  });
}

/** Removes one use from each of some counters, and restarts others. */
export async function removeUses(
  db: Db,
  { once, all }: { once: readonly string[]; all: readonly string[] },
): Promise<void> {
  await sql`
    with restarted as (delete from throttles where key = any(${all}::text[])),
      used as materialized (select key from throttles where key = any(${once}::text[]) order by key for update)
    update throttles t set points = greatest(points - 1, 0) from used where t.key = used.key`.execute(db);
}
