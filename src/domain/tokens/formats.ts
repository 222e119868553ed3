import type { KeyObject } from 'node:crypto';
import {
  base62,
  type Digest,
  digest,
  formatCredential,
  generateCredential,
  keyedDigest,
  parseCredential,
  pooledRandomBytes,
  secretBytes,
  secretLength,
} from '../../platform/crypto/index.ts';

const prefixes = { access: 'lk_at_', refresh: 'lk_rt_', code: 'lk_ac_' };
const handleBytes = 16;
const handleLength = 22;

/** A new opaque access token (`lk_at_…`). */
export const generateAccessToken = (): string => generateCredential(prefixes.access);

/** A new authorization code (`lk_ac_…`). */
export const generateCode = (): string => generateCredential(prefixes.code);

/** Whether the text is a well-formed access token; garbage is refused without a query. */
export const isAccessToken = (value: string): boolean =>
  parseCredential(prefixes.access, secretLength, value) !== undefined;

/** Whether the text is a well-formed authorization code. */
export const isCode = (value: string): boolean => parseCredential(prefixes.code, secretLength, value) !== undefined;

/** The first refresh token of a family: `lk_rt_` + handle of the family + 256 random bits. */
export function generateRefreshToken(): string {
  return formatCredential(
    prefixes.refresh,
    base62(pooledRandomBytes(handleBytes), handleLength) + base62(pooledRandomBytes(secretBytes), secretLength),
  );
}

/** The handle of a refresh token's family, from a token of any generation; undefined for malformed tokens. */
export function familyHandle(refreshToken: string): Digest | undefined {
  const body = parseCredential(prefixes.refresh, handleLength + secretLength, refreshToken);
  return body === undefined ? undefined : digest(body.slice(0, handleLength));
}

/**
 * The successor of a refresh token: same handle, secret derived from the presented one with the key that its row names.
 * Deriving it again gives the same token, so a client that lost the response gets it again, and nothing readable is stored.
 */
export function deriveSuccessor(refreshToken: string, key: KeyObject): string {
  const handle = refreshToken.slice(prefixes.refresh.length, prefixes.refresh.length + handleLength);
  return formatCredential(prefixes.refresh, handle + base62(keyedDigest(key, refreshToken), secretLength));
}
