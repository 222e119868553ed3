import type { Db } from '../../platform/database/index.ts';
import { Problem } from '../../platform/http/index.ts';
import { listCurrentVersions } from './list-store.ts';

type Waiter = {
  path: string;
  after: number;
  until: number;
  isGone: () => boolean;
  answer: (isChanged: boolean) => void;
};

/** What a request waits for: a current version of this path other than this one. */
export type Awaited = {
  path: string;
  after: number;
  seconds: number;
  /** Whether nobody waits for the answer any more, or the server is going down. */
  isGone: () => boolean;
};

const lookEveryMs = 500;
const mostWaiting = 2000;

/** Requests of this node that wait for new versions: one statement looks for all of them, twice a second while there are any. */
export class SecretChanges {
  readonly #db: Db;
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Waits for another current version.
   *
   * @returns whether there is one; false after the time
   * @throws Problem 429: too many wait
   */
  wait({ path, after, seconds, isGone }: Awaited): Promise<boolean> {
    if (this.#waiters.size >= mostWaiting)
      throw new Problem(429, 'too_many', {
        title: 'Too many',
        detail: 'Too many requests wait for changes. Ask again later.',
      });
    return new Promise((answer) => {
      this.#waiters.add({ path, after, until: performance.now() + seconds * 1000, isGone, answer });
      this.#timer ??= setTimeout(() => void this.#look(), 0).unref();
    });
  }

  /** Never rejects: where the database does not answer, those who wait are told nothing new. */
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
