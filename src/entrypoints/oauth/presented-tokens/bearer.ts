import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { calculateJwkThumbprint, createLocalJWKSet, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose';
import type { SigningKey } from '../../../domain/signing-keys/index.ts';
import { isAccessToken } from '../../../domain/tokens/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import { Problem } from '../../../platform/http/index.ts';
import { certificateThumbprint, type MutualTlsDeps } from '../provider/mutual-tls.ts';
import {
  type AccessTokenRecord,
  effectiveScopes,
  type Reader,
  readAccessToken,
  readJwtAccessToken,
} from '../store/index.ts';

/** A request with an access token: Koa's context is one. */
export type BearerRequest = { method: string; path: string; headers: IncomingHttpHeaders };

/** The subject and the scopes of a token. */
export type Bearer = {
  kind: 'user' | 'client';
  /** A user's id, or the `client_id` of a client that acts for itself. */
  id: string;
  /** The id in `subjects`, to which roles are assigned. */
  subject_id: string;
  client_id: string;
  /** The API key that the token was exchanged for, or that was sent instead of one. */
  api_key: { id: string; number: number } | null;
  /** The key itself was sent, not a token. */
  isKey?: boolean;
  scopes: string[];
};

export type BearerDeps = MutualTlsDeps & {
  reader: Reader;
  issuer: string;
  now: () => Date;
  signingKeys: () => readonly SigningKey[];
  /** Records a proof's id until the proof is too old; false: it was used before. */
  isFirstUse: (issuer: string, jti: string, expiresAtSeconds: number) => Promise<boolean>;
};

const proofWindowSeconds = 60;
const proofAlgs = ['ES256', 'EdDSA', 'Ed25519'];

/**
 * The bearer of the access token in `Authorization` for a resource of ours, sender constraints checked (RFC 6750 §2.1,
 * RFC 9449 §7, RFC 8705 §3). One read of the database.
 *
 * @throws Problem 401 with a challenge (RFC 6750 §3): there is no token, or it is not active, or for another audience, or bound to another
 *   key
 */
export async function bearerOf(deps: BearerDeps, request: BearerRequest, audience: string): Promise<Bearer> {
  const [, scheme = '', token = ''] = /^(bearer|dpop) +([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (!token) throw refused('Send an access token in the Authorization header.');
  const record = await findToken(deps, token);
  if (!record || !isAlive(record, deps.now()))
    throw refused('The access token is unknown, has expired or was revoked.', 'invalid_token');
  if (record.audience !== audience)
    throw refused(`The access token is not for ${audience}: ask for one with this "resource".`, 'invalid_token');
  await checkSender(deps, request, { scheme, token, record });
  // The caller checks the roles of the subject, so that a refusal can say whether roles or scopes are missing.
  return bearerIn(record, effectiveScopes(record, { but: 'roles' }));
}

/** The owner of the token, with its scopes. */
export function bearerIn(
  { client, user_id, api_key_id: id, api_key_version }: AccessTokenRecord,
  scopes: string[],
): Bearer {
  const whose = user_id
    ? { kind: 'user' as const, id: user_id, subject_id: user_id }
    : { kind: 'client' as const, id: client.client_id, subject_id: client.id };
  const api_key = id === null ? null : { id, number: api_key_version ?? 0 };
  return { ...whose, client_id: client.client_id, api_key, scopes };
}

/** Whether an active token has not expired, and its user is enabled. */
export function isAlive({ expires_at, user_id, person }: AccessTokenRecord, now: Date): boolean {
  return expires_at > now && (!user_id || person !== null);
}

/** An access token that is not revoked, opaque or JWT, by its value; it may have expired. */
export async function findToken(deps: BearerDeps, token: string): Promise<AccessTokenRecord | undefined> {
  type Row = AccessTokenRecord & Record<string, unknown>;
  if (isAccessToken(token)) return deps.reader.find<Row>(readAccessToken, digest(token));
  const jti = await verifiedId(token, deps.issuer, deps.signingKeys());
  return jti === undefined ? undefined : deps.reader.find<Row>(readJwtAccessToken, jti);
}

/** The `jti` of a JWT access token of ours. Only the signature is checked here; its row says whether the token is active. */
export async function verifiedId(
  token: string,
  issuer: string,
  keys: readonly SigningKey[],
): Promise<string | undefined> {
  const jwks = createLocalJWKSet({ keys: keys.map(({ public_jwk }) => public_jwk) });
  try {
    const { payload } = await jwtVerify(token, jwks, { issuer, typ: 'at+jwt', currentDate: new Date(0) });
    return payload.jti;
  } catch {
    // For any error the caller learns only that it is not active (RFC 7662 §2.2).
    return undefined;
  }
}

type Presented = { scheme: string; token: string; record: AccessTokenRecord };

async function checkSender(
  deps: BearerDeps,
  presenting: BearerRequest,
  { scheme, token, record }: Presented,
): Promise<void> {
  const { jkt, 'x5t#S256': certificate } = record.payload;
  const isDpop = scheme.toLowerCase() === 'dpop';
  if (isDpop !== (jkt !== undefined))
    throw refused(
      isDpop ? 'This token is a Bearer token.' : 'This token is bound to a key: use the DPoP scheme with a proof.',
      'invalid_token',
    );
  const { method, path, headers } = presenting;
  const request = { method, url: `${deps.issuer}${path}`, proof: String(headers.dpop ?? '') };
  if (typeof jkt === 'string' && !(await isProven(deps, { ...request, token, jkt })))
    throw refused('Send a fresh DPoP proof for this request.', 'invalid_dpop_proof', 'DPoP');
  if (certificate !== undefined && certificateThumbprint(deps, presenting) !== certificate)
    throw refused('This token is bound to another client certificate.', 'invalid_token');
}

/** A request with a token that is bound to a key, and the proof of possession. `url` is used without its query. */
export type ProvenRequest = { method: string; url: string; proof: string; token: string; jkt: string };

/** Whether the proof is of this key, fresh, for this request and this token, and not used before (RFC 9449 §4.3, §7.1). */
export async function isProven(deps: BearerDeps, request: ProvenRequest): Promise<boolean> {
  const payload = await verifiedProof(request.proof, request.jkt);
  if (!payload || !isForThis(deps, request, payload)) return false;
  return deps.isFirstUse(`dpop ${request.jkt}`, payload.jti ?? '', (payload.iat ?? 0) + 2 * proofWindowSeconds);
}

async function verifiedProof(proof: string, jkt: string): Promise<JWTPayload | undefined> {
  try {
    const options = { typ: 'dpop+jwt', algorithms: proofAlgs };
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, options);
    const isKey = protectedHeader.jwk !== undefined && (await calculateJwkThumbprint(protectedHeader.jwk)) === jkt;
    return isKey ? payload : undefined;
  } catch {
    // An invalid proof is treated as none.
    return undefined;
  }
}

function isForThis({ now }: BearerDeps, { method, url, token }: ProvenRequest, payload: JWTPayload): boolean {
  const { htm, htu, ath, iat = 0, jti } = payload;
  const isFresh = Math.abs(now().getTime() / 1000 - iat) <= proofWindowSeconds;
  const isHere = typeof htu === 'string' && withoutQuery(htu) !== undefined && withoutQuery(htu) === withoutQuery(url);
  const isToken = ath === createHash('sha256').update(token).digest('base64url');
  return isFresh && isHere && isToken && htm === method && typeof jti === 'string' && jti.length <= 256;
}

function withoutQuery(url: string): string | undefined {
  const address = URL.parse(url);
  return address === null ? undefined : `${address.origin}${address.pathname}`;
}

function refused(detail: string, error?: string, scheme = 'Bearer'): Problem {
  const said = error ? ` error="${error}", error_description="${detail.replaceAll('"', "'")}"` : ' realm="latchkey"';
  const headers = { 'WWW-Authenticate': `${scheme}${said}` };
  return new Problem(401, error ?? 'unauthenticated', { title: 'Not authenticated', detail, headers });
}
