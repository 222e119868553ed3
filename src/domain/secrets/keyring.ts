import { createSecretKey, type KeyObject } from 'node:crypto';
import { unseal } from '../../platform/crypto/index.ts';
import type { Db } from '../../platform/database/index.ts';
import { Problem } from '../../platform/http/index.ts';
import { noOpenedKeys, type OpenedKeys, type Term } from './envelope.ts';
import { rootPlace, termPlace } from './seal-keys.ts';
import { listTerms, type SealRow } from './seal-store.ts';

/** The keys of an open vault, and the generation of the seal that they were opened in. */
export type Keyring = {
  generation: string;
  /** Opens the keys of the terms. */
  root: KeyObject;
  current: Term;
  terms: ReadonlyMap<number, KeyObject>;
  /** Erased with the keyring, when the vault is sealed. */
  opened: OpenedKeys;
};

/** The root key of the vault, opened with the key that seals it. */
export function openRoot(
  sealingKey: KeyObject,
  { kind, sealed_root }: Pick<SealRow, 'kind' | 'sealed_root'>,
): KeyObject {
  return keyFrom(unseal(sealingKey, rootPlace(kind), sealed_root));
}

/** The keys of the terms, opened with the root key of the vault. */
export async function openKeyring(
  db: Db,
  root: KeyObject,
  { generation }: Pick<SealRow, 'generation'>,
): Promise<Keyring> {
  const terms = (await listTerms(db)).map(({ term, sealed_key }) => ({
    term,
    key: keyFrom(unseal(root, termPlace(term), sealed_key)),
  }));
  const current = terms.at(-1);
  if (!current) throw new Error('the vault has no term');
  const opened = noOpenedKeys();
  return { generation, root, current, terms: new Map(terms.map(({ term, key }) => [term, key])), opened };
}

/** A key outside of the heap; its bytes are wiped once it is no longer used. */
function keyFrom(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Secrets cannot be read or written while the vault is sealed. */
export function sealed(): Problem {
  const detail = 'The secrets are sealed. Unseal them with: latchkey vault unseal';
  return new Problem(503, 'sealed', { title: 'Sealed', detail, headers: { 'Retry-After': '10' } });
}

/** A vault that is sealed already needs nothing more. @throws any other error */
export function ignoreSealed(error: unknown): void {
  if (!(error instanceof Problem && error.type === 'sealed')) throw error;
}
