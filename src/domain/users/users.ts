import { v7 as uuidv7 } from 'uuid';
import type { EmailVerifier } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid, mustBeAt, notFound } from '../../platform/http/index.ts';
import type { Language } from '../../platform/languages/index.ts';
import { asId, keepingAnOwner, mustBePermitted, mustHoldAllOf, setRoles } from '../access/index.ts';
import { type AuditAction, appendEvent, changesBetween } from '../audit/index.ts';
import { deleteEmailChanges } from './email-change-store.ts';
import { mustBeAllowedToVerify, recordVerification, verificationOf } from './email-verification.ts';
import { hashNewPassword, type PasswordHash } from './password.ts';
import {
  deleteLinksMailedElsewhere,
  deletePasswordLinks,
  findPasswordHash,
  savePasswordHash,
} from './password-store.ts';
import { storedAuthorityOf } from './remembered-authority.ts';
import type { UserChanges, UserInput } from './schemas.ts';
import {
  findUser,
  findUserByUsername,
  insertUser,
  lockUserById,
  lockUserByUsername,
  type User,
  updateUser,
} from './store.ts';

/** The permission to create users with hashes of other systems. */
const importPasswordPermission = 'latchkey:user:import_password';

export type UserDeps = { db: Db; now: () => Date };
export type PutUserResult = { user: User; change: 'created' | 'updated' | 'unchanged' };

/**
 * Creates a person, or makes an existing one equal to the input, in the transaction of the verb that decides it; a password
 * is only set when the person has none. `hash` is its Argon2id hash, made before: hashing is too slow for a transaction.
 *
 * @param verified_by who says so where the input calls the e-mail address verified
 * @throws Problem `invalid`: it calls an address verified that it does not name, or the username of a new person looks like
 *   an id; `conflict`: another person has this e-mail address, or nobody would be left to
 *   administer
 */
export async function putUser(
  trx: Trx,
  deps: Pick<UserDeps, 'now'>,
  actor: Actor,
  {
    hash,
    ...input
  }: Omit<UserInput, 'password' | 'password_hash'> &
    Chosen & { hash: PasswordHash | undefined; verified_by: EmailVerifier },
): Promise<PutUserResult> {
  const { roles, ...profile } = input;
  const existing = await lockUserByUsername(trx, profile.username);
  if (existing) await mustHoldAllOf(trx, actor, existing.id, deps.now());
  const result = existing
    ? await update(deps, trx, actor, existing, profile)
    : await addUser(deps, trx, actor, profile);
  if (hash && (await findPasswordHash(trx, result.user.id)) === undefined)
    await storeHash(deps, trx, result.user.id, hash);
  const given = { subject: { kind: 'user' as const, id: result.user.id }, roles: roles ?? [], occurred_at: deps.now() };
  const changedRoles = roles && (await setRoles(trx, actor, given));
  return changedRoles && result.change === 'unchanged' ? { ...result, change: 'updated' } : result;
}

/**
 * Creates a person who must be new.
 *
 * @throws Problem `invalid`: the password is too weak, or the username looks like an id; `conflict`: the username or e-mail address is taken; `forbidden`: the
 *   input calls the e-mail address verified, which takes a permission of its own
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

/** @throws Problem `forbidden`; `invalid`: there is a password, too */
function mustImportAlone(actor: Actor, password: string | undefined): void {
  mustBePermitted(actor, importPasswordPermission, 'Importing a password hash');
  if (password !== undefined) throw invalid('/password_hash', 'Send either a password or a hash of one.');
}

/** What a configuration file says nothing about: it stays as the user chose it. `id`: of a new user who comes from another system. */
type Chosen = { language?: Language | null | undefined; id?: string | undefined };

type Profile = Chosen &
  Pick<UserInput, 'username' | 'email' | 'email_verified' | 'name' | 'enabled'> & {
    verified_by: EmailVerifier;
  };

/** Creates a user who must be new, in the transaction of the verb that decides it. @throws Problem as `putUser` */
export async function addUser(
  { now }: Pick<UserDeps, 'now'>,
  trx: Trx,
  actor: Actor,
  { username, name, enabled, email_verified: stated, verified_by: by, ...profile }: Profile,
): Promise<PutUserResult> {
  refuseIdShaped(username);
  const created_at = now();
  const email = profile.email ?? null;
  const row = {
    id: profile.id ?? uuidv7(),
    username,
    email,
    ...verificationOf(undefined, { email, stated, by, at: created_at }),
    email_vouched_by: email === null ? null : storedAuthorityOf(actor),
    name: name ?? null,
    language: profile.language ?? null,
    enabled,
    created_at,
    updated_at: created_at,
  };
  const user = await insertUser(trx, row).catch(refuseTaken);
  await record(trx, actor, 'user.created', user.id, created_at);
  await recordVerification(trx, actor, { before: undefined, after: user, occurred_at: created_at });
  return { user, change: 'created' };
}

async function update(
  { now }: Pick<UserDeps, 'now'>,
  trx: Trx,
  actor: Actor,
  existing: User,
  profile: Profile,
): Promise<PutUserResult> {
  const updated_at = now();
  const { email = null, email_verified: stated, verified_by: by } = profile;
  const desired = {
    username: profile.username,
    email,
    ...verificationOf(existing, { email, stated, by, at: updated_at }),
    name: profile.name ?? null,
    ...(profile.language !== undefined && { language: profile.language }),
    enabled: profile.enabled,
  };
  const isSame = Object.entries(desired).every(([column, value]) => existing[column as keyof typeof desired] === value);
  if (isSame) return { user: existing, change: 'unchanged' };
  if (existing.enabled && !desired.enabled) mustBePermitted(actor, 'latchkey:user:disable', 'Disabling a person');
  const ended = existing.enabled && !desired.enabled ? { tokens_valid_after: updated_at } : {};
  const isSaid = desired.email !== existing.email || desired.email_verified_at !== existing.email_verified_at;
  const vouched = isSaid ? { email_vouched_by: desired.email === null ? null : storedAuthorityOf(actor) } : {};
  const change = { ...desired, ...ended, ...vouched, updated_at };
  const user = await keepingAnOwner(trx, () => updateUser(trx, existing.id, change).catch(refuseTaken));
  if (!user.enabled) await deletePasswordLinks(trx, user.id);
  else if (user.email !== existing.email) await deleteLinksMailedElsewhere(trx, user.id, user.email);
  if (!user.enabled || user.email !== existing.email) await deleteEmailChanges(trx, user.id);
  // Without values: these are personal details, and an event is never erased.
  const changed = Object.keys(changesBetween({ ...existing }, { ...existing, ...desired }));
  const details = { changed, enabled: user.enabled };
  await appendEvent(trx, {
    actor,
    action: 'user.updated',
    target: { kind: 'user', id: user.id },
    details,
    occurred_at: updated_at,
  });
  await recordVerification(trx, actor, { before: existing, after: user, occurred_at: updated_at });
  return { user, change: 'updated' };
}

/**
 * A username that looks like an id could be taken for another person's.
 *
 * @throws Problem `invalid` at `/username`
 */
export function refuseIdShaped(username: string): void {
  if (asId(username) !== undefined)
    throw invalid('/username', 'The username must not look like an id (32 hexadecimal digits). Choose another one.');
}

/** @throws Problem `conflict` for what the database refused because of its names; anything else as it came */
export function refuseTaken(error: unknown): never {
  const isTaken = error instanceof Error && 'constraint' in error && String(error.constraint).startsWith('users_');
  throw isTaken ? conflict('Another user has this username or e-mail address.') : error;
}

/** A hash that was made elsewhere: nothing says that the password was normalised. */
export function importedHash(hash: string | undefined): PasswordHash | undefined {
  return hash === undefined ? undefined : { hash, form: 'as_typed' };
}

export async function storeHash(
  { now }: Pick<UserDeps, 'now'>,
  trx: Trx,
  user_id: string,
  password: PasswordHash,
): Promise<void> {
  await savePasswordHash(trx, { id: uuidv7(), user_id, password, now: now() });
}

/**
 * Changes what is known of a person, or lets them in again. A changed e-mail address is unverified. An actor who changes an address
 * could make the account their own, so they must hold all that the person holds.
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
    return (await update(deps, trx, actor, user, profile)).user;
  });
}

/** The user that a text names (`findUser`). @throws Problem `not_found` */
export async function getUser(db: Db, reference: string): Promise<User> {
  const user = await findUser(db, reference);
  if (!user) throw notFound('user', reference);
  return user;
}

/**
 * Stops a person: signed out everywhere, no token of theirs works from the next request on.
 *
 * @throws Problem `not_found`; `conflict`: nobody would be left to administer
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

/** Records that a person took a copy of what is kept about them, before they get it. */
export async function noteDownload({ db, now }: UserDeps, actor: Actor & { id: string }): Promise<void> {
  await inTransaction(db, (trx) => record(trx, actor, 'user.data_downloaded', actor.id, now()));
}

export async function record(
  trx: Trx,
  actor: Actor,
  action: AuditAction,
  id: string,
  occurred_at: Date,
): Promise<void> {
  await appendEvent(trx, { actor, action, target: { kind: 'user', id }, occurred_at });
}
