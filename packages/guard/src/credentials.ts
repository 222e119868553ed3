import { decodeJwt } from 'jose';

export type Credential = { kind: 'key' | 'bearer' | 'dpop'; value: string };

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const keyShape = /^sk_[a-z0-9]+_/;
const opaqueToken = /^lk_at_/;
const longest = 16_384;

/**
 * The one credential of a request, from `X-API-Key` or `Authorization` (Bearer, DPoP, or a key as user name or password of
 * Basic, RFC 7617). Beside `X-API-Key` an `Authorization` header belongs to the application. Of several Latchkey credentials in
 * a request, a proxy in between could use another one than the guard.
 */
export function credentialIn(headers: Headers, issuer: string): Credential | 'several' | undefined {
  const keys = [headers['x-api-key'] ?? []].flat();
  const authorizations = [headers.authorization ?? []].flat();
  if (keys.length > 1 || authorizations.length > 1) return 'several';
  const [key = ''] = keys;
  const sent = inAuthorization(authorizations[0] ?? '');
  if (key === '') return sent;
  if (sent === 'several' || (sent && isLatchkeys(sent, issuer))) return 'several';
  return key.length <= longest ? { kind: 'key', value: key } : undefined;
}

function isLatchkeys({ kind, value }: Credential, issuer: string): boolean {
  if (kind === 'key' || opaqueToken.test(value)) return true;
  try {
    return decodeJwt(value).iss === issuer;
  } catch {
    // Not a JWT, so Latchkey did not issue it.
    return false;
  }
}

function inAuthorization(authorization: string): Credential | 'several' | undefined {
  const [, scheme = '', value = ''] = /^(bearer|dpop|basic) +(\S+)$/i.exec(authorization) ?? [];
  if (value === '' || value.length > longest) return undefined;
  if (scheme.toLowerCase() === 'basic') return keyInBasic(value);
  if (keyShape.test(value)) return { kind: 'key', value };
  return { kind: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', value };
}

function keyInBasic(encoded: string): Credential | 'several' | undefined {
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  const parts = [decoded.slice(0, colon), decoded.slice(colon + 1)];
  const [value, other] = new Set(parts.filter((part) => keyShape.test(part)));
  if (other !== undefined) return 'several';
  return value === undefined ? undefined : { kind: 'key', value };
}
