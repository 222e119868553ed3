import { type AccessTokenRecord, effectiveScopes } from '../store/index.ts';
import { type Bearer, type BearerDeps, bearerIn, findToken, isAlive, isProven } from './bearer.ts';

/** An access token that was presented to an API, with the data of the request. */
export type PresentedToken = {
  token: string;
  method?: string | undefined;
  /** The URL of the API, as the client called it. */
  url?: string | undefined;
  /** The DPoP proof of the request. */
  proof?: string | undefined;
  /** SHA-256 of the client's certificate, base64url (RFC 8705 §3.1). */
  certificate_thumbprint?: string | undefined;
};

/** How and when the user of a token authenticated; empty for a token without an authenticated user. */
export type TokenAuthentication = { acr?: string; auth_time?: number };

export type TokenVerdict =
  | {
      code: 'valid';
      bearer: Bearer;
      audience: string | null;
      expires_at: Date;
      authentication: TokenAuthentication;
      /** The other claims. */
      payload: Record<string, unknown>;
    }
  | { code: 'unknown' | 'expired' | 'owner_disabled' | 'proof_required' | 'invalid_proof' | 'certificate_mismatch' };

/** Verifies an access token on behalf of an API: whether it is active, and bound to its sender. One read. */
export async function judgeToken(deps: BearerDeps, shown: PresentedToken): Promise<TokenVerdict> {
  const record = await findToken(deps, shown.token);
  if (!record) return { code: 'unknown' };
  if (!isAlive(record, deps.now())) return { code: record.expires_at > deps.now() ? 'owner_disabled' : 'expired' };
  const objection = await senderObjection(deps, shown, record);
  if (objection) return { code: objection };
  const bearer = bearerIn(record, effectiveScopes(record));
  const { audience, expires_at, payload } = record;
  return { code: 'valid', bearer, audience, expires_at, payload, authentication: authenticationIn(record) };
}

/** Stored when the token was issued (authentication-claims.ts). */
function authenticationIn({ payload }: AccessTokenRecord): TokenAuthentication {
  const { acr, auth_time } = (payload.extra ?? {}) as Record<string, unknown>;
  return { ...(typeof acr === 'string' && { acr }), ...(typeof auth_time === 'number' && { auth_time }) };
}

async function senderObjection(deps: BearerDeps, shown: PresentedToken, { payload }: AccessTokenRecord) {
  const { jkt, 'x5t#S256': certificate } = payload;
  if (certificate !== undefined && certificate !== shown.certificate_thumbprint) return 'certificate_mismatch' as const;
  const { token, method, url, proof } = shown;
  // RFC 9449 §7.1: a proof means nothing for a token that is bound to no key.
  if (typeof jkt !== 'string') return proof === undefined ? undefined : ('invalid_proof' as const);
  if (method === undefined || url === undefined || proof === undefined) return 'proof_required' as const;
  return (await isProven(deps, { method, url, proof, token, jkt })) ? undefined : ('invalid_proof' as const);
}
