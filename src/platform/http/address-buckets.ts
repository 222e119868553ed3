import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../caching/index.ts';
import { type AddressGroup, addressGroups } from './addresses.ts';

const mostKept = 50_000;

export type BucketOptions = {
  /** How many uses an address has at once. */
  burst: number;
  /** After how long one use is refilled. */
  refillMs: number;
  now: () => Date;
};

/**
 * Counts uses by address in this process: token buckets, for an IPv6 address those of its /64, and of its /56 and /48 with larger bounds
 * (`addressGroups`). The burst of a full bucket is bounded, and so is the memory for addresses.
 */
export class AddressBuckets {
  readonly #options: BucketOptions;
  /** When the bucket is full again. */
  readonly #fullAt = new LRUCache<string, number>(atMostEntries(mostKept));

  constructor(options: BucketOptions) {
    this.#options = options;
  }

  /** Milliseconds until a use is left; 0 or less: there is one. */
  waitMs(address: string): number {
    const { burst, refillMs } = this.#options;
    const waits = addressGroups(address).map((group) => this.#usedMs(group) - (burst - 1 / group.times) * refillMs);
    return Math.max(...waits);
  }

  /** Takes a use. */
  take(address: string): void {
    this.#move(address, 1);
  }

  /** Returns a use before its time. */
  giveBack(address: string): void {
    this.#move(address, -1);
  }

  #move(address: string, uses: number): void {
    const { now, refillMs } = this.#options;
    for (const group of addressGroups(address))
      this.#fullAt.set(group.name, now().getTime() + this.#usedMs(group) + (uses * refillMs) / group.times);
  }

  #usedMs({ name }: AddressGroup): number {
    return Math.max(0, (this.#fullAt.get(name) ?? 0) - this.#options.now().getTime());
  }
}
