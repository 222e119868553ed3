import type { Trx } from '../../platform/database/index.ts';
import { deleteSecret, lockSecret, markDeleted, markDestroyed } from './store.ts';

/**
 * Repeats actions on versions, in a database restored from a backup, that were done since. Missing versions do not count.
 *
 * @returns how many were changed
 */
export async function endRestoredVersions(
  trx: Trx,
  { path, numbers, how, at }: { path: string; numbers: readonly number[]; how: 'deleted' | 'destroyed'; at: Date },
): Promise<number> {
  const secret = await lockSecret(trx, path);
  if (!secret || numbers.length === 0) return 0;
  const mark = how === 'deleted' ? markDeleted : markDestroyed;
  return (await mark(trx, secret.id, numbers, at)).length;
}

/** The same for a secret that was deleted with all of its versions. @returns how many */
export async function removeRestoredSecret(trx: Trx, path: string): Promise<number> {
  const secret = await lockSecret(trx, path);
  if (!secret) return 0;
  await deleteSecret(trx, secret.id);
  return 1;
}
