import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict, notFound, type Origin, person } from '../../platform/http/index.ts';
import { addIdentity, findIdentity, listIdentities, removeIdentity } from '../identities/index.ts';
import { listLoginTrusts } from '../trusts/index.ts';
import { hasPassword, listPasskeys, lockUserById, notify } from '../users/index.ts';
import { administers } from './accounts.ts';
import type { AccountDeps, Arrival } from './arrival.ts';
import type { LoginTrust } from './connections.ts';

type Connected = { user_id: string; trust: LoginTrust; subject: string };

/**
 * Connects a user's account at a provider to their account here, which they have just signed in to. Repeating it changes nothing.
 *
 * @throws Problem `conflict`: it is connected to another account, or the user is an administrator and the trust is not for those
 */
export async function connectAccount(
  deps: AccountDeps,
  origin: Origin,
  { user_id, trust, subject }: Connected,
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    if (!user?.enabled) throw notFound('user', user_id);
    const account = { issuer: trust.issuer, subject };
    if ((await findIdentity(trx, account))?.user_id === user_id) return;
    const created_at = deps.now();
    if (!trust.login.for_administrators && (await administers(trx, user_id, created_at)))
      throw conflict('This trust is not for users who hold permissions of Latchkey or of secrets.');
    await addIdentity(trx, person(user_id, origin), { user_id, ...account, how: 'connected', created_at });
    await notify(deps, trx, user, { about: 'identity_linked', at: created_at });
  });
}

/**
 * Disconnects an account at a provider from the actor's own, and revokes sessions that began with it.
 *
 * @throws Problem `not_found`; `conflict`: there is no other way to sign in
 */
export async function disconnectAccount(
  deps: Omit<AccountDeps, 'refusals'>,
  actor: Actor & { id: string },
  id: string,
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, actor.id);
    if (!user || !(await listIdentities(trx, user.id)).some((identity) => identity.id === id))
      throw notFound('linked account', id);
    if (!(await hasOtherWay(trx, user.id, id)))
      throw conflict('There is no other way to sign in. Add a passkey or a password first.');
    const occurred_at = deps.now();
    await removeIdentity(trx, actor, { user_id: user.id, id, occurred_at });
    await notify(deps, trx, user, { about: 'identity_unlinked', at: occurred_at });
  });
}

/** Whether a user can sign in without this account: an authenticator app alone is not enough. */
async function hasOtherWay(db: Db, user_id: string, id: string): Promise<boolean> {
  if ((await hasPassword(db, user_id)) || (await listPasskeys(db, user_id)).length > 0) return true;
  const issuers = new Set((await listLoginTrusts(db)).map(({ issuer }) => issuer));
  return (await listIdentities(db, user_id)).some((other) => other.id !== id && issuers.has(other.issuer));
}

/** Whether an account at a provider belongs to this user, who signs in with it by this trust. */
export async function isAccountOf(
  { db, now }: Pick<AccountDeps, 'db' | 'now'>,
  { trust, account }: Pick<Arrival, 'trust' | 'account'>,
  user_id: string,
): Promise<boolean> {
  if ((await findIdentity(db, account))?.user_id !== user_id) return false;
  return trust.login.for_administrators || !(await administers(db, user_id, now()));
}
