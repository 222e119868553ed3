import { type QueryCreator, type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Checkpoint, genesis, type Member, type Retention, type Segment } from './chain.ts';
import type { SealKey } from './seal-keys.ts';

/** What a statement sees: all transactions below `seen_below` have ended, except the unfinished ones. */
export type Snapshot = Pick<Checkpoint, 'seen_below' | 'unfinished'> & { taken_at: Date };

const idBytes = 16;
const memberBytes = idBytes + 32;

/** Keeps every node from sealing until the transaction ends; waits for a node that is sealing. */
export async function waitForSealing(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey audit sealing'))`.execute(trx);
}

const seenNow = sql`pg_snapshot_xmax(s)::text::bigint + xid_offset as seen_below,
      array(select x::text::bigint + xid_offset from pg_snapshot_xip(s) x order by 1)::text[] as unfinished,
      date_trunc('milliseconds', latchkey_now()) as taken_at`;
type SeenNow = { seen_below: string; unfinished: string[]; taken_at: Date };

/** The snapshot of a `repeatable read` transaction. Its time is the database's: the one clock that all nodes share. */
export async function currentSnapshot(trx: Trx): Promise<Snapshot> {
  const { rows } = await sql<SeenNow>`select ${seenNow} from audit_positions, pg_current_snapshot() s`.execute(trx);
  return snapshotOf(rows[0]);
}

function snapshotOf(row: SeenNow | undefined): Snapshot {
  if (!row) throw new Error('audit_positions has lost its row');
  return { ...row, seen_below: Number(row.seen_below), unfinished: row.unfinished.map(Number) };
}

/**
 * Takes the lock for sealing, which one node holds at a time, and reads where the chain ends, and the snapshot; undefined: another node
 * holds it. The lock is released with the transaction, also if the node crashes.
 */
export async function beginSealing(trx: Trx): Promise<{ last: Checkpoint; snapshot: Snapshot } | undefined> {
  type Last = {
    number: string | null;
    head: Digest;
    last_seen_below: string;
    last_unfinished: number[];
    sealed_at: Date;
  };
  const { rows } = await sql<SeenNow & { held: boolean } & Last>`
    with lock as materialized (select pg_try_advisory_xact_lock(hashtext('latchkey audit sealing')) as held)
    select lock.held, ${seenNow}, last.number, last.head, last.seen_below as last_seen_below, last.unfinished as last_unfinished, last.sealed_at
    from lock, audit_positions, pg_current_snapshot() s left join lateral ${lastSegment} last on true`.execute(trx);
  const [row] = rows;
  const { seen_below, unfinished, taken_at } = snapshotOf(row);
  if (!row?.held) return undefined;
  const { number, head, last_seen_below, last_unfinished, sealed_at } = row;
  const last =
    number === null ? undefined : { number, head, seen_below: last_seen_below, unfinished: last_unfinished, sealed_at };
  return {
    last: last ? checkpointOf(last) : await firstCheckpoint(trx),
    snapshot: { seen_below, unfinished, taken_at },
  };
}

/** The head of the chain. */
export async function lastCheckpoint(db: Db): Promise<Checkpoint> {
  const { rows } = await sql<StoredCheckpoint>`select * from ${lastSegment} last`.execute(db);
  return rows[0] ? checkpointOf(rows[0]) : firstCheckpoint(db);
}

// Without its members, which may be 24 kB.
const lastSegment = sql`(select number, head, seen_below, unfinished, sealed_at from audit_segments order by number desc limit 1)`;

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

/** Stores a segment, and its key (`keepPublicKey`), in one statement. */
export async function insertSegment(trx: Trx, segment: Segment, key: SealKey): Promise<void> {
  const { previous_head, head, members, unfinished, ...row } = segment;
  await trx
    .with('kept', (db) => insertPublicKey(db, key, segment.sealed_at))
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
export async function keepPublicKey(trx: Trx, key: SealKey, created_at: Date): Promise<void> {
  await insertPublicKey(trx, key, created_at).execute();
}

function insertPublicKey(db: QueryCreator<Database>, { kid, public_jwk }: SealKey, created_at: Date) {
  return db
    .insertInto('audit_keys')
    .values({ kid, public_jwk: JSON.stringify(public_jwk), created_at })
    .onConflict((conflict) => conflict.doNothing());
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
