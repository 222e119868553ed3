import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';

/** The number of uses since the counter started, and when it restarts. */
export type Uses = { uses: number; resets_in_seconds: number };

// Milliseconds since 1970: what rows have held since the first version.
const nowMs = sql`(extract(epoch from latchkey_now()) * 1000)::bigint`;

/** Counts a use, in a counter that restarts this many seconds after its first use, by the database's time. */
export async function countUse(db: Db, key: string, seconds: number): Promise<Uses> {
  const { rows } = await sql<Uses>`
    insert into throttles as t (key, points, expire) values (${key}, 1, ${nowMs} + ${seconds * 1000}::bigint)
      on conflict (key) do update set points = case when t.expire > ${nowMs} then t.points + 1 else 1 end,
        expire = case when t.expire > ${nowMs} then t.expire else excluded.expire end
      returning points as uses, greatest((expire - ${nowMs})::float8 / 1000, 0) as resets_in_seconds`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('a use was not counted');
  return row;
}

/** Removes one use from a counter. */
export async function giveUseBack(db: Db, key: string): Promise<void> {
  await sql`update throttles set points = greatest(points - 1, 0) where key = ${key}`.execute(db);
}

/** Restarts a counter. */
export async function forgetUses(db: Db, key: string): Promise<void> {
  await db.deleteFrom('throttles').where('key', '=', key).execute();
}
