import { AddressBuckets } from '../../platform/http/index.ts';

/**
 * Who is counted for a key that does not exist: the address that sent it, or a service or proxy that does not say for whom it
 * asks. A caller that asks for many clients is slowed down, never refused, because its other requests belong to other users.
 */
export type KeySender = { address: string } | { service: string };

/**
 * Bounds how many keys that do not exist are looked up for a sender: sixty at once, and one a second after that. In memory, for
 * each node by itself: 256 bits cannot be guessed, but lookups can keep the database busy.
 */
export class UnknownKeyThrottle {
  readonly #buckets: AddressBuckets;

  constructor(now: () => Date) {
    this.#buckets = new AddressBuckets({ burst: 60, refillMs: 1000, now });
  }

  /** Whether this sender has no try left. */
  isStopped(sender: KeySender): boolean {
    return this.#buckets.waitMs(nameOf(sender)) > 0;
  }

  /** Counts a key that does not exist. */
  count(sender: KeySender): void {
    this.#buckets.take(nameOf(sender));
  }

  /** Seconds until the next try. */
  waitSeconds(sender: KeySender): number {
    return Math.max(1, Math.ceil(this.#buckets.waitMs(nameOf(sender)) / 1000));
  }
}

const nameOf = (sender: KeySender) => ('address' in sender ? sender.address : `service ${sender.service}`);
