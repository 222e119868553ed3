import { decodeJwt } from 'jose';
import { looksLikeKey } from '../../domain/api-keys/index.ts';
import { isAccessToken } from '../../domain/tokens/index.ts';
import { Problem, timesSent } from '../../platform/http/index.ts';
import type { HeaderSource } from './gateway-request.ts';

/** A credential that was sent instead of a name and password. */
export type Credential = { key: string } | { token: string; scheme: 'bearer' | 'dpop' };

/**
 * The credential of a caller of Latchkey itself, from `X-API-Key` or `Authorization`; undefined: there is none.
 *
 * @throws Problem 400: there are several, of which two parties on the path could each read a different one
 */
export function callerCredentialOf(source: HeaderSource): Credential | undefined {
  const key = single(source, 'x-api-key');
  const authorization = single(source, 'authorization');
  if (key !== undefined && authorization !== undefined) throw ambiguous('Send X-API-Key or Authorization, not both.');
  if (key !== undefined) return key === '' ? undefined : { key };
  return authorization === undefined ? undefined : tokenIn(authorization);
}

/**
 * The credential of a request to an API, from `X-API-Key` or `Authorization` (Bearer, DPoP, or a key as user name or password of Basic, RFC
 * 7617); undefined: there is none. Beside `X-API-Key` an `Authorization` header belongs to the application.
 *
 * @throws Problem 400: there are two credentials of Latchkey's, of which two parties on the path could each read a different one
 */
export function credentialOf(source: HeaderSource, issuer: string): Credential | undefined {
  const key = single(source, 'x-api-key') || undefined;
  const authorization = single(source, 'authorization');
  const sent = authorization === undefined ? undefined : (tokenIn(authorization) ?? keyInBasic(authorization));
  if (key === undefined) return sent;
  if (sent && isLatchkeys(sent, issuer))
    throw ambiguous('Send one API key or access token, in X-API-Key or in Authorization.');
  return { key };
}

function isLatchkeys(credential: Credential, issuer: string): boolean {
  if ('key' in credential || isAccessToken(credential.token)) return true;
  try {
    return decodeJwt(credential.token).iss === issuer;
  } catch {
    // Not a JWT, so Latchkey did not issue it.
    return false;
  }
}

function keyInBasic(authorization: string): Credential | undefined {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  const [key, other] = new Set([decoded.slice(0, colon), decoded.slice(colon + 1)].filter(looksLikeKey));
  if (other !== undefined) throw ambiguous('Send one API key, as the user name or as the password.');
  return key === undefined ? undefined : { key };
}

function tokenIn(authorization: string): Credential | undefined {
  const [, scheme = '', token = ''] = /^(bearer|dpop) +(\S+)$/i.exec(authorization) ?? [];
  if (token === '') return undefined;
  if (looksLikeKey(token)) return { key: token };
  return { token, scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer' };
}

/**
 * A header that was sent at most once.
 *
 * @throws Problem 400
 */
export function single({ req: { headers, rawHeaders } }: HeaderSource, name: string): string | undefined {
  // Headers of untrusted proxies are removed from `headers`.
  const value = headers[name];
  if (value === undefined) return undefined;
  if (timesSent(rawHeaders, name) > 1) throw ambiguous(`Send one ${name} header.`);
  return String(value);
}

/** Two values that should be one. */
export function ambiguous(detail: string): Problem {
  return new Problem(400, 'invalid_request', { title: 'Invalid request', detail });
}
