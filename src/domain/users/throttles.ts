import type pg from 'pg';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { digest } from '../../platform/crypto/index.ts';
import { addressGroups } from '../../platform/http/index.ts';

const quarterHour = 15 * 60;

/** Attempts counted in PostgreSQL: they survive a restart and hold across nodes. */
export class Throttles {
  readonly #perAddress: AddressLimiter;
  readonly #perAccount: RateLimiterPostgres;
  readonly #perDevice: RateLimiterPostgres;
  readonly #userCodes: AddressLimiter;
  readonly #clientSecrets: AddressLimiter;

  constructor(pool: pg.Pool) {
    this.#perAddress = new AddressLimiter(pool, 'address', 60);
    this.#perAccount = limiter(pool, 'account', 10);
    this.#perDevice = limiter(pool, 'device', 10);
    this.#userCodes = new AddressLimiter(pool, 'user-code', 40);
    this.#clientSecrets = new AddressLimiter(pool, 'client-secret', 100);
  }

  /**
   * Counts an attempt at a password before it is judged.
   * A browser that has signed in to this account before has its own count, so that guessing from elsewhere never locks the
   * owner out (OWASP: device cookies).
   *
   * @returns seconds to wait; undefined when the attempt may go on
   */
  async countAttempt({ address, account, device }: Attempt): Promise<number | undefined> {
    const own = device ? consume(this.#perDevice, `${device}:${account}`) : consume(this.#perAccount, account);
    const waits = await Promise.all([this.#perAddress.consume(address), own]);
    const given = waits.filter((wait) => wait !== undefined);
    return given.length > 0 ? Math.max(...given) : undefined;
  }

  /**
   * Counts an entered user code (RFC 8628 §5.1): forty in a quarter of an hour leave a chance of one in a million to hit one
   * of ten thousand live codes.
   *
   * @returns seconds to wait; undefined when it may go on
   */
  async countUserCode(address: string): Promise<number | undefined> {
    return this.#userCodes.consume(address);
  }

  /**
   * Counts a wrong client secret from an address.
   *
   * @returns seconds to wait, and the group of addresses that has to; undefined when another may be tried
   */
  async countWrongSecret({ client_id, address }: { client_id: string; address: string }): Promise<Stop | undefined> {
    return this.#clientSecrets.count(address, (group) => JSON.stringify([client_id, group]));
  }

  /** A successful sign-in forgets the failed ones of this browser and account. */
  async forget({ address, account, device }: Attempt): Promise<void> {
    const own = device ? this.#perDevice.delete(key(`${device}:${account}`)) : this.#perAccount.reward(key(account), 1);
    await Promise.all([own, this.#perAddress.reward(address)]);
  }
}

export type Attempt = { address: string; account: string; device: string | undefined };

/** A group of addresses that used up its attempts, and for how long. */
export type Stop = { group: string; seconds: number };

/** Counts attempts by address; of IPv6 also by the networks around it, with bounds that grow. */
class AddressLimiter {
  readonly #limiters: (times: number) => RateLimiterPostgres;

  constructor(pool: pg.Pool, name: string, points: number) {
    const known = new Map<number, RateLimiterPostgres>();
    this.#limiters = (times) => {
      const limiterOf = known.get(times) ?? limiter(pool, times === 1 ? name : `${name}-${times}`, points * times);
      known.set(times, limiterOf);
      return limiterOf;
    };
  }

  /** Counts an attempt. Seconds to wait; undefined when it may go on. */
  async consume(address: string): Promise<number | undefined> {
    return (await this.count(address, (group) => group))?.seconds;
  }

  /** Counts what is named by a group of addresses; the first group that used up its attempts, if one did. */
  async count(address: string, nameOf: (group: string) => string): Promise<Stop | undefined> {
    // One after the other: what a small network is refused must not use up the attempts of the larger one around it.
    for (const { name, times } of addressGroups(address)) {
      const seconds = await consume(this.#limiters(times), nameOf(name));
      if (seconds !== undefined) return { group: name, seconds };
    }
    return undefined;
  }

  async reward(address: string): Promise<void> {
    await Promise.all(addressGroups(address).map(({ name, times }) => this.#limiters(times).reward(key(name), 1)));
  }
}

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
