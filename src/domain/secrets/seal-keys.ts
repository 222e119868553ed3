import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import type { SealKind } from '../../../db/schema.ts';
import { type Sealed, type SealedPlace, seal } from '../../platform/crypto/index.ts';

const keyBytes = 32;

export const rootPlace = (kind: SealKind): SealedPlace => ['vault_seal', 'sealed_root', kind];
export const termPlace = (term: number): SealedPlace => ['vault_terms', 'sealed_key', String(term)];

/** The key of a static seal, derived from the root key of the installation. */
export function staticKey(rootKey: KeyObject): KeyObject {
  const derived = Buffer.from(hkdfSync('sha256', rootKey.export(), '', 'latchkey static seal of the vault', keyBytes));
  const key = createSecretKey(derived);
  derived.fill(0);
  return key;
}

/** The key of a new term, sealed. */
export function makeTerm(root: KeyObject, term: number): Sealed {
  const key = randomBytes(keyBytes);
  const sealed = seal(root, termPlace(term), key);
  key.fill(0);
  return sealed;
}

/** A new root key of a vault, and the key of its first term, both sealed. */
export function makeRoot(sealingKey: KeyObject, kind: SealKind): { sealed_root: Sealed; sealed_term: Sealed } {
  const root = randomBytes(keyBytes);
  const sealed_root = seal(sealingKey, rootPlace(kind), root);
  const sealed_term = makeTerm(createSecretKey(root), 1);
  root.fill(0);
  return { sealed_root, sealed_term };
}
