import { inTransaction } from '../../platform/database/index.ts';
import { type Actor, notFound, person } from '../../platform/http/index.ts';
import { keepingAnOwner, removeEveryRole } from '../access/index.ts';
import { eraseAddresses } from '../access-records/index.ts';
import { erasePersonalDetails } from '../audit/index.ts';
import { deleteIdentities } from '../identities/index.ts';
import { revokeSessionsOf, type SessionDeps } from '../sessions/index.ts';
import { deleteEmailChanges } from './email-change-store.ts';
import { deleteFactors } from './factors/store.ts';
import { type NoticeDeps, notify } from './notices.ts';
import { deletePassword, deletePasswordLinks } from './password-store.ts';
import { record, type UserDeps } from './profiles.ts';
import { lockUserById, updateUser } from './store.ts';

export type DeletionDeps = UserDeps & NoticeDeps & Pick<SessionDeps, 'jobs'>;

/**
 * Deletes a user's own account. Sessions, tokens and API keys are revoked, sign-in methods and roles are removed, and personal details
 * are erased: name, username, addresses, and the origin of events. The row stays with a meaningless name, because events refer to it.
 *
 * @throws Problem `not_found`; `conflict`: this is the last owner
 */
export function deleteOwnAccount(deps: DeletionDeps, origin: Actor['origin'], user_id: string): Promise<void> {
  return deleteAccount(deps, person(user_id, origin), user_id);
}

/** Deletes the account of a user on behalf of any actor, as `deleteOwnAccount` does. Repeating it changes and records nothing. */
export async function deleteAccount(deps: DeletionDeps, actor: Actor, user_id: string): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    if (!user) throw notFound('user', user_id);
    if (user.deleted_at) return;
    const occurred_at = deps.now();
    await notify(deps, trx, user, { about: 'account_deleted', at: occurred_at });
    await revokeSessionsOf(deps, trx, actor, {
      ...{ user_id, exceptSession: undefined, reason: 'account deleted', revoked_at: occurred_at },
    });
    await keepingAnOwner(trx, async () => {
      await removeEveryRole(trx, actor, { subject: { kind: 'user', id: user_id }, occurred_at });
      await updateUser(trx, user_id, {
        ...{ username: `deleted-${user_id}`, name: null, email: null, language: null, browser_language: null },
        ...{ enabled: false, deleted_at: occurred_at, tokens_valid_after: occurred_at },
        ...{ epoch: user.epoch + 1, updated_at: occurred_at },
      });
    });
    await deletePassword(trx, user_id);
    await deleteFactors(trx, user_id);
    await deleteIdentities(trx, user_id);
    await deletePasswordLinks(trx, user_id);
    await deleteEmailChanges(trx, user_id);
    await record(trx, actor, 'user.deleted', user_id, occurred_at);
    await erasePersonalDetails({ db: trx, now: deps.now }, actor, { kind: 'user', id: user_id });
    await eraseAddresses(trx, user_id);
  });
}
