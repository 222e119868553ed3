import { Problem } from '../../platform/http/index.ts';
import type { Answer } from './answers.ts';
import type { AuthenticationNeed } from './authentication.ts';
import { identityOf } from './identity-headers.ts';
import { type Verdict, verdictKinds } from './schemas.ts';
import type { Judgement } from './verdicts.ts';

/**
 * Allows a request. Every identity header is always present, empty if it has no value, so that a proxy that copies them overwrites those
 * that a client sent.
 */
export function admit({ verdict, cached, isFromMemory }: Judgement, now: Date): Answer {
  const identity = cached ? cached.headers : identityOf(verdict).flat();
  const { limits } = verdict;
  const headers = limits.length === 0 ? identity : [...identity, ...rateLimitHeaders(limits, now).flat()];
  return { status: 200, headers, body: '', isFromMemory };
}

/** Lets a preflight through. It has no caller, so every identity header is present and empty. */
export function admitPreflight(): Answer {
  return { status: 200, headers: identityOf({}).flat(), body: '', isFromMemory: false };
}

/**
 * The remaining limits after a request, as RateLimit fields (draft-ietf-httpapi-ratelimit-headers), for the proxy to pass on; none if there
 * is no limit.
 */
function rateLimitHeaders(
  limits: Readonly<Verdict['limits']>,
  now: Date,
): readonly (readonly [name: string, value: string])[] {
  if (limits.length === 0) return [];
  const seconds = (until: Date) => Math.max(0, Math.ceil((until.getTime() - now.getTime()) / 1000));
  const named = limits.map((limit) => ({ ...limit, name: `"${quotable(limit.name)}"` }));
  return [
    ['RateLimit-Policy', named.map(({ name, limit }) => `${name};q=${limit}`).join(', ')],
    [
      'RateLimit',
      named.map(({ name, remaining, resets_at }) => `${name};r=${remaining};t=${seconds(resets_at)}`).join(', '),
    ],
  ];
}

/** The challenge for a request without a credential (RFC 6750 §3, RFC 9728 §5.1). */
export function challengeFor(resource: string | undefined): Problem {
  const headers = { 'WWW-Authenticate': `Bearer ${parameters({ realm: 'latchkey' }, resource)}` };
  const detail = 'Send an API key in X-API-Key, or an access token in Authorization.';
  return new Problem(401, 'unauthenticated', { title: 'Not authenticated', detail, headers });
}

/** The refusal of a request: 401 with a challenge, 403, or 429. */
export function refuse(
  verdict: Verdict,
  { resource, ...need }: AuthenticationNeed & { resource: string | undefined },
  now: Date,
): Problem {
  const { code, reason: detail } = verdict;
  if (code === 'insufficient_user_authentication') return askAuthentication(verdict, { resource, ...need });
  const members = { code };
  const kind = verdictKinds[code];
  if (kind === 'limited') {
    const state = Object.fromEntries(rateLimitHeaders(verdict.limits, now));
    const headers = { ...state, 'Retry-After': String(verdict.retry_after_seconds ?? 1) };
    return new Problem(429, code, { title: 'Too many requests', detail, headers, members });
  }
  if (kind === 'dead') {
    const headers = { 'WWW-Authenticate': unauthorized(verdict, resource) };
    return new Problem(401, 'invalid_token', { title: 'Not authenticated', detail, headers, members });
  }
  if (!verdict.missing) return new Problem(403, code, { title: 'Not allowed', detail, members });
  const scope = verdict.missing.join(' ');
  const said = { error: 'insufficient_scope', error_description: detail, scope };
  const headers = { 'WWW-Authenticate': `Bearer ${parameters(said, resource)}` };
  return new Problem(403, 'insufficient_scope', {
    title: 'Not allowed',
    detail,
    headers,
    members: { ...members, scope },
  });
}

/** Adds the authorization request with which the client gets an accepted token (RFC 9470 §3). */
function askAuthentication(
  { code, reason: detail }: Verdict,
  { resource, acr_values, max_age }: AuthenticationNeed & { resource: string | undefined },
): Problem {
  const asked = { ...(acr_values && { acr_values }), ...(max_age && { max_age: String(max_age) }) };
  const challenge = parameters({ error: code, error_description: detail, ...asked }, resource);
  const headers = { 'WWW-Authenticate': `Bearer ${challenge}` };
  return new Problem(401, code, { title: 'Not authenticated', detail, headers, members: { code } });
}

/** A request without a derivable permission is allowed to no one; proxies understand no better refusal than 403. */
export function notPermitted(detail: string): Problem {
  return new Problem(403, 'insufficient_permissions', { title: 'Not allowed', detail });
}

function unauthorized({ code, reason }: Verdict, resource: string | undefined): string {
  const isProof = code === 'proof_required' || code === 'invalid_proof';
  const error = code === 'invalid_proof' ? 'invalid_dpop_proof' : 'invalid_token';
  return `${isProof ? 'DPoP' : 'Bearer'} ${parameters({ error, error_description: reason }, resource)}`;
}

/** Challenge parameters, with the address of the API's metadata (RFC 9728 §3.1). */
function parameters(said: Record<string, string>, resource: string | undefined): string {
  const described = resource === undefined ? undefined : metadataUrl(resource);
  const all = { ...said, ...(described && { resource_metadata: described }) };
  return Object.entries(all)
    .map(([name, value]) => `${name}="${quotable(value)}"`)
    .join(', ');
}

function metadataUrl(resource: string): string | undefined {
  const url = URL.parse(resource);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.origin}/.well-known/oauth-protected-resource${path}${url.search}`;
}

/** RFC 6750 §3: no quotation mark, no backslash, printable ASCII only. */
function quotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\u0020-\u007e]|\\/g, '?');
}
