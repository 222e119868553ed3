import type { Digest } from '../../platform/crypto/index.ts';
import type { ChangeFeed, Db } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { type Asked, allowed, type Decision, decide } from './decide.ts';
import type { KeyEntry } from './entry.ts';
import { environmentOf } from './format.ts';
import { type Found, KnownKeys, type KnownKeysDeps } from './known-keys.ts';
import type { CountedLimit, LimitState, Limits, Taken } from './limits/counters.ts';
import { MemoryLimits } from './limits/memory-limits.ts';
import { sharedLimits } from './limits/shared-limits.ts';
import { type KeySender, UnknownKeyThrottle } from './unknown-key-throttle.ts';
import { UsageMeter } from './usage-meter.ts';

export type VerifierDeps = {
  db: Db;
  changes: ChangeFeed;
  now: () => Date;
  log: Logger;
  readKey: KnownKeysDeps['readKey'];
  environments: readonly string[];
  /** Where limits are counted: by each node, or by all nodes together in the database. */
  limits: 'memory' | 'shared';
  /** Whether a trusted proxy forwards client addresses; otherwise every request may come from the address of one proxy. */
  hasTrustedProxy: boolean;
};

/** The verdict on a request with a key. */
export type KeyVerdict = Decision & {
  entry?: KeyEntry;
  /** Every limit that applies to the request, with its current state. */
  limits: readonly LimitState[];
  retry_after_seconds?: number | undefined;
};

/** A presented key, and the request that it must allow. */
export type KeyUse = { key: string; asked: Asked };

/** Verifies keys on this node. */
export class KeyVerifier {
  readonly #deps: VerifierDeps;
  readonly #unknownKeys: UnknownKeyThrottle;
  readonly #known: KnownKeys;
  readonly #limits: Limits;
  readonly #meter: UsageMeter;

  constructor(deps: VerifierDeps) {
    this.#deps = deps;
    this.#unknownKeys = new UnknownKeyThrottle(deps.now);
    this.#known = new KnownKeys({ ...deps, unknownKeys: this.#unknownKeys });
    this.#limits = deps.limits === 'shared' ? sharedLimits(deps.db) : new MemoryLimits(deps);
    this.#meter = new UsageMeter(deps);
  }

  /** Who is counted for a request that comes from this address itself. */
  senderAt(address: string): KeySender {
    return this.#deps.hasTrustedProxy ? { address } : { service: address };
  }

  /**
   * Judges a key for a request from memory only, and counts it at its limits if nothing else refuses it.
   *
   * @returns undefined if the database is needed: nothing was judged or counted
   */
  verifyCached(key: string, asked: Asked): KeyVerdict | undefined {
    const now = this.#deps.now();
    const entry = this.#known.cached(key, now);
    return entry && this.#judgeNow(entry, asked, now);
  }

  /**
   * Judges a key for a request, and counts it at its limits if nothing else refuses it.
   *
   * @param from the address that is counted if the key does not exist
   * @throws when the database is needed but unavailable
   */
  async verify(key: string, asked: Asked, from: KeySender): Promise<KeyVerdict> {
    const found = await this.find(key, from);
    return 'code' in found ? found : this.judge(found, asked);
  }

  /**
   * The key with a value, before anything is judged or counted; or the verdict that there is none.
   *
   * @param from the address that is counted if the key does not exist
   * @throws when the database is needed but unavailable
   */
  async find(key: string, from: KeySender): Promise<KeyEntry | KeyVerdict> {
    // A cached key is well-formed.
    const cached = this.#known.cached(key, this.#deps.now());
    if (cached) return cached;
    const environment = environmentOf(key);
    if (environment === undefined || !this.#deps.environments.includes(environment)) return malformed(environment);
    return this.#said(await this.#known.find(key, from), from);
  }

  /**
   * Judges the key with this digest for a request with a token that keeps the restrictions of the key, and counts it at its limits.
   *
   * @throws when the database is needed but unavailable
   */
  async verifyByDigest(digest: Digest, asked: Asked, from: KeySender): Promise<KeyVerdict> {
    const found = this.#said(await this.#known.findByDigest(digest, from), from);
    return 'code' in found ? found : this.judge(found, asked);
  }

  #said(found: Found, from: KeySender): KeyEntry | KeyVerdict {
    if (found === 'throttled') return this.#throttled(from);
    return found ?? { code: 'unknown', reason: 'There is no such key.', limits: [] };
  }

  /** Judges a key that was found for a request, and counts it at its limits if nothing else refuses it. */
  async judge(entry: KeyEntry, asked: Asked): Promise<KeyVerdict> {
    const now = this.#deps.now();
    const judged = this.#judgeNow(entry, asked, now);
    if (judged) return judged;
    const meant = meantFor(entry, asked);
    const taken = await this.#limits.take(countersOf(meant, asked, now));
    return this.#counted(entry, concluded(meant, taken, asked, now), now);
  }

  /** Undefined if its limits must be read first. */
  #judgeNow(entry: KeyEntry, asked: Asked, now: Date): KeyVerdict | undefined {
    const { code, reason, missing } = decide(entry, asked, now);
    if (code !== 'valid') {
      const refused = { code, reason, limits: noLimits, entry };
      return this.#counted(entry, missing === undefined ? refused : { ...refused, missing }, now);
    }
    const meant = meantFor(entry, asked);
    if (meant.length === 0) return this.#counted(entry, { code, reason, limits: noLimits, entry }, now);
    const taken = this.#limits.takeNow(countersOf(meant, asked, now));
    return taken && this.#counted(entry, concluded(meant, taken, asked, now), now);
  }

  #counted(entry: KeyEntry, verdict: KeyVerdict, now: Date): KeyVerdict {
    this.#meter.count(entry.id, verdict.code === 'valid', now);
    verdict.entry = entry;
    return verdict;
  }

  /** Writes the counts that are not written yet. */
  async close(): Promise<void> {
    await this.#limits.close();
    await this.#meter.close();
  }

  #throttled(from: KeySender): KeyVerdict {
    const reason = 'Too many unknown keys came from this caller: this one was not looked up.';
    return { code: 'throttled', reason, limits: [], retry_after_seconds: this.#unknownKeys.waitSeconds(from) };
  }
}

const noLimits: readonly LimitState[] = [];

/** The limits of a key that a request counts at. */
const meantFor = ({ limits }: KeyEntry, asked: Asked) =>
  limits.length === 0 ? limits : limits.filter(({ limit }) => limit.appliesTo(asked));

const countersOf = (meant: readonly CountedLimit[], { cost }: Asked, now: Date) =>
  meant.map((counted) => counted.counter(cost, now));

/** The verdict on a request that only its limits can refuse. */
function concluded(meant: readonly CountedLimit[], { refusing, values }: Taken, asked: Asked, now: Date): KeyVerdict {
  const limits = meant.map((counted, n) => counted.stateAt(values[n] ?? 0, now));
  const refuser = refusing === undefined ? undefined : meant[refusing];
  if (!refuser) return { ...allowed(asked), limits };
  const { cost } = asked;
  return { ...exceeded(refuser, { value: values[refusing ?? 0] ?? 0, cost, now }), limits };
}

function malformed(environment: string | undefined): KeyVerdict {
  const wrong = 'This is not an API key: it is malformed or truncated.';
  const reason = environment === undefined ? wrong : `This installation has no environment "${environment}".`;
  return { code: 'malformed', reason, limits: [] };
}

function exceeded(
  { limit, waitSeconds }: CountedLimit,
  { value, cost, now }: { value: number; cost: number; now: Date },
): Decision & { retry_after_seconds: number | undefined } {
  const wait = waitSeconds(value, cost, now);
  const hint = wait === undefined ? `a cost of ${cost} is higher than the limit itself` : `wait ${wait} s`;
  return { code: limit.code, reason: `The limit of ${limit.name} is used up: ${hint}.`, retry_after_seconds: wait };
}
