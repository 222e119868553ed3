import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { combine, split } from 'shamir-secret-sharing';
import { type Digest, digest } from '../../platform/crypto/index.ts';

/** A share: a version, the set that it belongs to, a share of Shamir's scheme (33 bytes, the last of which is its index), and a checksum. */
const version = 1;
const setBytes = 16;
const shareBytes = 33;
const envelopeBytes = 1 + setBytes + shareBytes + 4;

/** A parsed share. `place` is its x-coordinate, never 0: that is the secret itself. */
export type Share = { set_id: string; place: number; bytes: Uint8Array; digest: string };

/** Why a text is not a share. */
export type ShareProblem = 'malformed' | 'mistyped';

/** Splits a key of 32 bytes, so that any `threshold` of the shares restore it. @returns the shares as bytes */
export async function splitKey(
  key: Buffer,
  { set_id, shares, threshold }: { set_id: string; shares: number; threshold: number },
): Promise<Buffer[]> {
  // The library does not support a threshold of one: then each share is the key itself.
  const parts =
    threshold === 1
      ? Array.from({ length: shares }, (_, n) => Uint8Array.of(...key, n + 1))
      : await split(Uint8Array.from(key), shares, threshold);
  return parts.map((part) => wrapped(set_id, part));
}

/** The key of a set of shares; too few, or wrong ones, result in another one. */
async function combineShares(shares: readonly Share[], threshold: number): Promise<Buffer> {
  const [first] = shares;
  if (threshold === 1 && first) return Buffer.from(first.bytes.subarray(0, shareBytes - 1));
  const combined = await combine(shares.map(({ bytes }) => Uint8Array.from(bytes)));
  const key = Buffer.from(combined);
  combined.fill(0);
  return key;
}

/** The check value of a combined key. */
type Checked = { set_id: string; threshold: number; key_check: Digest };

/** The key of the shares, which are wiped; undefined: it is not that of their set. */
export async function keyOfShares(
  shares: readonly Share[],
  { set_id, threshold, key_check }: Checked,
): Promise<KeyObject | undefined> {
  const secret = await combineShares(shares, threshold);
  for (const { bytes } of shares) bytes.fill(0);
  const key = createSecretKey(secret);
  secret.fill(0);
  return isSameCheck(keyCheck(key, set_id), key_check) ? key : undefined;
}

function wrapped(set_id: string, part: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.of(version), Buffer.from(set_id.replaceAll('-', ''), 'hex'), part]);
  part.fill(0);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([body, checksum]);
}

/** Reads a share from hexadecimal or base64, as Vault's clients send it. */
export function readShare(text: string): Share | ShareProblem {
  const bytes = bytesOf(text.trim());
  if (bytes?.length !== envelopeBytes || bytes[0] !== version) return 'malformed';
  const body = bytes.subarray(0, envelopeBytes - 4);
  if (crc32(body) !== bytes.readUInt32BE(envelopeBytes - 4)) return 'mistyped';
  const part = body.subarray(1 + setBytes);
  const place = part.at(-1) ?? 0;
  if (place === 0) return 'malformed';
  const hex = body.subarray(1, 1 + setBytes).toString('hex');
  return {
    set_id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    place,
    bytes: Uint8Array.from(part),
    digest: shareDigest(bytes),
  };
}

function bytesOf(text: string): Buffer | undefined {
  if (/^[0-9a-f]+$/i.test(text) && text.length === 2 * envelopeBytes) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** The digest that identifies a share of the present set. A share is random, so its digest does not reveal it. */
export function shareDigest(share: Buffer): string {
  return digest(Buffer.concat([Buffer.from('latchkey share'), share])).toString('hex');
}

/** The digest that identifies a key: AES-GCM alone would let one ciphertext open under several keys. */
export function keyCheck(key: KeyObject, set_id: string): Digest {
  const exported = key.export();
  const checking = createSecretKey(Buffer.from(hkdfSync('sha256', exported, '', 'latchkey unseal key check', 32)));
  exported.fill(0);
  return createHmac('sha256', checking).update(set_id).digest() as Digest;
}

const isSameCheck = (one: Digest, other: Digest): boolean => one.length === other.length && timingSafeEqual(one, other);
