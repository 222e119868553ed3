import { objectionTo } from './authentication.ts';
import { clientAddress } from './client-address.ts';
import { type Credential, credentialIn } from './credentials.ts';
import type { Identity, Need } from './identity.ts';
import { LocalTokens } from './local-tokens.ts';
import { allows } from './permissions.ts';
import { type Refusal, refusal } from './refusals.ts';
import { RemoteVerdicts, type Verdict } from './remote-verdicts.ts';
import { isScope, type MetadataOptions, type ResourceMetadata, resourceMetadata } from './resource-metadata.ts';
import { kindOf } from './verdict-kinds.ts';

export type GuardOptions = {
  /** The address of Latchkey, such as `https://id.example.com`. */
  issuer: string;
  /** The registered identifier of this API: the audience of its tokens. */
  resource: string;
  /** An API key of this service with `latchkey:verify`; without one, only JWTs that are not sender-constrained are accepted. */
  key?: string | undefined;
  /** How long a response of the gateway is cached, and so how long a revoked key may be accepted; 1000. 0: never cached. */
  cacheMs?: number | undefined;
  /**
   * Publishes metadata of the API for clients that do not know it, such as MCP clients: refusals name the metadata's address (RFC 9728),
   * and an adapter serves it there. The API's identifier must be the address that clients use.
   */
  metadata?: MetadataOptions | undefined;
  /** Called for errors that are not the caller's: Latchkey cannot be reached, or refuses this service. */
  onError?: ((error: unknown) => void) | undefined;
};

/** A request in the form the guard needs. */
export type GuardedRequest = {
  method: string;
  /** Path and query, unchanged. */
  url: string;
  /** Values by lower-case name, all of them. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The client's address, as far as this service trusts its proxies. */
  ip?: string | undefined;
};

export type Outcome = { kind: 'allowed'; identity: Identity } | { kind: 'refused'; refusal: Refusal };

export type Guard = {
  /** Judges a request: returns the caller, or the response to send instead. Never throws. */
  check: (request: GuardedRequest, need?: Need) => Promise<Outcome>;
  /** The metadata of the API; undefined: the options contain none. */
  metadata: ResourceMetadata | undefined;
};

/**
 * A guard for one API. JWTs are verified here, with published keys and status lists; opaque tokens, API keys and tokens that are bound to
 * their sender are verified by the gateway. If neither can be reached, all requests are refused (503).
 */
export function createGuard({ cacheMs = 1000, ...options }: GuardOptions): Guard {
  const issuer = originOf(options.issuer);
  const now = Date.now;
  const tokens = new LocalTokens({ issuer, resource: options.resource, now });
  const remote = options.key ? new RemoteVerdicts({ issuer, key: options.key, cacheMs, now }) : undefined;
  const metadata = options.metadata && resourceMetadata({ issuer, resource: options.resource }, options.metadata);
  const initialScopes = options.metadata?.scopes_supported ?? [];
  const deps = { issuer, resource: options.resource, tokens, remote, metadata, initialScopes, now };
  return {
    metadata,
    check: async (request, need = {}) => {
      try {
        return await judged(deps, request, need);
      } catch (error) {
        options.onError?.(error);
        const detail = 'Your credential cannot be verified at the moment.';
        return refused(refusal(503, { error: 'temporarily_unavailable', detail, retryAfter: 2 }));
      }
    },
  };
}

function originOf(issuer: string): string {
  const url = new URL(issuer);
  if (url.protocol !== 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
    throw new Error(`The issuer must be an https address, or on this machine: ${issuer}`);
  return url.origin;
}

type Deps = {
  issuer: string;
  resource: string;
  tokens: LocalTokens;
  remote: RemoteVerdicts | undefined;
  metadata: ResourceMetadata | undefined;
  initialScopes: readonly string[];
  now: () => number;
};

async function judged(deps: Deps, request: GuardedRequest, need: Need): Promise<Outcome> {
  const credential = credentialIn(request.headers, deps.issuer);
  if (credential === 'several')
    return refused(refusal(400, { error: 'invalid_request', detail: 'Send one credential, in one header.' }));
  const permissions = [need.permission ?? []].flat();
  const hints = hintsFor(deps, permissions);
  if (!credential) {
    const detail = 'Send an API key in X-API-Key, or an access token in Authorization.';
    return refused(refusal(401, { detail, ...hints }));
  }
  if (credential.kind === 'bearer' && LocalTokens.isOne(credential.value)) {
    const verdict = await deps.tokens.verdict(credential.value);
    if (verdict.kind === 'bad')
      return refused(refusal(401, { error: 'invalid_token', detail: verdict.reason, ...hints }));
    if (verdict.kind === 'good') return permitted(verdict.identity, { need, permissions, hints, nowMs: deps.now() });
  }
  return askedAt(deps, { request, need, credential, permissions, hints });
}

/** The hints in a challenge for a client that does not know the API: where its metadata is, and which scopes to request. */
type Hints = { resource_metadata?: string; scope?: string };

function hintsFor({ metadata, initialScopes }: Deps, permissions: readonly string[]): Hints {
  if (!metadata) return {};
  const scope = scopeOf(permissions.length > 0 ? permissions : initialScopes);
  return { resource_metadata: metadata.url, ...(scope && { scope }) };
}

/** A permission that a route derives from a request, such as a name in its path, must not make the client request anything else. */
function scopeOf(permissions: readonly string[]): string {
  return [...new Set(permissions.filter(isScope))].join(' ');
}

type Required = Pick<Question, 'need' | 'permissions' | 'hints'> & { nowMs: number };

function permitted(identity: Identity, { need, permissions, hints, nowMs }: Required): Outcome {
  const missing = permissions.filter((permission) => !allows(identity.permissions, permission));
  if (missing.length > 0) return refused(insufficient(missing, permissions, hints));
  const objection = objectionTo(identity, need, nowMs);
  return objection ? refused(unauthenticated(objection, need, hints)) : { kind: 'allowed', identity };
}

/** The authorization request with which the client gets an accepted token (RFC 9470 §3). */
function unauthenticated(detail: string, { acr_values, max_age }: Need, hints: Hints): Refusal {
  return refusal(401, { ...hints, error: 'insufficient_user_authentication', detail, acr_values, max_age });
}

/**
 * All permissions of the route are requested at once, including those the caller has: a client may drop its earlier ones (RFC 6750 §3.1).
 */
function insufficient(missing: readonly string[], permissions: readonly string[], hints: Hints): Refusal {
  const named = missing.map((permission) => `"${permission}"`).join(', ');
  const detail = `This needs ${named}.`;
  return refusal(403, { ...hints, error: 'insufficient_scope', detail, scope: scopeOf(permissions) });
}

type Question = {
  request: GuardedRequest;
  need: Need;
  credential: Credential;
  permissions: readonly string[];
  hints: Hints;
};

async function askedAt({ remote, resource }: Deps, question: Question): Promise<Outcome> {
  const { request, need, credential, permissions } = question;
  if (!remote) throw new Error('a guard without a key can verify only JWTs that are not sender-constrained');
  const proof = [request.headers.dpop ?? []].flat();
  const verdict = await remote.verdict({
    ...(credential.kind === 'key' ? { key: credential.value } : { token: credential.value }),
    ...(permissions.length > 0 && { permissions: { and: permissions } }),
    resource,
    ip: clientAddress(request.ip),
    origin: [request.headers.origin ?? []].flat()[0],
    cost: need.cost,
    parameters: need.parameters,
    acr_values: need.acr_values,
    max_age: need.max_age,
    ...(credential.kind === 'dpop' && proof.length === 1 && proofOf(request, resource, proof[0] ?? '')),
  });
  return verdict.valid ? { kind: 'allowed', identity: identityOf(verdict) } : refused(refusalOf(verdict, question));
}

/** The URL in a DPoP proof (RFC 9449 §4.2): the address that clients use for the API. */
function proofOf({ method, url }: GuardedRequest, resource: string, proof: string) {
  const origin = URL.parse(resource)?.origin ?? '';
  return { method, url: `${origin}${url.split('?')[0]}`, proof };
}

function identityOf(verdict: Verdict): Identity {
  const { subject = '', subject_kind = 'client', credential = 'api_key', permissions = [], expires_at } = verdict;
  const { client_id, key_id, environment, acr, auth_time } = verdict;
  const known = { subject, subject_kind, client_id, credential, key_id, environment, permissions, acr, auth_time };
  return { ...known, expires_at: expires_at ? new Date(expires_at) : undefined };
}

function refusalOf({ code, reason: detail, missing, retry_after_seconds }: Verdict, question: Question): Refusal {
  const { need, permissions, hints, credential } = question;
  if (code === 'insufficient_user_authentication') return unauthenticated(detail, need, hints);
  // A token for another API is not valid here, whatever its scopes (RFC 8707 §2, RFC 6750 §3.1).
  const isForeign = code === 'resource_not_allowed' && credential.kind !== 'key';
  const kind = isForeign ? 'dead' : kindOf(code);
  if (kind === 'limited') return refusal(429, { error: code, detail, retryAfter: retry_after_seconds ?? 1 });
  if (kind === 'dead') {
    const isProof = code === 'proof_required' || code === 'invalid_proof';
    const error = code === 'invalid_proof' ? 'invalid_dpop_proof' : 'invalid_token';
    return refusal(401, { error, detail, scheme: isProof ? 'DPoP' : 'Bearer', ...hints });
  }
  return missing ? insufficient(missing, permissions, hints) : refusal(403, { error: code, detail });
}

const refused = (each: Refusal): Outcome => ({ kind: 'refused', refusal: each });
