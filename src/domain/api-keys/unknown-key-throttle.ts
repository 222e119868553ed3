import { AddressBuckets } from '../../platform/http/index.ts';

/**
 * The sender that is counted for a key that does not exist: the address that sent it, or a service or proxy that names no client
 * address. A caller that asks on behalf of many clients is slowed down, never refused: its other requests belong to other users.
 */
export type KeySender = { address: string } | { service: string };

/**
 * Bounds the lookups of unknown keys for a sender: sixty at once, and one a second after that. Each node counts in memory: 256 bits
 * cannot be guessed, but lookups can keep the database busy.
 */
export class UnknownKeyThrottle {
  readonly #buckets: AddressBuckets;

  constructor(now: () => Date) {
    this.#buckets = new AddressBuckets({ burst: 60, refillMs: 1000, now });
  }

  /** Whether this sender has no lookups left. */
  isStopped(sender: KeySender): boolean {
    return this.#buckets.waitMs(nameOf(sender)) > 0;
  }

  /** Counts an unknown key. */
  count(sender: KeySender): void {
    this.#buckets.take(nameOf(sender));
  }

  /** Seconds until the next lookup. */
  waitSeconds(sender: KeySender): number {
    return Math.max(1, Math.ceil(this.#buckets.waitMs(nameOf(sender)) / 1000));
  }
}

const nameOf = (sender: KeySender) => ('address' in sender ? sender.address : `service ${sender.service}`);
