import { v7 as uuidv7 } from 'uuid';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, notFound } from '../../platform/http/index.ts';
import { authorityOf, mustHoldAllOf, notePreparer } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { countIdentities, deleteIdentity, type Identity, insertIdentity, lockUser } from './store.ts';

export type IdentityDeps = { db: Db; now: () => Date };

const mostPerUser = 20;

/**
 * Links an account at a foreign issuer to a user: assertions of trusted issuers about that account are then about the user. The actor
 * could act as the user by this, and so must hold all that the user holds.
 *
 * @throws Problem `not_found`; `conflict`: the account is linked already, or the user has 20; `forbidden`: the user holds what the actor
 *   does not
 */
export async function linkIdentity(
  { db, now }: IdentityDeps,
  actor: Actor,
  { user_id, issuer, subject }: Pick<Identity, 'user_id' | 'issuer' | 'subject'>,
): Promise<Identity> {
  return inTransaction(db, async (trx) => {
    if (!(await lockUser(trx, user_id))) throw notFound('user', user_id);
    const created_at = now();
    await mustHoldAllOf(trx, actor, user_id, created_at);
    await notePreparer(trx, authorityOf(actor), { user_id, now: created_at });
    return addIdentity(trx, actor, { user_id, issuer, subject, how: 'administrator', created_at });
  });
}

/** How an account was linked: its user signed in to both, by policy, with a new user, or by an administrator. */
export type Linking = 'connected' | 'automatic' | 'created' | 'administrator';

/**
 * Links an account at a foreign issuer to a user, in the transaction of the verb that decides it.
 *
 * @throws Problem `conflict`: the account is linked already, or the user has 20
 */
export async function addIdentity(
  trx: Trx,
  actor: Actor,
  { how, ...account }: Omit<Identity, 'id'> & { how: Linking },
): Promise<Identity> {
  const { user_id, issuer, created_at } = account;
  if ((await countIdentities(trx, user_id)) >= mostPerUser)
    throw conflict(`A user can have at most ${mostPerUser} linked accounts. Unlink one first.`);
  const identity = await insertIdentity(trx, { id: uuidv7(), ...account });
  await appendEvent(trx, {
    actor,
    action: 'identity.linked',
    target: { kind: 'user', id: user_id },
    details: { identity_id: identity.id, issuer, how },
    occurred_at: created_at,
  });
  return identity;
}

/**
 * Unlinks an account from a user. Every access token that was issued for an assertion about it is refused from the next request on, also
 * after it is linked again.
 *
 * @throws Problem `not_found`: the user has no such account
 */
export async function unlinkIdentity(
  { db, now }: IdentityDeps,
  actor: Actor,
  { user_id, id }: Pick<Identity, 'user_id' | 'id'>,
): Promise<void> {
  await inTransaction(db, (trx) => removeIdentity(trx, actor, { user_id, id, occurred_at: now() }));
}

/** Unlinks an account, in the transaction of the verb that decides it. @throws Problem `not_found` */
export async function removeIdentity(
  trx: Trx,
  actor: Actor,
  { user_id, id, occurred_at }: Pick<Identity, 'user_id' | 'id'> & { occurred_at: Date },
): Promise<void> {
  const identity = await deleteIdentity(trx, { id, user_id });
  if (!identity) throw notFound('linked account', id);
  await appendEvent(trx, {
    actor,
    action: 'identity.unlinked',
    target: { kind: 'user', id: user_id },
    details: { identity_id: id, issuer: identity.issuer },
    occurred_at,
  });
}
