import type { Selectable } from 'kysely';
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
