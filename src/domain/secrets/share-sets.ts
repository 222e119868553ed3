import type { Digest, Sealed } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { SealRow } from './seal-store.ts';

/** A set of shares, and the root key of the vault that they open. */
export type ShareSet = {
  set_id: string;
  shares: number;
  threshold: number;
  key_check: Digest;
  /** SHA-256 of each share, in hexadecimal. */
  share_digests: string[];
  sealed_root: Sealed;
};

/** The sets that open the vault, the newest first: until new shares have opened it, the replaced ones do so, too. */
export async function listShareSets(db: Db, row: SealRow | undefined): Promise<ShareSet[]> {
  const present = row && presentSet(row);
  if (!present) return [];
  const next = await db
    .selectFrom('vault_next_shares')
    .select(['set_id', 'shares', 'threshold', 'key_check', 'share_digests', 'sealed_root'])
    .where('replaces', '=', present.set_id)
    .executeTakeFirst();
  return [...(next ? [next] : []), present];
}

function presentSet(row: SealRow): ShareSet | undefined {
  const { set_id, shares, threshold, key_check, share_digests, sealed_root } = row;
  if (set_id === null || shares === null || threshold === null || !key_check || !share_digests) return undefined;
  return { set_id, shares, threshold, key_check, share_digests, sealed_root };
}

/** Makes a set the only one that opens the vault. Open nodes stay open. */
export async function setShares(trx: Trx, set: ShareSet, updated_at: Date): Promise<void> {
  await trx
    .updateTable('vault_seal')
    .set({ ...written(set), updated_at })
    .execute();
  await trx.deleteFrom('vault_next_shares').execute();
}

/** Adds a set that can open the vault in addition to the current one. It replaces any other new set. */
export async function setNextShares(
  trx: Trx,
  set: ShareSet,
  more: { replaces: string; created_at: Date },
): Promise<void> {
  await trx.deleteFrom('vault_next_shares').execute();
  await trx
    .insertInto('vault_next_shares')
    .values({ ...written(set), ...more })
    .execute();
}

const written = ({ set_id, shares, threshold, key_check, share_digests, sealed_root }: ShareSet) => ({
  ...{ set_id, shares, threshold, key_check, sealed_root },
  share_digests: JSON.stringify(share_digests),
});

/**
 * Checks given shares, under the lock of the seal: a new set that was confirmed replaces the present one.
 *
 * @returns whether it did; undefined: the set does not open the vault any more
 */
export async function proveShares(
  trx: Trx,
  { set_id }: Pick<ShareSet, 'set_id'>,
  { row, now }: { row: SealRow | undefined; now: Date },
): Promise<boolean | undefined> {
  const [newest, earlier] = await listShareSets(trx, row);
  const isPresent = set_id === (earlier ?? newest)?.set_id;
  if (isPresent) return false;
  if (!newest || newest.set_id !== set_id) return undefined;
  await setShares(trx, newest, now);
  return true;
}
