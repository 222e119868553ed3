import { AddressBuckets, type Problem, tooMany } from '../../../platform/http/index.ts';

/** Rows that anyone can store without signing in, one a request. */
export type OpenRow = 'interaction' | 'pushed_request' | 'device_code' | 'session';

// The limit at once, and the refill a second. A user who completes a sign-in frees theirs at once.
const bounds = {
  interaction: { burst: 500, perSecond: 1 },
  pushed_request: { burst: 300, perSecond: 5 },
  device_code: { burst: 200, perSecond: 1 },
  session: { burst: 500, perSecond: 1 },
} as const satisfies Record<OpenRow, { burst: number; perSecond: number }>;

/**
 * Limits the rows that an address can store, so that no one fills the database: in memory, for each node separately. Nothing is counted for
 * an authenticated client.
 */
export class RowBounds {
  readonly #buckets: Readonly<Record<OpenRow, AddressBuckets>>;

  constructor(now: () => Date) {
    const bucketsOf = (row: OpenRow) =>
      new AddressBuckets({ burst: bounds[row].burst, refillMs: 1000 / bounds[row].perSecond, now });
    this.#buckets = {
      interaction: bucketsOf('interaction'),
      pushed_request: bucketsOf('pushed_request'),
      device_code: bucketsOf('device_code'),
      session: bucketsOf('session'),
    };
  }

  /** Counts the rows that a request stores. @throws Problem 429: there are too many of one kind, and none is counted */
  take(address: string, rows: readonly OpenRow[]): void {
    for (const row of rows) {
      const waitMs = this.#buckets[row].waitMs(address);
      if (waitMs > 0) throw tooManyRows(waitMs / 1000);
    }
    for (const row of rows) this.#buckets[row].take(address);
  }

  /** An interaction is completed: its row is deleted. */
  giveBack(address: string, row: OpenRow): void {
    this.#buckets[row].giveBack(address);
  }
}

function tooManyRows(waitSeconds: number): Problem {
  return tooMany('Too many requests from your network wait to be finished. Wait a moment and try again.', waitSeconds);
}
