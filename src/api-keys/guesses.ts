import { LRUCache } from 'lru-cache';

const most = 50_000;
const burst = 60;
const refillMs = 1000;

/**
 * Stops guessing at keys, per sender: each key that does not exist takes one of sixty tries, of which one comes back a second.
 * In memory, for each node by itself: 256 bits cannot be guessed, only the database can be kept busy with looking.
 */
export class Guesses {
  readonly #now: () => Date;
  /** When all tries are back. */
  readonly #fullAt = new LRUCache<string, number>({ max: most });

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Whether this sender has no try left; keys in use are not looked up and go on working. */
  isStopped(from: string): boolean {
    return this.#ahead(from) > (burst - 1) * refillMs;
  }

  count(from: string): void {
    this.#fullAt.set(from, this.#now().getTime() + this.#ahead(from) + refillMs);
  }

  /** Seconds until the next try. */
  waitSeconds(from: string): number {
    return Math.max(1, Math.ceil((this.#ahead(from) - (burst - 1) * refillMs) / 1000));
  }

  #ahead(from: string): number {
    return Math.max(0, (this.#fullAt.get(from) ?? 0) - this.#now().getTime());
  }
}
