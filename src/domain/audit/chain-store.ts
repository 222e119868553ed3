import { type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Checkpoint, genesis, type Member, type Retention, type Segment } from './chain.ts';
import type { SealKey } from './seal-keys.ts';

/** What a statement sees: all transactions below `seen_below` have ended, except the unfinished ones. */
export type Snapshot = Pick<Checkpoint, 'seen_below' | 'unfinished'> & { taken_at: Date };

const idBytes = 16;
const memberBytes = idBytes + 32;

/** Takes the lock for sealing, which one node holds at a time. It is released with the transaction, also if the node crashes. */
export async function holdsSealing(trx: Trx): Promise<boolean> {
  const { rows } = await sql<{ held: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('latchkey audit sealing')) as held`.execute(trx);
  return rows[0]?.held === true;
}

/** Keeps every node from sealing until the transaction ends; waits for a node that is sealing. */
export async function waitForSealing(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey audit sealing'))`.execute(trx);
}

/** The snapshot of a `repeatable read` transaction. Its time is the database's: the one clock that all nodes share. */
export async function currentSnapshot(trx: Trx): Promise<Snapshot> {
  const { rows } = await sql<{ seen_below: string; unfinished: string[]; taken_at: Date }>`
    select pg_snapshot_xmax(s)::text::bigint + xid_offset as seen_below,
      array(select x::text::bigint + xid_offset from pg_snapshot_xip(s) x order by 1)::text[] as unfinished,
      date_trunc('milliseconds', latchkey_now()) as taken_at
    from audit_positions, pg_current_snapshot() s`.execute(trx);
  const [row] = rows;
  if (!row) throw new Error('audit_positions has lost its row');
  return { ...row, seen_below: Number(row.seen_below), unfinished: row.unfinished.map(Number) };
}

/** The head of the chain. */
export async function lastCheckpoint(db: Db): Promise<Checkpoint> {
  // Its members may be 24 kB, which are read for each new segment otherwise.
  const segment = await db
    .selectFrom('audit_segments')
    .select(['number', 'head', 'seen_below', 'unfinished', 'sealed_at'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return segment ? checkpointOf(segment) : firstCheckpoint(db);
}

/** The position where the rest of the chain begins. */
export async function firstCheckpoint(db: Db): Promise<Checkpoint> {
  return (await findRetention(db)) ?? genesis;
}

/** The record of the last removed segments. */
export async function findRetention(db: Db): Promise<Retention | undefined> {
  const row = await db.selectFrom('audit_retentions').selectAll().orderBy('number', 'desc').limit(1).executeTakeFirst();
  if (!row) return undefined;
  const { removed_at, kid, signature } = row;
  return { ...checkpointOf(row), removed_at, kid, signature };
}

/** The number of events in the segments up to a number. */
export async function segmentTotals(db: Db, number: number): Promise<{ segments: number; events: number }> {
  const { segments, events } = await db
    .selectFrom('audit_segments')
    .where('number', '<=', String(number))
    .select(({ fn }) => [fn.countAll<string>().as('segments'), fn.sum<string | null>('event_count').as('events')])
    .executeTakeFirstOrThrow();
  return { segments: Number(segments), events: Number(events ?? 0) };
}

export async function deleteSegments(trx: Trx, through: number): Promise<void> {
  await trx.deleteFrom('audit_segments').where('number', '<=', String(through)).execute();
}

export async function insertRetention(trx: Trx, { head, unfinished, ...row }: Retention): Promise<void> {
  await trx
    .insertInto('audit_retentions')
    .values({ ...row, head: bytes(head), unfinished: JSON.stringify(unfinished) })
    .execute();
}

/** The last segment that was sealed before a time and completes a snapshot: the chain can be cut after it. */
export async function lastSegmentBefore(db: Db, moment: Date): Promise<Segment | undefined> {
  const row = await db
    .selectFrom('audit_segments')
    .selectAll()
    .where('sealed_at', '<', moment)
    .where('is_complete', '=', true)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && segmentOf(row);
}

/** The last segment up to a number that completes a snapshot: a walk can begin after it. */
export async function completeSegmentUpTo(db: Db, number: number): Promise<Segment | undefined> {
  const row = await db
    .selectFrom('audit_segments')
    .selectAll()
    .where('number', '<=', String(number))
    .where('is_complete', '=', true)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && segmentOf(row);
}

// An event is sealed within seconds. The clocks of nodes, and an event's id and time, differ by less than this.
export const margin = sql.lit('10 minutes');
const longestUnsealed = sql.lit('1 hour');

/** The segment that holds an event; undefined: none yet. */
export async function findSegmentOf(
  db: Db,
  { id, occurred_at }: { id: string; occurred_at: Date },
): Promise<Segment | undefined> {
  const row = await db
    .selectFrom('audit_segments')
    .selectAll()
    .where('sealed_at', '>=', sql<Date>`${occurred_at}::timestamptz - ${margin}::interval`)
    .where('sealed_at', '<', sql<Date>`${occurred_at}::timestamptz + ${longestUnsealed}::interval`)
    .where(sql<boolean>`position(${bytes(id.replaceAll('-', ''))} in members) > 0`)
    .orderBy('sealed_at')
    .limit(1)
    .executeTakeFirst();
  return row && segmentOf(row);
}

/** The predecessor of a segment, with its last event; undefined: there is none. */
export async function checkpointBefore(
  db: Db,
  number: number,
): Promise<{ checkpoint: Checkpoint; last: Member | undefined } | undefined> {
  const row = await db
    .selectFrom('audit_segments')
    .selectAll()
    .where('number', '=', String(number - 1))
    .executeTakeFirst();
  if (row) return { checkpoint: checkpointOf(row), last: segmentOf(row).members.at(-1) };
  const checkpoint = await firstCheckpoint(db);
  return checkpoint.number === number - 1 ? { checkpoint, last: undefined } : undefined;
}

/** Segments after a number, in their order. */
export async function segmentsAfter(db: Db, number: number, limit: number): Promise<Segment[]> {
  const rows = await db
    .selectFrom('audit_segments')
    .selectAll()
    .where('number', '>', String(number))
    .orderBy('number')
    .limit(limit)
    .execute();
  return rows.map(segmentOf);
}

export async function insertSegment(
  trx: Trx,
  { previous_head, head, members, unfinished, ...row }: Segment,
): Promise<void> {
  await trx
    .insertInto('audit_segments')
    .values({
      ...row,
      previous_head: bytes(previous_head),
      head: bytes(head),
      event_count: members.length,
      members: membersToBytes(members),
      unfinished: JSON.stringify(unfinished),
    })
    .execute();
}

/** Stores the public part of a key, so that its signatures can always be verified. */
export async function keepPublicKey(db: Db, { kid, public_jwk }: SealKey, created_at: Date): Promise<void> {
  await db
    .insertInto('audit_keys')
    .values({ kid, public_jwk: JSON.stringify(public_jwk), created_at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Whether some node has sealed in the last two seconds. */
export async function hasSealedLately(db: Db): Promise<boolean> {
  const { rows } = await sql<{ has_sealed: boolean }>`select exists (select from audit_segments
    where sealed_at > (select latchkey_now()) - interval '2 seconds') as has_sealed`.execute(db);
  return rows[0]?.has_sealed === true;
}

type StoredCheckpoint = Pick<
  Selectable<Database['audit_retentions']>,
  'number' | 'head' | 'seen_below' | 'unfinished' | 'sealed_at'
>;

function checkpointOf({ number, head, seen_below, unfinished, sealed_at }: StoredCheckpoint): Checkpoint {
  return { number: Number(number), head: head.toString('hex'), seen_below: Number(seen_below), unfinished, sealed_at };
}

function segmentOf(row: Selectable<Database['audit_segments']>): Segment {
  const { previous_head, members, is_complete, kid, signature } = row;
  return {
    ...checkpointOf(row),
    previous_head: previous_head.toString('hex'),
    members: membersFromBytes(members),
    is_complete,
    kid,
    signature,
  };
}

const bytes = (hex: string) => Buffer.from(hex, 'hex') as Digest;

function membersToBytes(members: readonly Member[]): Digest {
  return bytes(members.map(({ id, digest }) => id.replaceAll('-', '') + digest).join(''));
}

function membersFromBytes(stored: Buffer): Member[] {
  return Array.from({ length: Math.floor(stored.length / memberBytes) }, (_, n) => {
    const hex = stored.toString('hex', n * memberBytes, (n + 1) * memberBytes);
    const id = hex.slice(0, 2 * idBytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return { id, digest: hex.slice(2 * idBytes) };
  });
}
