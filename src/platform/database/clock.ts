import { sql } from 'kysely';
import type { Db } from './open.ts';

/** A node whose clock is further from the database's is not ready: it runs no jobs and issues no tokens. */
const maxSkewMs = 2000;
// `Date` has no microseconds.
const resolutionMs = 1;

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

  /** The error of this node's clock in milliseconds; 0 if it is smaller than the time of an answer. */
  get skewMs(): number {
    return Math.abs(this.#offsetMs);
  }

  isWithinBounds(): boolean {
    return this.skewMs <= maxSkewMs;
  }

  /**
   * Sends a query whose rows have `latchkey_now()` as `database_now`, and reads the time from its answer.
   *
   * @returns the rows
   * @throws what the query throws
   */
  async readWith<Row extends { database_now: Date }>(query: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
    const askedAt = Date.now();
    const rows = await query();
    const [reading] = rows;
    if (reading) this.#observe(reading.database_now, { askedAt, answeredAt: Date.now() });
    return rows;
  }

  /** Reads the database's clock now. @throws when the database cannot be read */
  async measure(db: Db): Promise<void> {
    const read = sql<{ database_now: Date }>`select latchkey_now() as database_now`;
    await this.readWith(async () => (await read.execute(db)).rows);
  }

  #observe(databaseNow: Date, { askedAt, answeredAt }: { askedAt: number; answeredAt: number }): void {
    const least = databaseNow.getTime() - answeredAt - resolutionMs;
    const most = databaseNow.getTime() - askedAt + resolutionMs;
    this.#offsetMs = Math.min(Math.max(this.#offsetMs, least), most);
  }
}
