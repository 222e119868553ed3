import type pg from 'pg';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { digest } from '../platform/crypto/index.ts';

const quarterHour = 15 * 60;

/** Attempts counted in PostgreSQL: they survive a restart and hold across nodes. */
export class Throttles {
  readonly #perAddress: RateLimiterPostgres;
  readonly #perAccount: RateLimiterPostgres;
  readonly #perDevice: RateLimiterPostgres;
  readonly #userCodes: RateLimiterPostgres;
  readonly #clientSecrets: RateLimiterPostgres;

  constructor(pool: pg.Pool) {
    this.#perAddress = limiter(pool, 'address', 60);
    this.#perAccount = limiter(pool, 'account', 10);
    this.#perDevice = limiter(pool, 'device', 10);
    this.#userCodes = limiter(pool, 'user-code', 40);
    this.#clientSecrets = limiter(pool, 'client-secret', 100);
  }

  /**
   * Counts an attempt at a password before it is judged.
   * A browser that has signed in to this account before has its own count, so that guessing from elsewhere never locks the
   * owner out (OWASP: device cookies).
   *
   * @returns seconds to wait; undefined when the attempt may go on
   */
  async countAttempt({ address, account, device }: Attempt): Promise<number | undefined> {
    const own = device ? this.#perDevice.consume(key(`${device}:${account}`)) : this.#perAccount.consume(key(account));
    const results = await Promise.allSettled([this.#perAddress.consume(key(address)), own]);
    const waits = results.flatMap((result) => (result.status === 'rejected' ? [waitSeconds(result.reason)] : []));
    return waits.length > 0 ? Math.max(...waits) : undefined;
  }

  /**
   * Counts an entered user code (RFC 8628 §5.1): forty in a quarter of an hour leave a chance of one in a million to hit one
   * of ten thousand live codes.
   *
   * @returns seconds to wait; undefined when it may go on
   */
  async countUserCode(address: string): Promise<number | undefined> {
    return consume(this.#userCodes, address);
  }

  /**
   * Counts a wrong client secret from an address.
   *
   * @returns seconds to wait; undefined when another may be tried
   */
  async countWrongSecret({ client_id, address }: { client_id: string; address: string }): Promise<number | undefined> {
    return consume(this.#clientSecrets, JSON.stringify([client_id, address]));
  }

  /** A successful sign-in forgets the failed ones of this browser and account. */
  async forget({ address, account, device }: Attempt): Promise<void> {
    const own = device ? this.#perDevice.delete(key(`${device}:${account}`)) : this.#perAccount.reward(key(account), 1);
    await Promise.all([own, this.#perAddress.reward(key(address), 1)]);
  }
}

export type Attempt = { address: string; account: string; device: string | undefined };

function limiter(storeClient: pg.Pool, name: string, points: number): RateLimiterPostgres {
  const options = { storeClient, tableName: 'throttles', tableCreated: true, clearExpiredByTimeout: false };
  return new RateLimiterPostgres({ ...options, keyPrefix: `sign-in ${name}`, points, duration: quarterHour });
}

async function consume(counter: RateLimiterPostgres, text: string): Promise<number | undefined> {
  try {
    await counter.consume(key(text));
    return undefined;
  } catch (reason) {
    return waitSeconds(reason);
  }
}

/** What people typed is not kept readable, not even here. */
function key(text: string): string {
  return digest(text).toString('base64url');
}

function waitSeconds(reason: unknown): number {
  if (reason instanceof RateLimiterRes) return Math.ceil(reason.msBeforeNext / 1000);
  throw reason;
}
