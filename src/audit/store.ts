import { type Selectable, sql } from 'kysely';
import type { Database } from '../../db/schema.ts';
import type { Db, Trx } from '../platform/database/index.ts';
import type { AuditRow } from './events.ts';

export type RecordedEvent = Selectable<Database['audit_events']>;

export async function insertEvent(trx: Trx, row: AuditRow): Promise<void> {
  await trx.insertInto('audit_events').values(row).execute();
}

/** The newest events, oldest of them first; with `after`, those recorded later than that event. */
export async function listEvents(
  db: Db,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<RecordedEvent[]> {
  const query = db.selectFrom('audit_events').selectAll().limit(limit);
  // UUIDv7 ids grow with time.
  if (after) return query.where('id', '>', after).orderBy('id').execute();
  return (await query.orderBy('id', 'desc').execute()).reverse();
}

export type EventsOfQuery = { actions: readonly string[]; limit: number; before?: string | undefined };

/**
 * What a person did and what was done to their account, the newest first; with `before`, what was recorded earlier than that
 * event. What clients do with their tokens is left out: it would be thousands of rows between two that matter.
 */
export async function listEventsOf(
  db: Db,
  user_id: string,
  { actions, limit, before }: EventsOfQuery,
): Promise<RecordedEvent[]> {
  const newest = db
    .selectFrom('audit_events')
    .selectAll()
    .where('action', 'in', actions)
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
    .orderBy('id', 'desc')
    .limit(limit);
  // As the two partial indexes say it (0007_events_of_a_person.ts).
  const byThem = newest
    .where(sql<boolean>`actor_kind = 'user'`)
    .where('actor_id', '=', user_id)
    // What an administrator does to other people is in those people's lists.
    .where(sql<boolean>`(target_kind is distinct from 'user' or target_id = ${user_id})`);
  const aboutThem = newest
    .where(
      sql<boolean>`target_kind = 'user' and action not in ('access_token.issued', 'refresh_token.rotated', 'refresh_token.replayed')`,
    )
    .where('target_id', '=', user_id)
    .where(sql<boolean>`(actor_kind, actor_id) is distinct from ('user', ${user_id})`);
  return db
    .selectFrom(byThem.as('by_them'))
    .selectAll()
    .unionAll(db.selectFrom(aboutThem.as('about_them')).selectAll())
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
