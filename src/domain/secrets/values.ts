import type { KeyObject } from 'node:crypto';
import { keyedDigest } from '../../platform/crypto/index.ts';
import { invalid } from '../../platform/http/index.ts';

/** A secret's value: named parts of any JSON. */
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
 * The audit log's record of a value: an HMAC of each part, under a key of this installation. Anyone with a value can find the secrets that
 * had it; no one can learn the value.
 */
export function digestsOf(key: KeyObject, data: SecretData): Record<string, string> {
  const parts = Object.entries(data).slice(0, mostRecorded);
  return Object.fromEntries(parts.map(([name, part]) => [name, digestOf(key, part)]));
}

/** @param part a text unchanged, any other value as JSON */
export function digestOf(key: KeyObject, part: unknown): string {
  const text = typeof part === 'string' ? part : JSON.stringify(part);
  return keyedDigest(key, text).subarray(0, digestBytes).toString('base64url');
}
