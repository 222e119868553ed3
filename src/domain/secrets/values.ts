import type { KeyObject } from 'node:crypto';
import { keyedDigest } from '../../platform/crypto/index.ts';
import { invalid, isPrintable } from '../../platform/http/index.ts';

/** A secret's value: named parts of any JSON. */
export type SecretData = Record<string, unknown>;

const mostBytes = 1024 * 1024;
const mostRecorded = 50;
const digestBytes = 16;

const mostLevels = 100;

/**
 * @throws Problem `invalid`: it is larger than 1 MiB, its parts are nested too deeply, the name of a part cannot be recorded, or a number
 *   cannot be stored exactly
 */
export function encoded(data: SecretData): Buffer {
  // Events name the parts: what PostgreSQL refuses in JSON would fail the write.
  if (!Object.keys(data).every(isPrintable))
    throw invalid('/data', 'must have names of parts without control characters');
  mustStayAsItIs(data);
  const value = Buffer.from(JSON.stringify(data));
  if (value.length > mostBytes) throw invalid('/data', 'must have at most 1 MiB as JSON');
  return value;
}

/** Level by level, since recursion would exhaust the stack. @throws Problem `invalid` */
function mustStayAsItIs(data: SecretData): void {
  let level: unknown[] = [data];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > mostLevels) throw invalid('/data', `must have at most ${mostLevels} levels`);
    if (level.some(isInexact))
      throw invalid('/data', 'has a number that cannot be stored exactly: send it as a string');
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

/** Of an integer beyond these bounds, the parser of JSON has changed the last digits; or it is infinite. */
const isInexact = (value: unknown) =>
  typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)));

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
