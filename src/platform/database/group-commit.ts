import type { HotConnection } from './hot-connection.ts';
import type { HotResult, HotStatement } from './hot-statement.ts';
import type { Database } from './open.ts';
import { DatabaseUnavailableError, isContention } from './unavailable.ts';

const lanes = 2;
const maxBatch = 64;
// The second lane is for when the first is full or stuck: two batches at once are smaller ones, which cost more a unit.
const secondLaneAfterMs = 20;
// After this time a unit fails: its rows stayed locked, or its statements kept meeting locks.
const budgetMs = 1000;
// Units with the same key run one after the other: the last of many may wait longer than any lock lasts.
const longestQueueMs = 5000;
// A unit that has waited this long when the database stops answering would wait too long for the next connection.
const outageBudgetMs = 400;
const retryPauseMs = { min: 2, spread: 6 };

/** How units of one kind are judged and written. */
export type GroupCommitKind<Row, Verdict> = {
  /**
   * The statements of one batch, sent in one round trip: one is a transaction by itself, several are sent between `begin` and
   * `commit`. A judgement in the statement that locks has a snapshot that is older than the locks: either it is a statement of its
   * own, or it compares what was locked with that snapshot.
   */
  statements: (rows: readonly Row[]) => HotStatement[];
  /** The verdict on each row by its place in the batch. A row without one was held by another transaction and is tried again. */
  verdicts: (answers: readonly HotResult[]) => ReadonlyMap<number, Verdict>;
  /** At most one row with the same key is in flight on this node; undefined: the row excludes no other. */
  keyOf: (row: Row) => string | undefined;
  /** Whether the verdict means that something was written. */
  hasWritten: (verdict: Verdict) => boolean;
  /** Whether no other request in flight could join the batch; undefined: unknown. */
  isAlone?: () => boolean;
  /** Is notified of every batch, and of every row that is tried again. */
  observer: { sent: (size: number) => void; retried: () => void };
};

type Waiting<Row, Verdict> = {
  row: Row;
  key: string | undefined;
  since: number;
  /** When it was first in a batch. */
  triedSince?: number;
  resolve: (verdict: Verdict) => void;
  reject: (error: unknown) => void;
};

/** Commits the units of concurrent requests together: while one batch is in flight, the next fills (DESIGN.md §5). */
export class GroupCommit<Row, Verdict> {
  readonly #kind: GroupCommitKind<Row, Verdict>;
  readonly #commits: Database['commits'];
  readonly #idle: HotConnection[];
  readonly #inFlight = new Set<string>();
  #queue: Waiting<Row, Verdict>[] = [];
  #isScheduled = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #secondLane: NodeJS.Timeout | undefined;

  /** Its connections are closed with the database. */
  constructor(database: Pick<Database, 'commits' | 'openHotConnection'>, kind: GroupCommitKind<Row, Verdict>) {
    this.#kind = kind;
    this.#commits = database.commits;
    this.#idle = Array.from({ length: lanes }, () => database.openHotConnection());
  }

  /**
   * Judges and writes one unit.
   *
   * @throws DatabaseUnavailableError: whether it took effect is unknown
   * @throws the error with which PostgreSQL refuses this row; other units of the batch are not affected
   */
  commit(row: Row): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ row, key: this.#kind.keyOf(row), since: performance.now(), resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const afterwards = this.#kind.isAlone?.() ? process.nextTick : setImmediate;
    afterwards(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0 && !this.#waitsForFirstLane()) {
      const connection = this.#idle.pop();
      if (!connection) return;
      const batch = this.#takeBatch();
      if (batch.length === 0) {
        this.#idle.push(connection);
        return;
      }
      this.#sentAt = performance.now();
      this.#kind.observer.sent(batch.length);
      void this.#commitBatch(connection, batch).finally(() => {
        for (const { key } of batch) if (key !== undefined) this.#inFlight.delete(key);
        this.#idle.push(connection);
        this.#flush();
      });
    }
  }

  /** Whether the next batch waits for the one in flight: until it completes, or takes too long. */
  #waitsForFirstLane(): boolean {
    const leftMs = this.#sentAt + secondLaneAfterMs - performance.now();
    if (this.#idle.length === lanes || this.#queue.length >= maxBatch || leftMs <= 0) return false;
    this.#secondLane ??= setTimeout(() => {
      this.#secondLane = undefined;
      this.#flush();
    }, leftMs);
    return true;
  }

  #takeBatch(): Waiting<Row, Verdict>[] {
    const batch: Waiting<Row, Verdict>[] = [];
    const rest: Waiting<Row, Verdict>[] = [];
    for (const waiting of this.#queue) {
      const { key } = waiting;
      const fits = batch.length < maxBatch && (key === undefined || !this.#inFlight.has(key));
      (fits ? batch : rest).push(waiting);
      if (fits) waiting.triedSince ??= performance.now();
      if (fits && key !== undefined) this.#inFlight.add(key);
    }
    this.#queue = rest;
    return batch;
  }

  async #commitBatch(connection: HotConnection, units: readonly Waiting<Row, Verdict>[]): Promise<void> {
    const locked = new Error('rows or tables stayed locked');
    const batch = rejectLate(
      rejectLate(units, longestQueueMs, locked),
      budgetMs,
      locked,
      ({ triedSince }) => triedSince,
    );
    if (batch.length === 0) return;
    try {
      const verdicts = await this.#send(connection, batch);
      if ([...verdicts.values()].some((verdict) => this.#kind.hasWritten(verdict))) this.#commits.committed();
      for (const [n, waiting] of batch.entries()) {
        const verdict = verdicts.get(n);
        if (verdict === undefined) this.#retry(waiting, n);
        else waiting.resolve(verdict);
      }
    } catch (error) {
      await this.#recover(connection, batch, error);
    }
  }

  async #send(
    connection: HotConnection,
    batch: readonly Waiting<Row, Verdict>[],
  ): Promise<ReadonlyMap<number, Verdict>> {
    const statements = this.#kind.statements(batch.map(({ row }) => row));
    if (statements.length === 1) return this.#kind.verdicts(await connection.run(statements));
    const answers = await connection.run([
      // Explicit, because a role may have another default.
      { name: 'begin', text: 'begin isolation level read committed' },
      ...statements,
      { name: 'commit', text: 'commit' },
    ]);
    if (answers.at(-1)?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
    return this.#kind.verdicts(answers.slice(1, -1));
  }

  /** A row that PostgreSQL refuses fails alone: the batch is halved until only that row is left. */
  async #recover(connection: HotConnection, batch: readonly Waiting<Row, Verdict>[], error: unknown): Promise<void> {
    if (error instanceof DatabaseUnavailableError) {
      for (const { reject } of batch) reject(error);
      this.#commits.failed();
      this.#queue = rejectLate(this.#queue, outageBudgetMs, error);
      return;
    }
    const [only] = batch;
    if (only && batch.length === 1) {
      if (isContention(error)) this.#retry(only, 0);
      else only.reject(error);
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.#commitBatch(connection, batch.slice(0, middle));
    await this.#commitBatch(connection, batch.slice(middle));
  }

  #retry(waiting: Waiting<Row, Verdict>, n: number): void {
    this.#kind.observer.retried();
    setTimeout(
      () => {
        this.#queue.push(waiting);
        this.#schedule();
      },
      retryPauseMs.min + (n % retryPauseMs.spread),
    );
  }
}

/** Rejects the units that have waited too long, and returns the others. */
function rejectLate<Row, Verdict>(
  units: readonly Waiting<Row, Verdict>[],
  mostMs: number,
  cause: unknown,
  sinceOf: (unit: Waiting<Row, Verdict>) => number | undefined = ({ since }) => since,
): Waiting<Row, Verdict>[] {
  const now = performance.now();
  const isLate = (unit: Waiting<Row, Verdict>) => now - (sinceOf(unit) ?? now) > mostMs;
  for (const unit of units) if (isLate(unit)) unit.reject(new DatabaseUnavailableError(cause));
  return units.filter((unit) => !isLate(unit));
}
