import {
  type Database,
  DatabaseUnavailableError,
  type HotConnection,
  type HotStatement,
} from '../../../platform/database/index.ts';

const connections = 2;

type Waiting<Row> = { key: unknown; resolve: (row: Row | undefined) => void; reject: (error: unknown) => void };

/**
 * A hot read: finds rows for many keys at once. `$1` is the array of keys, or the only key in `textForOne`, `$2` the time; every row returns
 * its index `n`.
 */
export type KeyedRead = { name: string; text: string; textForOne?: string };

/** Coalesces the reads of one event-loop tick into one statement for each kind, all kinds in one packet (DESIGN.md §5). */
export class Reader {
  readonly #connections: HotConnection[];
  readonly #now: () => Date;
  readonly #isAlone: () => boolean;
  readonly #waiting = new Map<KeyedRead, Waiting<Record<string, unknown>>[]>();
  #isScheduled = false;
  #turn = 0;

  /** @param isAlone whether no other request is in flight whose reads could join */
  constructor(database: Database, { now, isAlone }: { now: () => Date; isAlone: () => boolean }) {
    this.#connections = Array.from({ length: connections }, () => database.openHotConnection());
    this.#now = now;
    this.#isAlone = isAlone;
  }

  /**
   * The row of one key.
   *
   * @throws DatabaseUnavailableError
   */
  find<Row extends Record<string, unknown>>(read: KeyedRead, key: unknown): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(read) ?? [];
      waiting.push({ key, resolve: resolve as Waiting<Record<string, unknown>>['resolve'], reject });
      this.#waiting.set(read, waiting);
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      const afterwards = this.#isAlone() ? process.nextTick : setImmediate;
      afterwards(() => this.#flush());
    });
  }

  #flush(): void {
    this.#isScheduled = false;
    const groups = [...this.#waiting];
    this.#waiting.clear();
    this.#turn = (this.#turn + 1) % connections;
    const connection = this.#connections[this.#turn];
    if (!connection) return;
    for (const [read, waiting] of groups) void this.#answer(connection, read, waiting);
  }

  async #answer(
    connection: HotConnection,
    read: KeyedRead,
    waiting: Waiting<Record<string, unknown>>[],
  ): Promise<void> {
    try {
      const [result] = await connection.run([
        statementOf(
          read,
          waiting.map(({ key }) => key),
          this.#now(),
        ),
      ]);
      const rows = new Map(result?.rows.map((row) => [Number(row.n), row]));
      waiting.forEach(({ resolve }, index) => {
        resolve(rows.get(index + 1));
      });
    } catch (error) {
      if (waiting.length === 1 || error instanceof DatabaseUnavailableError)
        for (const { reject } of waiting) reject(error);
      // One key that PostgreSQL refuses must not fail the other reads of the same tick.
      else await Promise.all(waiting.map((single) => this.#answer(connection, read, [single])));
    }
  }
}

function statementOf({ name, text, textForOne }: KeyedRead, keys: unknown[], now: Date): HotStatement {
  const [only] = keys;
  if (keys.length === 1 && textForOne) return { name: `${name} of one`, text: textForOne, values: [only, now] };
  return { name, text, values: [keys, now] };
}
