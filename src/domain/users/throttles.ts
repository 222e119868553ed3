import { digest } from '../../platform/crypto/index.ts';
import type { Db } from '../../platform/database/index.ts';
import { addressGroups } from '../../platform/http/index.ts';
import { countUses, removeUses } from './throttle-store.ts';

const quarterHour = 15 * 60;

/** A counter that allows `points` uses in a quarter of an hour, which starts with the first use. */
type Counter = { db: Db; name: string; points: number };

/** A use of a counter by someone or something. */
type Use = { counter: Counter; text: string };

/** Attempts counted in PostgreSQL, by its time: they survive a restart, and hold across nodes whatever their clocks say. */
export class Throttles {
  readonly #db: Db;
  readonly #perAddress: AddressLimiter;
  readonly #perAccount: Counter;
  readonly #perDevice: Counter;
  readonly #factors: Counter;
  readonly #userCodes: AddressLimiter;
  readonly #clientSecrets: AddressLimiter;
  readonly #recoveryAddresses: AddressLimiter;
  readonly #recoveries: Counter;
  readonly #emailChanges: Counter;
  readonly #signUpAddresses: AddressLimiter;
  readonly #allSignUps: Counter;
  readonly #signUps: Counter;
  readonly #signUpAttempts: Counter;
  readonly #registrations: AddressLimiter;
  readonly #allRegistrations: Counter;

  constructor(db: Db) {
    this.#db = db;
    this.#perAddress = new AddressLimiter({ db, name: 'address', points: 60 });
    this.#perAccount = { db, name: 'account', points: 10 };
    this.#perDevice = { db, name: 'device', points: 10 };
    this.#factors = { db, name: 'factor', points: 10 };
    this.#userCodes = new AddressLimiter({ db, name: 'user-code', points: 40 });
    this.#clientSecrets = new AddressLimiter({ db, name: 'client-secret', points: 100 });
    this.#recoveryAddresses = new AddressLimiter({ db, name: 'recovery-address', points: 20 });
    this.#recoveries = { db, name: 'recovery', points: 5 };
    this.#emailChanges = { db, name: 'email-change', points: 5 };
    this.#signUpAddresses = new AddressLimiter({ db, name: 'sign-up-address', points: 20 });
    this.#allSignUps = { db, name: 'sign-ups', points: 500 };
    this.#signUps = { db, name: 'sign-up', points: 3 };
    this.#signUpAttempts = { db, name: 'sign-up-attempt', points: 20 };
    this.#registrations = new AddressLimiter({ db, name: 'registration', points: 20 });
    this.#allRegistrations = { db, name: 'registrations', points: 500 };
  }

  /**
   * Counts an attempt at a password before it is judged.
   * A browser that has signed in to this account before has its own count, so that guessing from elsewhere never locks the
   * owner out (OWASP: device cookies).
   *
   * @returns seconds to wait; undefined when the attempt may go on
   */
  async countAttempt({ address, account, device }: Attempt): Promise<number | undefined> {
    const own = device
      ? { counter: this.#perDevice, text: `${device}:${account}` }
      : { counter: this.#perAccount, text: account };
    return this.#perAddress.consumeWith(address, [own]);
  }

  /**
   * Counts an attempt at a second factor, or at a passkey, before it is judged: ten for an account in a quarter of an hour, which leave a
   * chance of one in 30,000 to guess a six-digit code.
   *
   * @param account undefined: the passkey identifies the account
   * @returns seconds to wait; undefined when the attempt may go on
   */
  async countFactor({ address, account }: FactorAttempt): Promise<number | undefined> {
    return this.#perAddress.consumeWith(address, account ? [{ counter: this.#factors, text: account }] : []);
  }

  /** Deletes the attempts at a factor after it was proven. */
  async forgetFactor({ address, account }: FactorAttempt): Promise<void> {
    const all = account ? [{ counter: this.#factors, text: account }] : [];
    await remove(this.#db, { once: this.#perAddress.usesOf(address), all });
  }

  /**
   * Counts an entered user code (RFC 8628 §5.1): forty in a quarter of an hour leave a chance of one in a million to guess
   * one of ten thousand live codes.
   *
   * @returns seconds to wait; undefined when it may go on
   */
  async countUserCode(address: string): Promise<number | undefined> {
    return this.#userCodes.consume(address);
  }

  /**
   * Counts a wrong client secret from an address.
   *
   * @returns seconds to wait, and the group of addresses that must wait; undefined when another may be tried
   */
  async countWrongSecret({ client_id, address }: { client_id: string; address: string }): Promise<Stop | undefined> {
    return this.#clientSecrets.count(address, (group) => JSON.stringify([client_id, group]));
  }

  /**
   * Counts a client that registers itself: twenty from an address in a quarter of an hour, and five hundred from all.
   *
   * @returns seconds to wait; undefined when it may go on
   */
  async countRegistration(address: string): Promise<number | undefined> {
    return (await this.#registrations.consume(address)) ?? (await consume(this.#allRegistrations, 'all'));
  }

  /**
   * Counts a request for a link to choose a password from an address: twenty in a quarter of an hour.
   *
   * @returns seconds to wait; undefined when it may go on
   */
  async countRecoveryRequest(address: string): Promise<number | undefined> {
    return this.#recoveryAddresses.consume(address);
  }

  /**
   * Counts a link to choose a password that is mailed to a user on request: five in a quarter of an hour.
   *
   * @returns seconds to wait; undefined when it may go on
   */
  async countRecovery(user_id: string): Promise<number | undefined> {
    return consume(this.#recoveries, user_id);
  }

  /** Counts an address that a user wants to change to: five in a quarter of an hour. @returns seconds to wait */
  async countEmailChange(user_id: string): Promise<number | undefined> {
    return consume(this.#emailChanges, user_id);
  }

  /**
   * Counts a request for an account from an IP address: twenty in a quarter of an hour, and five hundred from all.
   *
   * @returns seconds to wait; undefined when it may go on
   */
  async countSignUpRequest(address: string): Promise<number | undefined> {
    return (await this.#signUpAddresses.consume(address)) ?? (await consume(this.#allSignUps, 'all'));
  }

  /** Counts mail to the address of a requested account: three in a quarter of an hour. @returns seconds to wait */
  async countSignUp(email: string): Promise<number | undefined> {
    return consume(this.#signUps, email.toLowerCase());
  }

  /** Counts an attempt to create an account with a link: twenty in a quarter of an hour. @returns seconds to wait */
  async countSignUpAttempt(secret: string): Promise<number | undefined> {
    return consume(this.#signUpAttempts, secret);
  }

  /** Deletes the failed attempts of this browser and account after a successful sign-in. */
  async forget({ address, account, device }: Attempt): Promise<void> {
    const once = this.#perAddress.usesOf(address);
    const ofDevice = { counter: this.#perDevice, text: `${device}:${account}` };
    const ofAccount = { counter: this.#perAccount, text: account };
    await remove(this.#db, device ? { once, all: [ofDevice] } : { once: [...once, ofAccount], all: [] });
  }
}

export type FactorAttempt = { address: string; account: string | undefined };

export type Attempt = { address: string; account: string; device: string | undefined };

/** A group of addresses that used up its attempts, and the seconds to wait. */
export type Stop = { group: string; seconds: number };

/** Counts attempts by address; for IPv6 also by the networks that contain it, with increasing bounds. */
class AddressLimiter {
  readonly #counter: Counter;

  constructor(counter: Counter) {
    this.#counter = counter;
  }

  /** Counts an attempt. @returns seconds to wait; undefined when it may go on */
  async consume(address: string): Promise<number | undefined> {
    return this.consumeWith(address, []);
  }

  /** Counts an attempt together with uses of other counters. @returns the most seconds to wait; undefined when it may go on */
  async consumeWith(address: string, others: readonly Use[]): Promise<number | undefined> {
    const [smallest, ...larger] = this.usesOf(address);
    const [own, ...waits] = await consumeAll([...(smallest ? [smallest] : []), ...others]);
    const given = [own ?? (await firstStop(larger))?.seconds, ...waits].filter((wait) => wait !== undefined);
    return given.length > 0 ? Math.max(...given) : undefined;
  }

  /** Counts an attempt for each group of the address. @returns the first group that used up its attempts, if one did */
  async count(address: string, nameOf: (group: string) => string): Promise<Stop | undefined> {
    return firstStop(this.usesOf(address, nameOf));
  }

  /** The use of each group of the address, the smallest first. */
  usesOf(address: string, nameOf = (group: string): string => group): (Use & { group: string })[] {
    const { db, name, points } = this.#counter;
    return addressGroups(address).map(({ name: group, times }) => ({
      counter: { db, name: times === 1 ? name : `${name}-${times}`, points: points * times },
      text: nameOf(group),
      group,
    }));
  }
}

/** One after the other: refused attempts of a small network must not use up those of the larger one that contains it. */
async function firstStop(uses: readonly (Use & { group: string })[]): Promise<Stop | undefined> {
  for (const use of uses) {
    const seconds = await consume(use.counter, use.text);
    if (seconds !== undefined) return { group: use.group, seconds };
  }
  return undefined;
}

/** Counts one use. @returns seconds to wait; undefined when it may go on */
async function consume(counter: Counter, text: string): Promise<number | undefined> {
  const [wait] = await consumeAll([{ counter, text }]);
  return wait;
}

/** Counts uses of different counters. @returns for each seconds to wait; undefined when it may go on */
async function consumeAll(uses: readonly Use[]): Promise<(number | undefined)[]> {
  const [first] = uses;
  if (!first) return [];
  const counted = await countUses(first.counter.db, uses.map(keyOf), quarterHour);
  return counted.map(({ uses: count, resets_in_seconds }, n) =>
    count > (uses[n]?.counter.points ?? 0) ? Math.ceil(resets_in_seconds) : undefined,
  );
}

/** Removes one use of some counters, and all uses of others. */
function remove(db: Db, { once, all }: { once: readonly Use[]; all: readonly Use[] }): Promise<void> {
  return removeUses(db, { once: once.map(keyOf), all: all.map(keyOf) });
}

/** Typed logins are never stored in readable form, not even here. */
function keyOf({ counter, text }: Use): string {
  return `sign-in ${counter.name}:${digest(text).toString('base64url')}`;
}
