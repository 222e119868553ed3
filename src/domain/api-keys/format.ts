import { generateCredential, parseCredential, secretLength } from '../../platform/crypto/index.ts';

/** The name of an environment, as in the prefix of its keys. */
export const environmentShape = /^[a-z][a-z0-9]{0,15}$/;

const shape = /^sk_([a-z][a-z0-9]{0,15})_[0-9A-Za-z]{49}$/;
const shownOfSecret = 4;

/** A new key: `sk_` + environment + `_` + 256 random bits in base62 + 6 characters of CRC-32 (DESIGN.md §6). */
export const generateKey = (environment: string): string => generateCredential(`sk_${environment}_`);

/** Whether the text starts as a key does, well-formed or not. */
export const looksLikeKey = (text: string): boolean => text.startsWith('sk_');

/** The environment of a well-formed key; undefined for anything else, which is refused without a query. */
export function environmentOf(key: string): string | undefined {
  const environment = shape.exec(key)?.[1];
  if (environment === undefined) return undefined;
  return parseCredential(`sk_${environment}_`, secretLength, key) === undefined ? undefined : environment;
}

/** The part of the beginning of a key that is stored. */
export function keptStart(beginning: string): string {
  return beginning.indexOf('_', 3) < 0 ? beginning : shownOf(beginning).start;
}

/** The parts of a key that may be shown later, to recognize it in a log: its start and its last four characters. */
export function shownOf(key: string): { start: string; last_four: string } {
  const prefixLength = key.indexOf('_', 3) + 1;
  return { start: key.slice(0, prefixLength + shownOfSecret), last_four: key.slice(-4) };
}
