import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Sealed, type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';

/** A key that seals the keys of versions. */
export type Term = { term: number; key: KeyObject };

/** The row of a version. The value can be opened only there. */
export type VersionPlace = { secret_id: string; path: string; number: number };

export type SealedVersion = { term: number; sealed_key: Sealed; sealed_value: Sealed };

const keyBytes = 32;

/** Seals a value under a key of its own, and that key under the term's (AES-256-GCM). Without the sealed key the value is lost. */
export function sealVersion({ term, key }: Term, place: VersionPlace, value: Buffer): SealedVersion {
  const secret = randomBytes(keyBytes);
  const sealed_value = seal(createSecretKey(secret), valuePlace(place), value);
  const sealed_key = seal(key, keyPlace(place, term), secret);
  secret.fill(0);
  return { term, sealed_key, sealed_value };
}

/** Keys of versions that were opened, each found by its place and its sealed form: a changed or moved row finds none. */
export type OpenedKeys = LRUCache<string, KeyObject>;

const mostOpenedKeys = 1000;
// The key of a version that was destroyed meanwhile is removed from memory, too.
const keptMs = 300_000;

export const noOpenedKeys = (): OpenedKeys => new LRUCache({ max: mostOpenedKeys, ttl: keptMs });

/** A term's key, and the keys of versions that it has opened. */
export type OpeningKeys = { key: KeyObject; opened: OpenedKeys };

/** @throws Error: the row was changed, or belongs to another place */
export function openVersion(keys: OpeningKeys, place: VersionPlace, version: SealedVersion): Buffer {
  return unseal(keyOfVersion(keys, place, version), valuePlace(place), version.sealed_value);
}

function keyOfVersion({ key, opened }: OpeningKeys, place: VersionPlace, version: SealedVersion): KeyObject {
  const name = `${rowOf(place)}#${version.term}#${version.sealed_key.toString('latin1')}`;
  const known = opened.get(name);
  if (known) return known;
  const secret = unseal(key, keyPlace(place, version.term), version.sealed_key);
  const made = createSecretKey(secret);
  secret.fill(0);
  opened.set(name, made);
  return made;
}

/** Seals the key of a version under another term's. The value is unchanged. @throws Error as `openVersion` */
export function rewrapKey(
  { from, to }: { from: Term; to: Term },
  place: VersionPlace,
  sealed_key: Sealed,
): Pick<SealedVersion, 'term' | 'sealed_key'> {
  const secret = unseal(from.key, keyPlace(place, from.term), sealed_key);
  const rewrapped = seal(to.key, keyPlace(place, to.term), secret);
  secret.fill(0);
  return { term: to.term, sealed_key: rewrapped };
}

const rowOf = ({ secret_id, path, number }: VersionPlace) => `${secret_id}/${path}@${number}`;
const valuePlace = (place: VersionPlace): SealedPlace => ['secret_versions', 'sealed_value', rowOf(place)];
const keyPlace = (place: VersionPlace, term: number): SealedPlace => [
  'secret_versions',
  'sealed_key',
  `${rowOf(place)}#${term}`,
];
