import { LRUCache } from 'lru-cache';

/** Who tries a secret of which client, from where. */
export type SecretAttempt = { client_id: string; address: string };

/** Counts a wrong secret, on all nodes together; seconds to wait when there were too many. */
export type CountWrongSecret = (attempt: SecretAttempt) => Promise<number | undefined>;

const most = 10_000;

/**
 * Stops guessing at client secrets, per client and address, so that nobody elsewhere is locked out. Only wrong ones cost a
 * write; that there were too many is remembered here, and learnt by another node with the next wrong one it meets.
 */
export class SecretGuesses {
  readonly #count: CountWrongSecret;
  readonly #now: () => Date;
  readonly #stoppedUntil = new LRUCache<string, number>({ max: most });

  constructor(count: CountWrongSecret, now: () => Date) {
    this.#count = count;
    this.#now = now;
  }

  /** Seconds until this address may try this client again, even with the right secret; undefined: now. */
  waitSeconds(attempt: SecretAttempt): number | undefined {
    const waitMs = (this.#stoppedUntil.get(keyOf(attempt)) ?? 0) - this.#now().getTime();
    return waitMs > 0 ? Math.ceil(waitMs / 1000) : undefined;
  }

  async countWrong(attempt: SecretAttempt): Promise<void> {
    const waitSeconds = await this.#count(attempt);
    if (waitSeconds === undefined) return;
    this.#stoppedUntil.set(keyOf(attempt), this.#now().getTime() + waitSeconds * 1000);
  }
}

const keyOf = ({ client_id, address }: SecretAttempt) => JSON.stringify([client_id, address]);
