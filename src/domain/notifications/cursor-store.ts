import { type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

/**
 * The position of an audience: everything up to `segment`, and `ordinal` messages of the one after it, are sent; how often the next
 * message was tried, and when it is tried again.
 */
export type Cursor = { segment: number; ordinal: number; attempts: number; next_attempt_at: Date | null };

/** The right of one node to move a cursor. It expires if the node crashes. */
export type Lease = { name: string; id: string };

const leaseMs = 20_000;

export async function insertCursor(db: Db, name: string, segment: number): Promise<void> {
  await db
    .insertInto('event_cursors')
    .values({ name, segment, next_attempt_at: null, lease: null, leased_until: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteCursor(trx: Trx, name: string): Promise<void> {
  await trx.deleteFrom('event_cursors').where('name', '=', name).execute();
}

/** Takes the lease; undefined while another node has it. */
export async function takeCursor(db: Db, { name, id }: Lease, now: Date): Promise<Cursor | undefined> {
  const row = await db
    .updateTable('event_cursors')
    .set({ lease: id, leased_until: new Date(now.getTime() + leaseMs) })
    .where('name', '=', name)
    .where((eb) => eb.or([eb('leased_until', 'is', null), eb('leased_until', '<', now)]))
    .returningAll()
    .executeTakeFirst();
  return row && cursorOf(row);
}

/** Moves the cursor and keeps the lease. @returns false when another node has taken it meanwhile */
export async function saveCursor(db: Db, { name, id }: Lease, cursor: Cursor, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('event_cursors')
    .set({ ...cursor, leased_until: new Date(now.getTime() + leaseMs) })
    .where('name', '=', name)
    .where('lease', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function releaseCursor(db: Db, { name, id }: Lease): Promise<void> {
  await db
    .updateTable('event_cursors')
    .set({ lease: null, leased_until: null })
    .where('name', '=', name)
    .where('lease', '=', id)
    .execute();
}

/** Makes the next message due now. */
export async function hurryCursor(trx: Trx, name: string): Promise<void> {
  await trx.updateTable('event_cursors').set({ attempts: 0, next_attempt_at: null }).where('name', '=', name).execute();
}

/** The receivers with something to send: sealed events after the cursor, or requested messages. */
export async function dueCursors(db: Db, now: Date): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.name from event_cursors c left join webhooks w on w.id::text = c.name
    where coalesce(w.enabled, c.name = 'stdout') and (
      (c.segment < (select max(number) from audit_segments) and coalesce(c.next_attempt_at <= ${now}, true))
      or exists (select from webhook_deliveries d where d.webhook_id = w.id and d.state = 'requested'))`.execute(db);
  return rows.map(({ name }) => name);
}

function cursorOf({ segment, ordinal, attempts, next_attempt_at }: Selectable<Database['event_cursors']>): Cursor {
  return { segment: Number(segment), ordinal, attempts, next_attempt_at };
}
