import { AsyncLocalStorage } from 'node:async_hooks';
import type { ConsentedScopes } from '../../../../db/schema.ts';
import type { KeyEntry, KeyVerdict } from '../../../domain/api-keys/index.ts';
import type { AuditEvent } from '../../../domain/audit/index.ts';
import type { StandingIdentity } from '../../../domain/identities/index.ts';
import type { ProviderSession } from '../../../domain/identity-providers/index.ts';
import type { TrustedAssertion } from '../../../domain/trusts/index.ts';
import type { Digest } from '../../../platform/crypto/index.ts';
import { type Db, isOutage, type Trx } from '../../../platform/database/index.ts';
import type { Origin } from '../../../platform/http/index.ts';
import type { NewAccessToken } from './access-token-columns.ts';
import type { OpenRow } from './row-bounds.ts';

/** The refresh token that starts a family. */
export type NewRefreshToken = {
  handle_digest: Digest;
  digest: Digest;
  payload: Record<string, unknown>;
  expires_at: Date;
  absolute_expires_at: Date;
};

/** The credential of a token request, as it was read: the columns of its unit that the commit judges by. */
export type TokenSource = {
  /** The name of its grant type. */
  kind: string;
  user_id?: string | undefined;
  digest?: Digest;
  family_id?: string;
  grant_id?: string;
  /** How long a retry of a rotation is answered with the same successor. */
  graceSeconds?: number;
  api_key_id?: string;
  api_key_version?: number;
  trust_id?: string;
  /** The version of the trust that this node used to judge the assertion. */
  trust_epoch?: number;
  /** The account of the user that an assertion is about. */
  identity_id?: string;
};

/** An API key that is exchanged, as it was found before the client was known. */
export type PresentedKey = {
  found: KeyEntry | KeyVerdict;
  /** The grant type of the request that needs no registration. */
  grant_type: string;
  /** The client that the key identifies, because no client authenticated. */
  answersFor: string | undefined;
};

/** Why an assertion is refused, for the audit log. */
export type AssertionRefusal = { reason: string; trust_id?: string; details?: Record<string, string> };

/** An assertion that is accepted; `identity`: the asserted user, if there is one. */
export type AcceptedAssertion = TrustedAssertion & { identity?: StandingIdentity };

/** The assertion of a trusted issuer in the request, as it was checked before the client was known. */
export type PresentedAssertion = Pick<PresentedKey, 'grant_type' | 'answersFor'> & {
  found: AcceptedAssertion | AssertionRefusal;
};

/** Everything that one token request writes: judged and written by one statement (DESIGN.md §5). */
export type TokenWrites = {
  access_token?: NewAccessToken;
  refresh_token?: NewRefreshToken;
  /** A rotation: the derived successor, when it expires, and the key its own successor will be derived with. */
  successor?: { digest: Digest; expires_at: Date };
};

/** Who authenticated, in which epoch, when, and with which identity provider; undefined: with none. */
type Authenticated = {
  user_id: string;
  user_epoch: number | null;
  at: Date;
  by: ProviderSession | undefined;
};

/** The owners of a new grant. */
export type GrantOrigin = {
  consent_id: string | null;
  session_uid: string;
  offline: boolean;
  /** The part that the user consented to, if a first-party client has the rest without consent. */
  consented: ConsentedScopes | undefined;
};

/**
 * A write of the browser endpoints; run in order in one transaction. Throws `LostRaceError` if another request was first. `alone`: commits it
 * in one statement, if it is all that its request writes.
 */
export type Operation = ((trx: Trx) => Promise<void>) & { alone?: () => Promise<void> };

/** Another tab, a revocation or a sign-out changed the state that an operation relied on. */
export class LostRaceError extends Error {
  override name = 'LostRaceError';
}

/**
 * One request's unit of work: its reads, cached for the request, and its writes, executed after the
 * provider has produced its answer and before the answer is sent.
 */
export class Unit {
  readonly origin: Origin;
  readonly #memory = new Map<string, Promise<unknown>>();
  readonly operations: Operation[] = [];
  readonly events: AuditEvent[] = [];
  /** Rows that it stores without authentication; they are limited per address. */
  readonly openRows: OpenRow[] = [];
  /** How many interactions it finishes. */
  finishedInteractions = 0;
  source: TokenSource | undefined;
  presentedKey: PresentedKey | undefined;
  presentedAssertion: PresentedAssertion | undefined;
  writes: TokenWrites = {};
  /** Derives the successor of the presented refresh token; undefined: none was presented, or its key was deleted. */
  deriveSuccessor: (() => string) | undefined;
  /** A JWT access token whose signature was verified, and the reference that stands for it inside the provider. */
  structured: { reference: string; jti: string } | undefined;
  /** The consent and session of a new grant, and whether it outlives the session. */
  grantOrigin: GrantOrigin | undefined;
  /** Why the provider's answer must not be sent: it could not read or write the database. */
  outage: unknown;
  /** The session saved in this request, and its id in the cookie; in memory only. */
  savedSession: { uid: string; id: string } | undefined;
  /** The user who authenticated in this request, when, and their epoch at that time; undefined: no user did. */
  authenticated: Authenticated | undefined;
  /** The secret that the client authenticated with, and the client's epoch as it was read with it. */
  clientSecret: { id: string; epoch: number } | undefined;
  /** The client metadata document that this request named and that cannot be used, and why. */
  refusedDocument: { client_id: string; reason: string } | undefined;
  readonly defaultGraceSeconds: number;
  /** Whether a client requests tokens, rather than a user a page. */
  readonly isTokenRequest: boolean;

  constructor(
    origin: Origin,
    { defaultGraceSeconds, isTokenRequest }: { defaultGraceSeconds: number; isTokenRequest: boolean },
  ) {
    this.origin = origin;
    this.isTokenRequest = isTokenRequest;
    this.defaultGraceSeconds = defaultGraceSeconds;
  }

  /** Reads once per request. After an outage it reads nothing more, because waiting for each read in turn would take too long. */
  remember<T>(key: string, read: () => Promise<T>): Promise<T> {
    if (this.outage) return Promise.reject(this.outage);
    const known = this.#memory.get(key) as Promise<T> | undefined;
    if (known) return known;
    const reading = read();
    this.#memory.set(key, reading);
    reading.catch((error: unknown) => {
      if (isOutage(error)) this.outage = error;
      this.#memory.delete(key);
    });
    return reading;
  }

  /** Caches a row that was joined with another, as a separate read would have found it. */
  fill<T>(key: string, value: T): void {
    if (!this.#memory.has(key)) this.#memory.set(key, Promise.resolve(value));
  }
}

const units = new AsyncLocalStorage<Unit>();

/**
 * The unit of the request being answered.
 *
 * @throws Error outside of one: an adapter write there would be lost
 */
export function currentUnit(): Unit {
  const unit = units.getStore();
  if (!unit) throw new Error('no unit of work: the provider was called outside a request');
  return unit;
}

/** Runs `work` inside a unit. */
export function runInUnit<T>(unit: Unit, work: () => Promise<T>): Promise<T> {
  return units.run(unit, work);
}

/** Runs work that reads through the provider outside of a request; its writes are dropped. */
export function runDetached<T>(work: () => Promise<T>): Promise<T> {
  return units.run(new Unit({}, { defaultGraceSeconds: 0, isTokenRequest: false }), work);
}

/** Commits the recorded browser writes and events in one transaction; sends nothing where there are none. */
export async function commitOperations(
  db: Db,
  unit: Unit,
  append: (trx: Trx, event: AuditEvent) => Promise<void>,
): Promise<void> {
  const [only, ...others] = unit.operations;
  if (!only && unit.events.length === 0) return;
  if (only?.alone && others.length + unit.events.length === 0) return only.alone();
  await db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (trx) => {
      for (const operation of unit.operations) await operation(trx);
      for (const event of unit.events) await append(trx, event);
    });
}
