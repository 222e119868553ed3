import { sql } from 'kysely';
import type { Db } from '../../../platform/database/index.ts';
import type { Counter } from './counters.ts';

/** Increments all counters or none, in one round trip: returns the counter that refused (from 1; 0: none), then all values. */
export async function takeFromLimits(db: Db, counters: readonly Counter[]): Promise<number[]> {
  const column = <Value>(of: (counter: Counter) => Value) => counters.map(of);
  const whole = (value: number) => BigInt(Math.round(value)).toString();
  const { rows } = await sql<{ taken: string[] }>`select take_from_limits(${column(({ key }) => key)}::text[],
    ${column(({ floor }) => whole(floor))}::bigint[], ${column(({ increment }) => whole(increment))}::bigint[],
    ${column(({ ceiling }) => whole(ceiling))}::bigint[],
    ${column(({ expires_at }) => expires_at)}::timestamptz[]) as taken`.execute(db);
  return (rows[0]?.taken ?? []).map(Number);
}

export async function findCounters(db: Db, keys: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.selectFrom('limit_counters').select(['key', 'value']).where('key', 'in', keys).execute();
  return new Map(rows.map(({ key, value }) => [key, Number(value)]));
}

/** Adds the counts of this node. @returns each counter with the counts of all nodes */
export async function addToCounters(
  db: Db,
  added: readonly { key: string; value: number; expires_at: Date }[],
): Promise<Map<string, number>> {
  const { rows } = await sql<{ key: string; value: string }>`
    insert into limit_counters as present (key, value, expires_at)
      select * from unnest(${added.map(({ key }) => key)}::text[], ${added.map(({ value }) => value)}::bigint[],
        ${added.map(({ expires_at }) => expires_at)}::timestamptz[]) as a(key, value, expires_at) order by key
      on conflict (key) do update set value = present.value + excluded.value
      returning key, value`.execute(db);
  return new Map(rows.map(({ key, value }) => [key, Number(value)]));
}
