import { crc32 } from 'node:zlib';
import { pooledRandomBytes } from './random.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const checksumLength = 6;

/** 256 bits in base62: 43 characters. */
export const secretLength = 43;
export const secretBytes = 32;

/**
 * Makes an opaque credential: prefix + 43 base62 characters (256 random bits) + 6 of CRC-32, so that scanners find leaks
 * and garbage is refused without a query (DESIGN.md §6).
 */
export function generateCredential(prefix: string): string {
  return formatCredential(prefix, base62(pooledRandomBytes(secretBytes), secretLength));
}

/** Puts prefix, body and checksum together. */
export function formatCredential(prefix: string, body: string): string {
  return `${prefix}${body}${checksum(prefix + body)}`;
}

/** The body of a well-formed credential of this prefix and body length; undefined for anything else. */
export function parseCredential(prefix: string, bodyLength: number, value: string): string | undefined {
  if (value.length !== prefix.length + bodyLength + checksumLength || !value.startsWith(prefix)) return undefined;
  const body = value.slice(prefix.length, prefix.length + bodyLength);
  return value.endsWith(checksum(prefix + body)) ? body : undefined;
}

/** Bytes as a fixed-length base62 number. */
export function base62(bytes: Buffer, length: number): string {
  let number = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  // Eight digits at a time: one big division instead of eight.
  while (number > 0n) {
    text = small(Number(number % base62ToTheEighth), 8) + text;
    number /= base62ToTheEighth;
  }
  return text.slice(-length).padStart(length, '0');
}

const base62ToTheEighth = 62n ** 8n;

function checksum(text: string): string {
  return small(crc32(text), checksumLength);
}

function small(value: number, length: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < length; i += 1) {
    text = `${alphabet.charAt(rest % 62)}${text}`;
    rest = Math.floor(rest / 62);
  }
  return text;
}
