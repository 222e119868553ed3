import type { KeyObject } from 'node:crypto';
import { keyedDigest } from '../../platform/crypto/index.ts';
import { invalid } from '../../platform/http/index.ts';

/** A secret's value: named parts, of whatever JSON is. */
export type SecretData = Record<string, unknown>;

const mostBytes = 1024 * 1024;
const mostRecorded = 50;
const digestBytes = 16;

/** @throws Problem `invalid`: it is larger than 1 MiB */
export function encoded(data: SecretData): Buffer {
  const value = Buffer.from(JSON.stringify(data));
  if (value.length > mostBytes) throw invalid('/data', 'must have at most 1 MiB as JSON');
  return value;
}

export function decoded(value: Buffer): SecretData {
  return JSON.parse(value.toString()) as SecretData;
}

/**
 * What the audit log stores of a value: an HMAC of each part, under a key of this installation. Anyone who finds a value can ask
 * which secrets had it; nobody learns the value.
 */
export function digestsOf(key: KeyObject, data: SecretData): Record<string, string> {
  const parts = Object.entries(data).slice(0, mostRecorded);
  return Object.fromEntries(parts.map(([name, part]) => [name, digestOf(key, part)]));
}

/** @param part a text as it is, anything else as JSON */
export function digestOf(key: KeyObject, part: unknown): string {
  const text = typeof part === 'string' ? part : JSON.stringify(part);
  return keyedDigest(key, text).subarray(0, digestBytes).toString('base64url');
}
