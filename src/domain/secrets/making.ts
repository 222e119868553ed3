import type { KeyObject } from 'node:crypto';
import type { Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { makeRoot } from './seal-keys.ts';
import { findSeal, insertSeal, insertTerm, type SealRow } from './seal-store.ts';

export type NewVault = Pick<SealRow, 'kind'> &
  Partial<Pick<SealRow, 'generation' | 'key_check' | 'set_id' | 'shares' | 'threshold'>> & {
    /** The key that seals the root key of the vault. */
    sealingKey: KeyObject;
    created_at: Date;
    share_digests?: string;
  };

/** Creates the keys of a vault: its root key under the sealing key, and the first term. Recorded in the same transaction. */
export async function makeVault(
  trx: Trx,
  actor: Actor,
  { sealingKey, created_at, ...row }: NewVault,
): Promise<SealRow> {
  const { sealed_root, sealed_term } = makeRoot(sealingKey, row.kind);
  await insertSeal(trx, { ...row, sealed_root, created_at, updated_at: created_at });
  await insertTerm(trx, { term: 1, sealed_key: sealed_term, created_at });
  const target = { kind: 'vault', id: row.kind };
  await appendEvent(trx, { actor, action: 'vault.initialized', target, occurred_at: created_at });
  const made = await findSeal(trx);
  if (!made) throw new Error('the vault was not made');
  return made;
}
