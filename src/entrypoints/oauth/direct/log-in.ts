import { intersection, permissionsAt } from '../../../domain/access/index.ts';
import type { KeyEntry } from '../../../domain/api-keys/index.ts';
import { isSecretMethod } from '../../../domain/clients/index.ts';
import { generateAccessToken } from '../../../domain/tokens/index.ts';
import { readAssertion, type Trust, workloadClientId } from '../../../domain/trusts/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import type { Origin } from '../../../platform/http/index.ts';
import { findPresentedSecret, type SecretDeps } from '../provider/client-authentication.ts';
import { type ClientRecord, findClientRecord } from '../store/index.ts';
import {
  type PresentedAssertionDeps,
  refusalOf,
  refusedAssertion,
  trustedIn,
  useOnce,
} from '../token-endpoint/grants/presented-assertion.ts';
import { clientOfKey } from '../token-endpoint/grants/presented-key.ts';
import { commitTokens, type IssueDeps } from '../token-endpoint/issue-tokens.ts';
import { runInUnit, type TokenSource, Unit } from '../unit-of-work/index.ts';

export type LogInDeps = PresentedAssertionDeps & SecretDeps & IssueDeps & { db: Db };

/** The API of the token, the request's origin, and the longest lifetime. */
export type LogInRequest = {
  audience: string;
  origin: Origin;
  seconds: number;
  /** The other claims of the token, for the judgement. */
  marks?: Record<string, unknown>;
};

/** An access token of a client for itself; `scopes` are all its scopes at the API. */
export type LoggedIn = {
  access_token: string;
  client_id: string;
  scopes: readonly string[];
  issued_at: Date;
  expires_at: Date;
  /** The trust that accepted the workload, its subject, and the claims of its token. */
  trusted?: { trust: Trust; subject: string; claims: Readonly<Record<string, unknown>> };
};

type Source = Pick<TokenSource, 'kind' | 'trust_id' | 'trust_epoch'>;

/**
 * Authenticates a client by its secret, outside the token endpoint: like a `client_credentials` request.
 *
 * @returns undefined: it is refused, and the refusal is recorded
 * @throws an error with `status` 429 after too many wrong secrets; 503
 */
export function logInBySecret(
  deps: LogInDeps,
  { client_id, secret }: { client_id: string; secret: string },
  request: LogInRequest,
): Promise<LoggedIn | undefined> {
  return inUnit(request, async (unit) => {
    const client = await findClientRecord(deps, client_id);
    if (!client || !isSecretMethod(client.metadata.token_endpoint_auth_method)) return undefined;
    const presented = await findPresentedSecret(deps, client_id, secret);
    if (!presented) return undefined;
    deps.secretUses.record(presented.id, deps.now());
    unit.clientSecret = presented;
    return issue(deps, unit, { client, request, source: undefined });
  });
}

/**
 * Authenticates a workload by a token of its issuer: like a `jwt-bearer` request.
 *
 * @param isMeant selects the trusts that the caller names
 * @returns undefined: it is refused, and the refusal is recorded
 */
export function logInByAssertion(
  deps: LogInDeps,
  { assertion, isMeant }: { assertion: string; isMeant: (trust: Trust) => boolean },
  request: LogInRequest,
): Promise<LoggedIn | undefined> {
  return inUnit(request, async (unit) => {
    // Assertions about users are for the token endpoint alone, where their client authenticates.
    const isOfWorkloads = (trust: Trust) => trust.kind === 'workload' && isMeant(trust);
    const trusted = await trustedIn(deps, readAssertion(assertion), isOfWorkloads);
    if ('reason' in trusted) {
      await refusedAssertion(deps, trusted);
      return undefined;
    }
    const { trust, subject } = trusted;
    const client = await findClientRecord(deps, workloadClientId(trust, subject));
    if (!client) {
      await refusedAssertion(deps, refusalOf(trusted, 'the client of the workload is disabled'));
      return undefined;
    }
    await useOnce(deps, trusted);
    const source = { kind: 'jwt_bearer', trust_id: trust.id, trust_epoch: trust.epoch };
    const issued = await issue(deps, unit, { client, request, source });
    return issued && { ...issued, trusted: { trust, subject, claims: trusted.assertion.payload } };
  });
}

/** The limits of a further token beside those of its client. */
export type FurtherToken = {
  client_id: string;
  scopes: readonly string[];
  /** How the client of the first token was authenticated. */
  trust: { id: string; epoch: number } | undefined;
};

/**
 * Issues another token to a client that has one already, under the same trust.
 *
 * @returns undefined: the client has none of the scopes any more, or it or the trust was disabled meanwhile
 */
export function issueFurtherToken(
  deps: LogInDeps,
  { client_id, scopes, trust }: FurtherToken,
  request: LogInRequest,
): Promise<LoggedIn | undefined> {
  return inUnit(request, async (unit) => {
    const client = await findClientRecord(deps, client_id);
    if (!client) return undefined;
    const source = trust && { kind: 'jwt_bearer', trust_id: trust.id, trust_epoch: trust.epoch };
    return issue(deps, unit, { client, request, source, within: scopes });
  });
}

/**
 * Issues a token for an API key that was judged for this request: like a token exchange.
 *
 * @param scopes permissions that the key has at the API
 * @returns undefined: the key, its owner or their client was disabled meanwhile
 */
export function issueTokenForKey(
  deps: LogInDeps,
  { key, scopes }: { key: KeyEntry; scopes: readonly string[] },
  request: LogInRequest,
): Promise<LoggedIn | undefined> {
  return inUnit(request, async (unit) => {
    const client = await findClientRecord(deps, clientOfKey(key));
    if (!client) return undefined;
    const user_id = key.owner.kind === 'user' ? key.owner.id : undefined;
    const source = { kind: 'token_exchange', user_id, api_key_id: key.id, api_key_version: key.number };
    const subject = user_id ? { kind: 'AccessToken', accountId: user_id } : { kind: 'ClientCredentials' };
    return write(deps, unit, { client, request, source, scopes, owner: { ...subject, clientId: client.client_id } });
  });
}

function inUnit<T>({ origin }: LogInRequest, work: (unit: Unit) => Promise<T>): Promise<T> {
  const unit = new Unit(origin, { defaultGraceSeconds: 0, isTokenRequest: true });
  return runInUnit(unit, () => work(unit));
}

type Issued = {
  client: ClientRecord;
  request: LogInRequest;
  source: Source | undefined;
  /** Undefined: all that the client may have. */
  within?: readonly string[];
};

/** All scopes of the client at the API. @returns undefined: it has none, or the client or trust was disabled meanwhile */
async function issue(
  deps: LogInDeps,
  unit: Unit,
  { client, request, source, within }: Issued,
): Promise<LoggedIn | undefined> {
  const { audience } = request;
  const ofRoles = await permissionsAt(deps.db, client.id, audience, deps.now());
  const all = [...new Set([...(client.service_permissions[audience] ?? []), ...ofRoles])];
  const scopes = within ? intersection(within, all) : all;
  const owner = { kind: 'ClientCredentials', clientId: client.client_id };
  return write(deps, unit, { client, request, source, scopes, owner });
}

type Written = Pick<Issued, 'client' | 'request'> & {
  source: TokenSource | undefined;
  scopes: readonly string[];
  /** The subject, as the provider stores it. */
  owner: Record<string, unknown>;
};

async function write(
  deps: LogInDeps,
  unit: Unit,
  { client, request, source, scopes, owner }: Written,
): Promise<LoggedIn | undefined> {
  if (scopes.length === 0) return undefined;
  const { audience } = request;
  const issued_at = deps.now();
  const access_token = generateAccessToken();
  const { access_token: own = request.seconds } = client.lifetimes;
  const expires_at = new Date(issued_at.getTime() + Math.min(own, request.seconds) * 1000);
  const scope = scopes.join(' ');
  const { client_id } = client;
  unit.source = source;
  unit.writes = {
    access_token: {
      ...{ key: { digest: digest(access_token) }, scope, audience, identity_scope: undefined },
      ...{ payload: { ...owner, aud: audience, scope, ...request.marks }, issued_at, expires_at },
    },
  };
  const refusal = await commitTokens(deps, unit, client_id);
  if (refusal && refusal.status >= 500) throw Object.assign(new Error(refusal.error_description), refusal);
  return refusal ? undefined : { access_token, client_id, scopes, issued_at, expires_at };
}
