import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../platform/database/index.ts';
import { deleteExpired, deleteExpiredAfter, type ExpiringTable, expiringTables } from './store.ts';

const batch = 2000;
const mostBatches = 200;
const walkedAtOnce = 20_000;
const pauseMs = 20;

/** Removes what has expired. */
export class Expiry {
  readonly #db: Db;
  /** Of tables that are walked: after which id the next run goes on. */
  readonly #walked = new Map<string, string | undefined>();

  constructor({ db }: { db: Db }) {
    this.#db = db;
  }

  /**
   * Deletes what has expired, table after table, a batch at a time with pauses between, so that traffic does not notice.
   * What is left when it stops goes the next time. A table that cannot be read now holds up no other.
   *
   * @returns rows removed per table
   * @throws AggregateError: of some tables nothing was removed
   */
  async removeExpired(): Promise<Record<string, number>> {
    const removed: Record<string, number> = {};
    const failures: unknown[] = [];
    for (const table of expiringTables) {
      try {
        const count = await (table.isWalked ? this.#walk(table) : this.#remove(table));
        removed[table.name] = (removed[table.name] ?? 0) + count;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything that has expired could be removed');
    return removed;
  }

  async #remove(table: ExpiringTable): Promise<number> {
    let removed = 0;
    for (let [count, batches] = [batch, 0]; count === batch && batches < mostBatches; batches += 1) {
      count = await deleteExpired(this.#db, table, { limit: batch });
      removed += count;
      if (count === batch) await sleep(pauseMs);
    }
    return removed;
  }

  /** Some thousand rows a run; the whole table in as many minutes as that takes. */
  async #walk(table: ExpiringTable): Promise<number> {
    let removed = 0;
    for (let seen = 0; seen < walkedAtOnce; seen += batch) {
      const after = this.#walked.get(table.name);
      const { count, last } = await deleteExpiredAfter(this.#db, table, { limit: batch, after });
      this.#walked.set(table.name, last);
      removed += count;
      if (last === undefined) break;
      await sleep(pauseMs);
    }
    return removed;
  }
}
