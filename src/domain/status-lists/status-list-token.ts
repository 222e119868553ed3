import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { importJWK, SignJWT } from 'jose';
import { type SigningKey, stateOf } from '../signing-keys/index.ts';
import type { ListContent } from './store.ts';

/** A signed list, and the validator of its content, which is the same on every node with the same content. */
export type StatusListToken = { jwt: string; etag: string };

/** How long verifiers may use a fetched list, in seconds: until then they may accept a revoked token. */
export const ttlSeconds = 60;

// An attacker who keeps lists from a verifier gains at most this time; verifiers also bridge an outage of Latchkey for this long.
const lifetimeSeconds = 600;
const signedAnewSeconds = 30;
const alg = 'ES256';

/** One bit per token, the first one in the least significant bit of the first byte (draft-ietf-oauth-status-list §4.1, §4.2). */
export function encodeList({ size, refused }: ListContent): string {
  const bits = Buffer.alloc(Math.ceil(size / 8));
  for (const index of refused) bits.writeUInt8(bits.readUInt8(index >> 3) | (1 << (index & 7)), index >> 3);
  return deflateSync(bits, { level: 9 }).toString('base64url');
}

/** The content of a list to sign; `etag` shows whether it differs from the present one. */
export type Draft = { uri: string; issuer: string; lst: string; key: SigningKey; now: Date; etag: string };

/**
 * Prepares the list for the active key. Nodes agree on the validator although each signs its own copy: it covers the content, the key
 * and the present half minute, so that a revalidated copy is never close to its expiry.
 */
export function draftStatusList(
  { uri, issuer, now }: Pick<Draft, 'uri' | 'issuer' | 'now'>,
  content: ListContent,
  keys: readonly SigningKey[],
): Draft {
  const key = keys.find((each) => each.alg === alg && stateOf(each, keys, now) === 'active');
  if (!key) throw new Error(`no ${alg} key signs`);
  const lst = encodeList(content);
  const halfMinute = Math.floor(now.getTime() / (signedAnewSeconds * 1000));
  const digest = createHash('sha256').update(`${uri} ${key.kid} ${halfMinute} ${lst}`).digest('base64url');
  return { uri, issuer, lst, key, now, etag: `W/"${digest}"` };
}

/** Signs a list (draft-ietf-oauth-status-list §5.1). */
export async function signStatusList({ uri, issuer, lst, key, now, etag }: Draft): Promise<StatusListToken> {
  const iat = Math.floor(now.getTime() / 1000);
  const jwt = await new SignJWT({ ttl: ttlSeconds, status_list: { bits: 1, lst } })
    .setProtectedHeader({ alg, kid: key.kid, typ: 'statuslist+jwt' })
    .setIssuer(issuer)
    .setSubject(uri)
    .setIssuedAt(iat)
    .setExpirationTime(iat + lifetimeSeconds)
    .sign(await importJWK(key.private_jwk, alg));
  return { jwt, etag };
}
