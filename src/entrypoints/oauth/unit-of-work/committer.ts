import {
  type Commits,
  type Database,
  DatabaseUnavailableError,
  type HotConnection,
  isContention,
} from '../../../platform/database/index.ts';
import type { Metrics } from '../../../platform/metrics/index.ts';
import { judgeStatement, lockStatement, type UnitRow, type Verdict } from './statements.ts';

const lanes = 2;
const maxBatch = 64;
// The second lane is for when the first is full or stuck: two batches at once are smaller ones, which cost more a unit.
const aloneMs = 20;
const maxReplays = 60;
// After this a unit is given up: its rows stayed locked, or one statement after the other ran into a lock.
const budgetMs = 1000;
// Who has waited this long already would, in a database that has just fallen silent, wait too long.
const outageBudgetMs = 400;
const busyPauseMs = { min: 2, spread: 6 };

type Waiting = {
  row: UnitRow;
  /** At most one unit per family or code is under way here: the second is judged after the first is written. */
  family: string;
  since: number;
  resolve: (verdict: Verdict) => void;
  reject: (error: unknown) => void;
};

/** Commits the token requests of all connections together: while one batch is in flight, the next fills (DESIGN.md §5). */
export class Committer {
  readonly #idle: HotConnection[];
  readonly #now: () => Date;
  readonly #metrics: Metrics;
  readonly #commits: Commits;
  #queue: Waiting[] = [];
  readonly #underWay = new Set<string>();
  #isScheduled = false;
  #leftAt = 0;
  #waiting: NodeJS.Timeout | undefined;

  constructor(database: Database, now: () => Date, metrics: Metrics) {
    this.#metrics = metrics;
    this.#commits = database.commits;
    this.#idle = Array.from({ length: lanes }, () => database.openHotConnection());
    this.#now = now;
  }

  /**
   * Judges and writes one unit.
   *
   * @throws DatabaseUnavailableError: whether it took effect is unknown
   */
  commit(row: UnitRow): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      const family = row.presented && row.family_id ? row.family_id : '';
      this.#queue.push({ row, family, since: performance.now(), resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0) {
      if (this.#waitsForAnother()) return;
      const connection = this.#idle.pop();
      if (!connection) return;
      const batch = this.#takeBatch();
      if (batch.length === 0) {
        this.#idle.push(connection);
        return;
      }
      this.#leftAt = performance.now();
      this.#metrics.tokenBatch(batch.length);
      void this.#commitBatch(connection, batch).finally(() => {
        for (const { family } of batch) this.#underWay.delete(family);
        this.#idle.push(connection);
        this.#flush();
      });
    }
  }

  /** Whether a batch left so lately that the next waits for it; that goes when this is back, or has been away too long. */
  #waitsForAnother(): boolean {
    const leftMs = this.#leftAt + aloneMs - performance.now();
    if (this.#idle.length === lanes || this.#queue.length >= maxBatch || leftMs <= 0) return false;
    this.#waiting ??= setTimeout(() => {
      this.#waiting = undefined;
      this.#flush();
    }, leftMs);
    return true;
  }

  #takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    const rest: Waiting[] = [];
    for (const waiting of this.#queue) {
      const fits = batch.length < maxBatch && !this.#underWay.has(waiting.family);
      (fits ? batch : rest).push(waiting);
      if (fits && waiting.family) this.#underWay.add(waiting.family);
    }
    this.#queue = rest;
    return batch;
  }

  async #commitBatch(connection: HotConnection, units: Waiting[]): Promise<void> {
    const batch = giveUpLate(units, budgetMs, new Error('rows or tables stayed locked'));
    if (batch.length === 0) return;
    try {
      const verdicts = await this.#send(connection, batch);
      if ([...verdicts.values()].some((verdict) => verdict === 'won' || verdict === 'grace')) this.#commits.committed();
      batch.forEach((waiting, n) => {
        this.#conclude(waiting, verdicts.get(n) ?? 'busy');
      });
    } catch (error) {
      await this.#retrySmaller(connection, batch, error);
    }
  }

  /** A poisonous unit fails alone: the batch is halved until it stands by itself. */
  async #retrySmaller(connection: HotConnection, batch: Waiting[], error: unknown): Promise<void> {
    const [only] = batch;
    if (error instanceof DatabaseUnavailableError || (batch.length === 1 && !isContention(error))) {
      for (const { reject } of batch) reject(error);
      if (error instanceof DatabaseUnavailableError) {
        this.#commits.failed();
        this.#queue = giveUpLate(this.#queue, outageBudgetMs, error);
      }
      return;
    }
    if (only && batch.length === 1) {
      this.#conclude(only, 'busy');
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.#commitBatch(connection, batch.slice(0, middle));
    await this.#commitBatch(connection, batch.slice(middle));
  }

  async #send(connection: HotConnection, batch: Waiting[]): Promise<Map<number, Verdict>> {
    const rows = batch.map(({ row }, n) => ({ ...row, n }));
    const locked = (pick: (row: UnitRow) => string | undefined) => [
      ...new Set(rows.map(pick).filter((id) => id !== undefined)),
    ];
    const families = rows.filter(({ source }) => source === 'refresh_token').map(({ family_id }) => family_id);
    const ids = [locked((row) => row.client_id), locked((row) => row.user_id), locked((row) => row.grant_id), families];
    const [, , judged, commit] = await connection.run([
      { name: 'begin', text: 'begin isolation level read committed' },
      { name: 'lock units', text: lockStatement, values: ids },
      { name: 'judge units', text: judgeStatement, values: [JSON.stringify(rows), this.#now(), maxReplays] },
      { name: 'commit', text: 'commit' },
    ]);
    if (commit?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
    return new Map(judged?.rows.map((row) => [row.n as number, row.verdict as Verdict]));
  }

  #conclude(waiting: Waiting, verdict: Verdict): void {
    this.#metrics.tokenTransaction(verdict);
    if (verdict !== 'busy') {
      waiting.resolve(verdict);
      return;
    }
    setTimeout(
      () => {
        this.#queue.push(waiting);
        this.#schedule();
      },
      busyPauseMs.min + (waiting.row.n % busyPauseMs.spread),
    );
  }
}

/** Refuses those that have waited too long, and answers the rest. */
function giveUpLate(units: Waiting[], mostMs: number, cause: unknown): Waiting[] {
  const now = performance.now();
  for (const { since, reject } of units) if (now - since > mostMs) reject(new DatabaseUnavailableError(cause));
  return units.filter(({ since }) => now - since <= mostMs);
}
