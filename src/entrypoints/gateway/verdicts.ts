import { allows } from '../../domain/access/index.ts';
import {
  type Asked,
  type KeySender,
  type KeyVerdict,
  type KeyVerifier,
  missingFrom,
  type PermissionQuery,
  permissionsIn,
} from '../../domain/api-keys/index.ts';
import type { PresentedToken, TokenVerdict } from '../oauth/index.ts';
import {
  type AuthenticationNeed,
  authenticationObjection,
  needsAuthentication,
  noUserAuthenticated,
} from './authentication.ts';
import { type CachedVerdict, cachedVerdict, verdictOnKey } from './cached-verdicts.ts';
import type { Verdict, VerifyRequest } from './schemas.ts';

export type VerdictDeps = {
  keys: KeyVerifier;
  judgeToken: (shown: PresentedToken) => Promise<TokenVerdict>;
  now: () => Date;
};

/** The verdict on a request. */
export type Judgement = {
  verdict: Verdict;
  /** The cached verdict on an allowed key; the complete verdict also has the current limits. */
  cached: CachedVerdict | undefined;
  /** Whether the credential was allowed from the cache alone. */
  isFromMemory: boolean;
};

/**
 * Verifies the credential of a request to an API: from the cache, without a wait, if that suffices.
 *
 * @param from the address to count if the key does not exist
 * @throws when the database is needed, and unavailable
 */
export function judge(deps: VerdictDeps, request: VerifyRequest, from: KeySender): Judgement | Promise<Judgement> {
  const { key } = request;
  if (key === undefined) return judgementOnToken(deps, request);
  const asked = askedOf(request);
  const cached = deps.keys.verifyCached(key, asked);
  if (cached) return forUser(request, judgementOn(cached, asked, cached.code === 'valid'));
  return deps.keys.verify(key, asked, from).then((found) => forUser(request, judgementOn(found, asked, false)));
}

async function judgementOnToken({ judgeToken, now }: VerdictDeps, request: VerifyRequest): Promise<Judgement> {
  const { token = '', method, url, proof, certificate_thumbprint } = request;
  const found = await judgeToken({ token, method, url, proof, certificate_thumbprint });
  const { resource, acr_values, max_age } = request;
  const verdict = verdictOnToken(found, { needs: needed(request), resource, acr_values, max_age, now: now() });
  return { verdict, cached: undefined, isFromMemory: false };
}

/** A key has no user authentication: it is refused if one is required. */
function forUser(request: VerifyRequest, judgement: Judgement): Judgement {
  if (!judgement.verdict.valid || !needsAuthentication(request)) return judgement;
  const refused = { valid: false, code: 'insufficient_user_authentication', reason: noUserAuthenticated } as const;
  return { verdict: { ...judgement.verdict, ...refused }, cached: undefined, isFromMemory: judgement.isFromMemory };
}

function judgementOn(found: KeyVerdict, asked: Asked, isFromMemory: boolean): Judgement {
  const { code, entry, limits } = found;
  if (code !== 'valid' || !entry)
    return { verdict: verdictOnKey(found, asked.resource), cached: undefined, isFromMemory };
  const cached = cachedVerdict(entry, asked);
  const verdict = limits.length === 0 ? cached.verdict : { ...cached.verdict, limits: [...limits] };
  return { verdict, cached, isFromMemory };
}

/** The check of a key. */
function askedOf(request: VerifyRequest): Asked {
  const { resource, ip, origin, cost, parameters = {} } = request;
  const needs = needed(request);
  const permissions = needs === undefined ? [] : permissionsIn(needs);
  return { needs, permissions, resource, ip, origin, cost, parameters };
}

function needed({ permission, permissions }: VerifyRequest): PermissionQuery | undefined {
  if (permission === undefined) return permissions;
  return permissions === undefined ? permission : { and: [permission, permissions] };
}

const reasons = {
  unknown: 'The access token is unknown or revoked.',
  expired: 'The access token has expired.',
  owner_disabled: 'The user or client that the token belongs to is disabled.',
  proof_required: 'This token is bound to a key: its method, url and DPoP proof are needed.',
  invalid_proof: 'The DPoP proof is not a fresh proof by the bound key for this request and token.',
  certificate_mismatch: 'This token is bound to another client certificate.',
};

const permittedToken = 'The token has this permission.';
const authenticToken = 'The token is authentic. The request names no permission, so none was checked.';

type Needed = AuthenticationNeed & {
  needs: PermissionQuery | undefined;
  resource: string | undefined;
  now: Date;
};

function verdictOnToken(verdict: TokenVerdict, { needs, resource, now, ...need }: Needed): Verdict {
  const said = { valid: false, credential: 'access_token' as const, limits: [] };
  if (verdict.code !== 'valid') return { ...said, code: verdict.code, reason: reasons[verdict.code] };
  const { bearer, audience, expires_at, authentication } = verdict;
  const whose = { subject: bearer.id, subject_kind: bearer.kind, client_id: bearer.client_id };
  const known = { ...said, ...whose, permissions: bearer.scopes, expires_at, ...authentication };
  if (audience !== (resource ?? null))
    return { ...known, code: 'resource_not_allowed', reason: whereItIsFor(audience, resource) };
  const missing = needs === undefined ? [] : missingFrom(needs, (one) => allows(bearer.scopes, one));
  if (missing.length > 0) {
    const named = missing.map((permission) => `"${permission}"`).join(', ');
    return { ...known, code: 'insufficient_permissions', reason: `The token does not have ${named}.`, missing };
  }
  const objection = authenticationObjection(need, authentication, now);
  if (objection) return { ...known, code: 'insufficient_user_authentication', reason: objection };
  return { ...known, valid: true, code: 'valid', reason: needs === undefined ? authenticToken : permittedToken };
}

/** A token for one API is accepted at no other, nor by a caller that does not name its API (RFC 9700 §2.3). */
function whereItIsFor(audience: string | null, resource: string | undefined): string {
  const what = audience === null ? 'The token has no audience' : `The token is for ${audience}`;
  return resource === undefined
    ? `${what}: name the API that was called as the resource.`
    : `${what}, not for ${resource}.`;
}
