import type { Trx } from '../../platform/database/index.ts';
import { deletePassword, deletePasswordLinks } from './password-store.ts';
import { lockUserById, updateUser } from './store.ts';

/**
 * Removes a user's password and one-time links, and revokes their sessions and tokens, in the transaction of the verb that decides
 * and records it. The user can sign in again after choosing a password with a new link.
 *
 * @returns whether there is such a user
 */
export async function forgetPassword(trx: Trx, user_id: string, occurred_at: Date): Promise<boolean> {
  const user = await lockUserById(trx, user_id);
  if (!user) return false;
  await deletePassword(trx, user_id);
  await deletePasswordLinks(trx, user_id);
  const ended = { tokens_valid_after: occurred_at, epoch: user.epoch + 1 };
  await updateUser(trx, user_id, { ...ended, updated_at: occurred_at });
  return true;
}
