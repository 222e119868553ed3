import { sql } from 'kysely';
import type { Db } from './open.ts';

/** A node whose clock is further from the database's is not ready: it runs no jobs and issues no tokens. */
const maxSkewMs = 2000;
// `Date` has no microseconds.
const resolutionMs = 1;

/** One look at the database's clock, and between which moments of this node's it was taken. */
export type ClockReading = { asked_at: number; database_now: Date; answered_at: number };

/**
 * The database's time, as far as this node can tell (DESIGN.md §4). Rules take their time from `now`, so that a node or a
 * command on a machine with a wrong clock stores, compares and revokes by the clock that all nodes share.
 *
 * A reading only proves that the difference between the clocks lies in an interval as long as the round trip. The node's own
 * clock is believed until a reading proves it wrong, so that a right clock is followed exactly and slow answers move nothing.
 */
export class DatabaseClock {
  #offsetMs = 0;

  readonly now = (): Date => new Date(Date.now() + this.#offsetMs);

  /** By how much this node's clock is wrong, in milliseconds; 0 where that cannot be told from the time an answer takes. */
  get skewMs(): number {
    return Math.abs(this.#offsetMs);
  }

  isWithinBounds(): boolean {
    return this.skewMs <= maxSkewMs;
  }

  /** Takes in a reading that was a by-product of another query. */
  observe({ asked_at, database_now, answered_at }: ClockReading): void {
    const least = database_now.getTime() - answered_at - resolutionMs;
    const most = database_now.getTime() - asked_at + resolutionMs;
    this.#offsetMs = Math.min(Math.max(this.#offsetMs, least), most);
  }

  /** Reads the database's clock now. @throws when the database cannot be read */
  async measure(db: Db): Promise<void> {
    const asked_at = Date.now();
    const { rows } = await sql<{ database_now: Date }>`select latchkey_now() as database_now`.execute(db);
    const [reading] = rows;
    if (reading) this.observe({ asked_at, ...reading, answered_at: Date.now() });
  }
}
