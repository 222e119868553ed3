import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import { firstCheckpoint, lastCheckpoint } from './chain-store.ts';
import type { NotedHead } from './verifier.ts';

/** The first and the last segment of this database's log; pruned ones lie before `first`. */
export type LogEnds = { first: NotedHead; last: NotedHead & { sealed_at: Date } };

export async function logEnds(db: Db): Promise<LogEnds> {
  const [{ number, head }, last] = [await firstCheckpoint(db), await lastCheckpoint(db)];
  return { first: { number, head }, last: { number: last.number, head: last.head, sealed_at: last.sealed_at } };
}

/** The head of a segment of this database, and when it was sealed; undefined: there is no such segment. */
export async function findHead(db: Db, number: number): Promise<(NotedHead & { sealed_at: Date }) | undefined> {
  const row = await db
    .selectFrom('audit_segments')
    .select(['head', 'sealed_at'])
    .where('number', '=', String(number))
    .executeTakeFirst();
  return row && { number, head: row.head.toString('hex'), sealed_at: row.sealed_at };
}

/** The ids of these events that this database has. */
export async function knownEvents(
  db: Db,
  events: readonly { id: string; occurred_at: string }[],
): Promise<ReadonlySet<string>> {
  const [ids, times] = [events.map(({ id }) => id), events.map(({ occurred_at }) => occurred_at)];
  // The primary key begins with the time.
  const { rows } = await sql<{ id: string }>`
    select e.id from unnest(${ids}::uuid[], ${times}::timestamptz[]) as t(id, at)
      join audit_events e on e.occurred_at = t.at and e.id = t.id`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** The details of every event with an action; only for rare actions. */
export async function detailsOfAction(db: Db, action: string): Promise<Record<string, unknown>[]> {
  const rows = await db.selectFrom('audit_events').select('details').where('action', '=', action).execute();
  return rows.map(({ details }) => details ?? {});
}
