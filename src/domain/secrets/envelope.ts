import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Sealed, type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';

/** A key that seals the keys of versions. */
export type Term = { term: number; key: KeyObject };

/** Where a version belongs. Its row opens nowhere else. */
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

/** @throws Error: the row was altered, or is not of this place */
export function openVersion(key: KeyObject, place: VersionPlace, version: SealedVersion): Buffer {
  const secret = unseal(key, keyPlace(place, version.term), version.sealed_key);
  const opened = createSecretKey(secret);
  secret.fill(0);
  return unseal(opened, valuePlace(place), version.sealed_value);
}

/** Seals the key of a version under another term's. The value stays as it is. @throws Error as `openVersion` */
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
