import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../platform/database/index.ts';
import { BatchSize } from './batch-size.ts';
import {
  deleteExpired,
  deleteExpiredUpTo,
  type ExpiringTable,
  expiringTables,
  isTooSlow,
  lastOfNext,
} from './store.ts';

const walkedAtOnce = 20_000;
const pauseMs = 20;
// All tables together stay below what a job may take (`expireInSeconds` of its queue).
const tableBudgetMs = 20_000;

/** A table from which not everything that has expired could be removed, and why. */
export type RemovalFailure = { table: string; cause: unknown };

export type Removal = {
  /** Rows by table. */
  removed: Record<string, number>;
  failures: RemovalFailure[];
};

/** Removes what has expired. */
export class Expiry {
  readonly #db: Db;
  readonly #sizes = new Map<ExpiringTable, BatchSize>();
  /** Of tables that are walked: after which id the next run goes on. */
  readonly #walked = new Map<string, string | undefined>();

  constructor({ db }: { db: Db }) {
    this.#db = db;
  }

  /**
   * Deletes what has expired, table after table, a batch at a time with pauses between, so that traffic does not notice. Batches
   * adapt to how long they take. What is left when it stops goes the next time. A table that cannot be read holds up no other.
   */
  async removeExpired(): Promise<Removal> {
    const removed: Record<string, number> = {};
    const failures: RemovalFailure[] = [];
    for (const table of expiringTables) {
      const count = (rows: number) => {
        removed[table.name] = (removed[table.name] ?? 0) + rows;
      };
      try {
        await (table.isWalked ? this.#walk(table, count) : this.#remove(table, count));
      } catch (cause) {
        failures.push({ table: table.name, cause });
      }
    }
    return { removed, failures };
  }

  async #remove(table: ExpiringTable, count: (rows: number) => void): Promise<void> {
    const until = performance.now() + tableBudgetMs;
    for (let isLast = false; !isLast && performance.now() < until; ) {
      const { rows, limit } = await this.#adapted(table, (limit) => deleteExpired(this.#db, table, { limit }));
      count(rows);
      isLast = rows < limit;
      if (!isLast) await sleep(pauseMs);
    }
  }

  /** Some thousand rows a run; the whole table in as many minutes as that takes. */
  async #walk(table: ExpiringTable, count: (rows: number) => void): Promise<void> {
    const until = performance.now() + tableBudgetMs;
    for (let seen = 0; seen < walkedAtOnce && performance.now() < until; ) {
      const { rows, limit } = await this.#adapted(table, (limit) => this.#removeNext(table, limit));
      count(rows);
      seen += limit;
      if (this.#walked.get(table.name) === undefined) return;
      await sleep(pauseMs);
    }
  }

  async #removeNext(table: ExpiringTable, limit: number): Promise<number> {
    const after = this.#walked.get(table.name);
    const last = await lastOfNext(this.#db, table, { limit, after });
    if (last === undefined) {
      this.#walked.delete(table.name);
      return 0;
    }
    try {
      const rows = await deleteExpiredUpTo(this.#db, table, { after, last });
      this.#walked.set(table.name, last);
      return rows;
    } catch (error) {
      // What cannot be deleted even a few rows at a time is passed over, so that what is behind it is reached.
      if (limit === BatchSize.smallest) this.#walked.set(table.name, last);
      throw error;
    }
  }

  /** Tries a batch, and ever smaller ones while they take too long or their rows are locked. */
  async #adapted(
    table: ExpiringTable,
    work: (limit: number) => Promise<number>,
  ): Promise<{ rows: number; limit: number }> {
    const size = this.#sizes.get(table) ?? new BatchSize();
    this.#sizes.set(table, size);
    for (;;) {
      const limit = size.rows;
      const startedAt = performance.now();
      try {
        const rows = await work(limit);
        size.took(performance.now() - startedAt, rows);
        return { rows, limit };
      } catch (error) {
        if (!(isTooSlow(error) && size.shrink())) throw error;
      }
    }
  }
}
