import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../platform/caching/index.ts';
import { addressGroups } from '../../platform/http/index.ts';

/** An attempt to authenticate as a client with a wrong secret. */
export type SecretAttempt = { client_id: string; address: string };

/** Counts a wrong secret on all nodes together; if there were too many, returns the group of addresses and the seconds to wait. */
export type CountWrongSecret = (attempt: SecretAttempt) => Promise<{ group: string; seconds: number } | undefined>;

const most = 10_000;

/**
 * Throttles wrong client secrets, per client and group of addresses, so that guessing from one network locks out no other. Only a
 * wrong secret costs a write. A node remembers that a group is throttled; another node learns it with the next wrong secret that
 * it receives.
 */
export class WrongSecretThrottle {
  readonly #count: CountWrongSecret;
  readonly #now: () => Date;
  readonly #stoppedUntil = new LRUCache<string, number>(atMostEntries(most));

  constructor(count: CountWrongSecret, now: () => Date) {
    this.#count = count;
    this.#now = now;
  }

  /** Seconds until this address may try this client again, even with the right secret; undefined: now. */
  waitSeconds(attempt: SecretAttempt): number | undefined {
    // Usually no client is throttled: token requests then skip the computation.
    if (this.#stoppedUntil.size === 0) return undefined;
    const untilMs = addressGroups(attempt.address).map(
      ({ name }) => this.#stoppedUntil.get(keyOf(attempt.client_id, name)) ?? 0,
    );
    const waitMs = Math.max(...untilMs) - this.#now().getTime();
    return waitMs > 0 ? Math.ceil(waitMs / 1000) : undefined;
  }

  async countWrong(attempt: SecretAttempt): Promise<void> {
    const stop = await this.#count(attempt);
    if (!stop) return;
    this.#stoppedUntil.set(keyOf(attempt.client_id, stop.group), this.#now().getTime() + stop.seconds * 1000);
  }
}

const keyOf = (client_id: string, group: string) => JSON.stringify([client_id, group]);
