import { type ControlledTransaction, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Checkpoint, isAfter, type Segment } from './chain.ts';
import { firstCheckpoint, lastSegmentBefore, segmentsAfter } from './chain-store.ts';
import { afterTransaction, type ChainPlace, type ChainRow, eventsAfter } from './chained-event-store.ts';

/** A range of time: all segments that were sealed in it, as a whole. */
export type SealedRange = { from?: Date | undefined; to?: Date | undefined };

const eventsAtOnce = 1000;
const segmentsAtOnce = 20;

/** A snapshot of the whole log, which later events do not change; the caller rolls it back. */
export async function lookAtOneMoment(db: Db): Promise<ControlledTransaction<Database>> {
  const look = await db.startTransaction().setIsolationLevel('repeatable read').execute();
  await sql`set transaction read only`.execute(look);
  return look;
}

/** Runs work in one snapshot of the whole log. */
export async function atOneMoment<T>(db: Db, work: (look: Trx) => Promise<T>): Promise<T> {
  const look = await lookAtOneMoment(db);
  try {
    return await work(look);
  } finally {
    await look.rollback().execute();
  }
}

/** Where a range begins: after the last segment before it, or where the log begins. */
export async function startOf(db: Db, { from }: SealedRange): Promise<Checkpoint> {
  return (from && (await lastSegmentBefore(db, from))) ?? firstCheckpoint(db);
}

/** Reads segments and their events side by side, each once, in constant memory. */
export class Walk {
  readonly #db: Db;
  readonly #start: Checkpoint;
  readonly #to: Date | undefined;
  /** Events that were read, but are not in a segment yet: later ones, and those of transactions that were still running. */
  readonly pending = new Map<string, ChainRow>();
  #ahead: ChainRow[] = [];
  #read = 0;
  #place: ChainPlace;
  #isExhausted = false;

  constructor(db: Db, start: Checkpoint, to?: Date) {
    this.#db = db;
    this.#start = start;
    this.#to = to;
    const lowest = Math.min(start.seen_below, ...start.unfinished);
    this.#place = afterTransaction(lowest - 1);
  }

  /** Each segment with those of its events that exist, in order. */
  async *segments(): AsyncGenerator<{ segment: Segment; rows: ChainRow[] }> {
    let number = this.#start.number;
    for (;;) {
      const segments = await segmentsAfter(this.#db, number, segmentsAtOnce);
      for (const segment of segments) {
        if (this.#to && segment.sealed_at > this.#to) return;
        await this.#readFor(segment);
        yield { segment, rows: this.#take(segment) };
        number = segment.number;
      }
      if (segments.length < segmentsAtOnce) return;
    }
  }

  /** Reads what follows the last seal. */
  async *rest(): AsyncGenerator<ChainRow> {
    yield* this.pending.values();
    for (;;) {
      const row = await this.#next(Number.POSITIVE_INFINITY);
      if (!row) return;
      yield row;
    }
  }

  /** Reads as far as the events of a segment reach; for the last one of a snapshot, to its end, so that added events show. */
  async #readFor({ members, seen_below, is_complete }: Segment): Promise<void> {
    const missing = new Set(members.map(({ id }) => id).filter((id) => !this.pending.has(id)));
    while (is_complete || missing.size > 0) {
      const row = await this.#next(seen_below);
      if (!row) return;
      this.pending.set(row.event.id, row);
      missing.delete(row.event.id);
    }
  }

  /** The next event of a transaction below a number that was not yet visible at the start. */
  async #next(below: number): Promise<ChainRow | undefined> {
    for (;;) {
      const row = this.#ahead[this.#read];
      if (!row && this.#isExhausted) return undefined;
      if (!row) await this.#readAhead();
      else if (row.event.recorded_in >= below) return undefined;
      else {
        this.#read += 1;
        if (isAfter(this.#start, row.event.recorded_in)) return row;
      }
    }
  }

  async #readAhead(): Promise<void> {
    this.#ahead = await eventsAfter(this.#db, this.#place, eventsAtOnce);
    this.#read = 0;
    this.#isExhausted = this.#ahead.length < eventsAtOnce;
    const last = this.#ahead.at(-1);
    if (last) this.#place = { recorded_in: last.event.recorded_in, id: last.event.id };
  }

  #take({ members }: Segment): ChainRow[] {
    const ids = new Set(members.map(({ id }) => id));
    const rows = [...this.pending.values()].filter(({ event }) => ids.has(event.id));
    for (const { event } of rows) this.pending.delete(event.id);
    return rows;
  }
}
