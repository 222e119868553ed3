import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { importJWK, SignJWT } from 'jose';
import { type SigningKey, stateOf } from '../signing-keys/index.ts';
import type { ListContent } from './store.ts';

/** A signed list, and the validator of its content: equal on every node that says the same. */
export type StatusListToken = { jwt: string; etag: string };

/** How long verifiers may go on with what they fetched, in seconds: until then a token that was revoked may pass. */
export const ttlSeconds = 60;

// Who keeps a list away from a verifier gains no more than this; and for this long verifiers bridge an outage of Latchkey.
const lifetimeSeconds = 600;
const signedAnewSeconds = 30;
const alg = 'ES256';

/** One bit a place, the first place in the least significant bit of the first byte (draft-ietf-oauth-status-list §4.1, §4.2). */
export function encodeList({ size, refused }: ListContent): string {
  const bits = Buffer.alloc(Math.ceil(size / 8));
  for (const index of refused) bits.writeUInt8(bits.readUInt8(index >> 3) | (1 << (index & 7)), index >> 3);
  return deflateSync(bits, { level: 9 }).toString('base64url');
}

/** What a list would be signed as at a moment; `etag` says whether that differs from what already is. */
export type Draft = { uri: string; issuer: string; lst: string; key: SigningKey; now: Date; etag: string };

/**
 * The list as the key that signs now would sign it. Nodes agree on the validator, though each signs for itself: it covers the
 * content, the key, and which half minute it is, so that a copy that was confirmed is never near its end.
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
