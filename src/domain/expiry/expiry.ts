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
  tablesWithExpired,
} from './store.ts';

const walkedAtOnce = 20_000;
const pauseMs = 20;
// All tables together stay below the time limit of a job (`expireInSeconds` of its queue).
const tableBudgetMs = 20_000;

/** A table with expired rows that could not be removed, and why. */
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
  /** By walked table: the id after which the next run continues. */
  readonly #walked = new Map<string, string | undefined>();

  constructor({ db }: { db: Db }) {
    this.#db = db;
  }

  /**
   * Deletes expired rows, one table after another, in batches with pauses, so that traffic is not affected. The batch size adapts to
   * the time that batches take. The next run deletes the rest. A failing table does not delay the others.
   */
  async removeExpired(): Promise<Removal> {
    const removed: Record<string, number> = {};
    const failures: RemovalFailure[] = [];
    const due = await this.#due();
    for (const table of expiringTables) {
      if (!table.isWalked && !due.has(table)) continue;
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

  /** The tables with something to remove; all of them if the database cannot tell within a second, for example because one is locked. */
  async #due(): Promise<ReadonlySet<ExpiringTable>> {
    const tables = expiringTables.filter(({ isWalked }) => !isWalked);
    return new Set(await tablesWithExpired(this.#db, tables).catch(() => tables));
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

  /** Checks a few thousand rows a run, so the whole table takes several runs. */
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
      // Rows that cannot be deleted even in the smallest batch are skipped, so that the rows behind them are reached.
      if (limit === BatchSize.smallest) this.#walked.set(table.name, last);
      throw error;
    }
  }

  /** Tries a batch, and smaller ones while they take too long or their rows are locked. */
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
