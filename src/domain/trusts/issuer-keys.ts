import { setTimeout } from 'node:timers/promises';
import { type CompactJWSHeaderParameters, type CryptoKey, createLocalJWKSet, errors, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { atMostEntries } from '../../platform/caching/index.ts';
import {
  freshSeconds,
  type Getting,
  type Got,
  type NotModified,
  type Revalidating,
  TooLarge,
  UnexpectedStatus,
  validatorsOf,
} from '../../platform/outbound/index.ts';
import { discoverIssuer, OtherIssuerError } from './discovery.ts';
import type { Trust } from './store.ts';

export type IssuerKeysDeps = { get: Revalidating; now: () => Date };

/** The location of an issuer's keys. */
export type KeySource = Pick<Trust, 'issuer' | 'jwks_uri' | 'jwks'>;

type KeyFor = (header: CompactJWSHeaderParameters) => Promise<CryptoKey>;

type Held = {
  keyFor: KeyFor;
  /** Until when they are used without fetching them again. */
  fresh_until: number;
  /** Until when they are used while the issuer does not answer. */
  usable_until: number;
  /** The response that they were read from. */
  response: KeyResponse;
};

type KeyResponse = { address: string; read_at: number; validators: ReturnType<typeof validatorsOf> };

type Entry = {
  held: Held | undefined;
  /** No fetch before that: a missing key must not cause one for each request. */
  next_look_at: number;
  looking: Promise<void> | undefined;
  problem: string;
};

/** Why no key was found; for administrators, never for the sender. */
export class NoKeyError extends Error {
  override name = 'NoKeyError';
}

const most = 1000;
const minuteMs = 60_000;
const shortestMs = minuteMs;
const longestMs = 60 * minuteMs;
const defaultMs = 10 * minuteMs;
const usableMs = 60 * minuteMs;
const betweenLooksMs = 30_000;
// A server that wrongly confirms an earlier response is not believed for longer.
const revalidatedMs = 24 * 60 * minuteMs;

const KeySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

/**
 * The public keys of issuers: cached as long as their HTTP headers say, between a minute and an hour. A key that is not among them is
 * fetched at most twice a minute, however many requests ask. While an issuer does not answer, its keys are used for another hour. For
 * expired keys it is asked whether they are still current (`ETag`, `Last-Modified`).
 */
export class IssuerKeys {
  readonly #deps: IssuerKeysDeps;
  readonly #entries = new LRUCache<string, Entry>(atMostEntries(most));
  /** For key sets stored in trusts, by the cached set: each key is imported once. */
  readonly #inline = new WeakMap<object, KeyFor>();

  constructor(deps: IssuerKeysDeps) {
    this.#deps = deps;
  }

  /** @throws NoKeyError: the issuer has no such key, or its keys cannot be read */
  async find(source: KeySource, header: CompactJWSHeaderParameters): Promise<CryptoKey> {
    if (source.jwks) return keyIn(this.#inlineKeys(source.jwks), isNamed(source.jwks) ? header : withoutName(header));
    const entry = this.#entryOf(source);
    const now = this.#deps.now().getTime();
    const { fresh_until = 0, usable_until = 0 } = entry.held ?? {};
    if (now >= usable_until) await this.#look(source, entry);
    else if (now >= fresh_until) await Promise.race([this.#look(source, entry), aMoment()]);
    const before = this.#heldIn(entry);
    try {
      return await keyIn(before.keyFor, header);
    } catch (error) {
      // The issuer rotated its keys: they are fetched again, within the budget, whatever a server says of the earlier response.
      await this.#look(source, entry, { isWhole: true });
      const { keyFor } = this.#heldIn(entry);
      if (keyFor === before.keyFor) throw error;
      return keyIn(keyFor, header);
    }
  }

  #inlineKeys(jwks: NonNullable<KeySource['jwks']>): KeyFor {
    const known = this.#inline.get(jwks) ?? keysIn(jwks);
    this.#inline.set(jwks, known);
    return known;
  }

  #entryOf({ issuer, jwks_uri }: KeySource): Entry {
    const key = JSON.stringify([issuer, jwks_uri]);
    const entry = this.#entries.get(key) ?? { held: undefined, next_look_at: 0, looking: undefined, problem: '' };
    this.#entries.set(key, entry);
    return entry;
  }

  #heldIn({ held, problem }: Entry): Held {
    if (held && this.#deps.now().getTime() < held.usable_until) return held;
    throw new NoKeyError(problem || 'its keys were not read yet');
  }

  /** One fetch at a time, for all who wait. */
  async #look(source: KeySource, entry: Entry, { isWhole = false } = {}): Promise<void> {
    const now = this.#deps.now().getTime();
    if (!entry.looking && now < entry.next_look_at) return;
    entry.next_look_at = now + betweenLooksMs;
    entry.looking ??= this.#read(source, entry, isWhole ? undefined : entry.held).finally(() => {
      entry.looking = undefined;
    });
    await entry.looking;
  }

  async #read(source: KeySource, entry: Entry, known: Held | undefined): Promise<void> {
    try {
      const get: Getting = async (url) => withBody(await this.#deps.get(url, {}));
      const address = source.jwks_uri ?? (await discoverIssuer(get, source.issuer)).jwks_uri;
      const now = this.#deps.now();
      const kept = known && isRecent(known.response, address, now) ? known : undefined;
      const answer = await this.#deps.get(address, kept?.response.validators ?? {});
      const fresh_until = now.getTime() + keptMs(freshSeconds(answer.headers, now));
      const isKept = kept !== undefined && answer.body === undefined;
      const keyFor = isKept ? kept.keyFor : keysIn(JSON.parse(withBody(answer).body.toString()));
      const validators = { ...(isKept && kept.response.validators), ...validatorsOf(answer.headers) };
      const response = { address, validators, read_at: isKept ? kept.response.read_at : now.getTime() };
      entry.held = { keyFor, fresh_until, usable_until: fresh_until + usableMs, response };
    } catch (error) {
      entry.problem = `its keys cannot be read: ${problemOf(error)}`;
    }
  }
}

function isRecent({ address, read_at }: KeyResponse, wanted: string, now: Date): boolean {
  return address === wanted && read_at + revalidatedMs > now.getTime();
}

/** @throws UnexpectedStatus: the response has no body */
function withBody(answer: Got | NotModified): Got {
  if (answer.body === undefined) throw new UnexpectedStatus(304);
  return answer;
}

/** Whether a set names any of its keys; those of PEM files have no names, whatever the `kid` of their tokens is. */
const isNamed = (jwks: NonNullable<KeySource['jwks']>): boolean => {
  const { keys = [] } = jwks as { keys?: { kid?: string }[] };
  return keys.some(({ kid }) => kid !== undefined);
};

const withoutName = ({ kid: _, ...header }: CompactJWSHeaderParameters): CompactJWSHeaderParameters => header;

/** Public keys that verify signatures; others of a set are left out. @throws ZodError: it is not a set of keys */
function keysIn(set: unknown): KeyFor {
  const keys = KeySet.parse(set).keys as JWK[];
  const usable = keys.filter(({ kty, use, d }) => kty !== 'oct' && use !== 'enc' && d === undefined);
  return createLocalJWKSet({ keys: usable }) as KeyFor;
}

async function keyIn(keyFor: KeyFor, header: CompactJWSHeaderParameters): Promise<CryptoKey> {
  try {
    return await keyFor(header);
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys)
      throw new NoKeyError('several keys of the issuer could be meant: the token must name one (kid)');
    if (error instanceof errors.JWKSNoMatchingKey)
      throw new NoKeyError(`the issuer has no key ${JSON.stringify(header.kid ?? null)} for ${String(header.alg)}`);
    throw new NoKeyError('the key of the issuer has an unsupported type');
  }
}

/** If expired keys can still be used, requests do not wait longer for a slow issuer. */
const aMoment = () => setTimeout(250, undefined, { ref: false });

function keptMs(seconds: number | undefined): number {
  const kept = seconds === undefined ? defaultMs : seconds * 1000;
  return Math.min(longestMs, Math.max(shortestMs, kept));
}

/** The message is the same for every network failure: otherwise it would reveal the internal network to authors of trusts. */
function problemOf(error: unknown): string {
  if (error instanceof NoKeyError || error instanceof OtherIssuerError) return error.message;
  if (error instanceof z.ZodError) return 'not a set of keys or metadata of an issuer';
  if (error instanceof SyntaxError) return 'not JSON';
  if (error instanceof UnexpectedStatus) return `they were answered with status ${error.status}`;
  if (error instanceof TooLarge) return error.message;
  return 'there is no answer in time from a public address with a valid certificate';
}
