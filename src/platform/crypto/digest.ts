import { createHmac, hash, timingSafeEqual } from 'node:crypto';

declare const digestBrand: unique symbol;

/** What may be stored of a secret that is only compared: 32 bytes that open nothing. */
export type Digest = Buffer & { readonly [digestBrand]: true };

/** SHA-256 of a high-entropy secret (256 random bits need no salt). */
export function digest(secret: string | Buffer): Digest {
  return hash('sha256', secret, 'buffer') as Digest;
}

/** HMAC-SHA-256 under a server key: for secrets that people choose, and for values derived from a secret. */
export function keyedDigest(key: Buffer, secret: string | Buffer): Digest {
  return createHmac('sha256', key).update(secret).digest() as Digest;
}

/** Compares two digests in constant time. */
export function sameDigest(a: Digest, b: Digest): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
