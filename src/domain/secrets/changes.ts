import type { Db } from '../../platform/database/index.ts';
import { tooMany } from '../../platform/http/index.ts';
import { listCurrentVersions } from './list-store.ts';

type Waiter = {
  path: string;
  after: number;
  until: number;
  isGone: () => boolean;
  answer: (isChanged: boolean) => void;
};

/** The change that a request waits for: a current version of this path other than this one. */
export type Awaited = {
  path: string;
  after: number;
  seconds: number;
  /** The caller: all requests of a client or user count together, whatever tokens they use. */
  by: string;
  /** Whether the caller has disconnected, or the server is stopping. */
  isGone: () => boolean;
  /** Rejects if the caller may not wait any longer. Called every few seconds, and before the response without a change. */
  judge: () => Promise<void>;
};

const lookEveryMs = 500;
const judgeEveryMs = 5000;
const mostWaiting = 2000;
// One caller must not use all slots.
const mostOfOne = 250;
const retryAfterSeconds = 5;

/** Requests of this node that wait for new versions: one statement checks for all of them, twice a second while there are any. */
export class SecretChanges {
  readonly #db: Db;
  readonly #waiters = new Set<Waiter>();
  /** How many requests of a caller are waiting. */
  readonly #places = new Map<string, number>();
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Waits for another current version.
   *
   * @returns whether there is one; false after the timeout
   * @throws Problem 429: too many requests wait, of this caller or in total; and the error of `judge`
   */
  async wait({ seconds, by, judge, ...awaited }: Awaited): Promise<boolean> {
    const end = performance.now() + seconds * 1000;
    this.#enter(by);
    try {
      for (;;) {
        const until = Math.min(end, performance.now() + judgeEveryMs);
        if (await this.#changed({ ...awaited, until })) return true;
        await judge();
        if (performance.now() >= end || awaited.isGone()) return false;
      }
    } finally {
      this.#leave(by);
    }
  }

  #enter(by: string): void {
    const own = this.#places.get(by) ?? 0;
    if (own >= mostOfOne)
      throw tooMany(`You have ${mostOfOne} requests that wait for changes, which is the limit.`, retryAfterSeconds);
    if (this.#taken >= mostWaiting)
      throw tooMany('Too many requests wait for changes. Ask again later.', retryAfterSeconds);
    this.#places.set(by, own + 1);
    this.#taken += 1;
  }

  #leave(by: string): void {
    const own = (this.#places.get(by) ?? 1) - 1;
    if (own > 0) this.#places.set(by, own);
    else this.#places.delete(by);
    this.#taken -= 1;
  }

  #changed(awaited: Omit<Waiter, 'answer'>): Promise<boolean> {
    return new Promise((answer) => {
      this.#waiters.add({ ...awaited, answer });
      this.#timer ??= setTimeout(() => void this.#look(), 0).unref();
    });
  }

  /** Never rejects: if the database does not answer, waiting requests get no new version. */
  async #look(): Promise<void> {
    const paths = [...new Set([...this.#waiters].map(({ path }) => path))];
    const current = await listCurrentVersions(this.#db, paths).catch(() => new Map<string, number>());
    const now = performance.now();
    for (const waiter of this.#waiters) {
      const isChanged = (current.get(waiter.path) ?? waiter.after) !== waiter.after;
      if (!isChanged && now < waiter.until && !waiter.isGone()) continue;
      this.#waiters.delete(waiter);
      waiter.answer(isChanged);
    }
    this.#timer = this.#waiters.size > 0 ? setTimeout(() => void this.#look(), lookEveryMs).unref() : undefined;
  }
}
