import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid, mustBeAt, notFound } from '../../platform/http/index.ts';
import { keepingAnOwner, mustBePermitted, mustHoldAllOf } from '../access/index.ts';
import { deleteEmailChanges } from './email-change-store.ts';
import { mustBeAllowedToVerify } from './email-verification.ts';
import { hashNewPassword } from './password.ts';
import { deletePasswordLinks } from './password-store.ts';
import { type Chosen, changeProfile, importedHash, putUser, record, type UserDeps } from './profiles.ts';
import type { UserChanges, UserInput } from './schemas.ts';
import { findUser, findUserByUsername, lockUserById, type User, updateUser } from './store.ts';

/** The permission to create users with hashes of other systems. */
const importPasswordPermission = 'latchkey:user:import_password';

/**
 * Creates a new user.
 *
 * @throws Problem `invalid`: the password is too weak, or the username looks like an id; `conflict`: the username or e-mail address
 *   is taken; `forbidden`: the input states that the e-mail address is verified, which requires a separate permission
 */
export async function createUser(
  deps: UserDeps,
  actor: Actor,
  { password, password_hash, ...input }: UserInput & Chosen,
): Promise<User> {
  if (input.email_verified) mustBeAllowedToVerify(actor);
  if (password_hash !== undefined) mustImportAlone(actor, password);
  const hash = password === undefined ? importedHash(password_hash) : await hashNewPassword(password, input);
  return inTransaction(deps.db, async (trx) => {
    if (await findUserByUsername(trx, input.username))
      throw conflict(`A user named "${input.username}" already exists.`);
    const { user } = await putUser(trx, deps, actor, { ...input, hash, verified_by: 'administrator' });
    return user;
  });
}

/** @throws Problem `forbidden`; `invalid`: the input also has a password */
function mustImportAlone(actor: Actor, password: string | undefined): void {
  mustBePermitted(actor, importPasswordPermission, 'Importing a password hash');
  if (password !== undefined) throw invalid('/password_hash', 'Send either a password or a hash of one.');
}

/**
 * Updates a user's profile, or enables the user again. A changed e-mail address is unverified. An actor who changes an address could
 * take over the account, so they must hold all that the user holds.
 *
 * @throws Problem `not_found`; `conflict`; `precondition_failed`; `forbidden`: the person holds what the actor does not
 */
export async function changeUser(
  deps: UserDeps,
  actor: Actor,
  { id, ifVersion, ...changes }: UserChanges & { id: string; ifVersion: number | undefined },
): Promise<User> {
  return inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, id);
    if (!user) throw notFound('user', id);
    mustBeAt(user.version, ifVersion);
    if (user.deleted_at) throw conflict('The user deleted this account. Create a new one.');
    await mustHoldAllOf(trx, actor, id, deps.now());
    const { email, name, enabled } = { ...user, ...changes };
    const profile = {
      username: user.username,
      email: email ?? undefined,
      name: name ?? undefined,
      language: changes.language,
      enabled: enabled ?? user.enabled,
      verified_by: 'administrator' as const,
    };
    return (await changeProfile(deps, trx, actor, user, profile)).user;
  });
}

/** The user that a reference names (`findUser`). @throws Problem `not_found` */
export async function getUser(db: Db, reference: string): Promise<User> {
  const user = await findUser(db, reference);
  if (!user) throw notFound('user', reference);
  return user;
}

/**
 * Disables a user, and revokes their sessions and tokens: these are refused from the next request on.
 *
 * @throws Problem `not_found`; `conflict`: no administrator would be left
 */
export async function disableUser({ db, now }: UserDeps, actor: Actor, id: string): Promise<User> {
  return inTransaction(db, async (trx) => {
    const user = await lockUserById(trx, id);
    if (!user) throw notFound('user', id);
    if (!user.enabled) return user;
    const occurred_at = now();
    await record(trx, actor, 'user.disabled', user.id, occurred_at);
    await deletePasswordLinks(trx, user.id);
    await deleteEmailChanges(trx, user.id);
    const disabled = { enabled: false, tokens_valid_after: occurred_at, updated_at: occurred_at };
    return keepingAnOwner(trx, () => updateUser(trx, user.id, disabled));
  });
}

/** Records that a user downloads their data, before they get it. */
export async function noteDownload({ db, now }: UserDeps, actor: Actor & { id: string }): Promise<void> {
  await inTransaction(db, (trx) => record(trx, actor, 'user.data_downloaded', actor.id, now()));
}
