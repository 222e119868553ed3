import { v7 as uuidv7 } from 'uuid';
import type { EmailVerifier } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid } from '../../platform/http/index.ts';
import type { Language } from '../../platform/languages/index.ts';
import {
  asId,
  authorityOf,
  keepingAnOwner,
  mustBePermitted,
  mustHoldAllOf,
  notePreparer,
  setRoles,
  storedAuthorityOf,
} from '../access/index.ts';
import { type AuditAction, appendEvent, changesBetween } from '../audit/index.ts';
import { deleteEmailChanges } from './email-change-store.ts';
import { recordVerification, verificationOf } from './email-verification.ts';
import type { PasswordHash } from './password.ts';
import {
  deleteLinksMailedElsewhere,
  deletePasswordLinks,
  findPasswordHash,
  savePasswordHash,
} from './password-store.ts';
import type { UserInput } from './schemas.ts';
import { insertUser, lockUserByUsername, type User, updateUser } from './store.ts';

export type UserDeps = { db: Db; now: () => Date };
export type PutUserResult = { user: User; change: 'created' | 'updated' | 'unchanged' };

/**
 * Creates a user, or updates an existing one to equal the input, in the transaction of the verb that decides it; a password is only
 * set if the user has none. `hash` is its Argon2id hash, computed before: hashing is too slow for a transaction.
 *
 * @param verified_by the source, if the input states that the e-mail address is verified
 * @throws Problem `invalid`: it states that an address is verified, but names none, or the username of a new user looks like an id;
 *   `conflict`: another user has this e-mail address, or no administrator would be left
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
    ? await changeProfile(deps, trx, actor, existing, profile)
    : await addUser(deps, trx, actor, profile);
  if (hash && (await findPasswordHash(trx, result.user.id)) === undefined) {
    await storeHash(deps, trx, result.user.id, hash);
    await notePreparer(trx, authorityOf(actor), { user_id: result.user.id, now: deps.now() });
  }
  const given = { subject: { kind: 'user' as const, id: result.user.id }, roles: roles ?? [], occurred_at: deps.now() };
  const changedRoles = roles && (await setRoles(trx, actor, given));
  return changedRoles && result.change === 'unchanged' ? { ...result, change: 'updated' } : result;
}

/** Members that a configuration file does not contain: the user's choice stays. `id`: that of a new user from another system. */
export type Chosen = { language?: Language | null | undefined; id?: string | undefined };

type Profile = Chosen &
  Pick<UserInput, 'username' | 'email' | 'email_verified' | 'name' | 'enabled'> & {
    verified_by: EmailVerifier;
  };

/** Creates a new user, in the transaction of the verb that decides it. @throws Problem as `putUser` */
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

/** Updates the profile of a user, in the transaction of the verb that decides it. @throws Problem `conflict`; `forbidden` */
export async function changeProfile(
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
 * Refuses a username that looks like an id: it could be mistaken for another user's id.
 *
 * @throws Problem `invalid` at `/username`
 */
export function refuseIdShaped(username: string): void {
  if (asId(username) !== undefined)
    throw invalid('/username', 'The username must not look like an id (32 hexadecimal digits). Choose another one.');
}

/** @throws Problem `conflict` if a name is taken; any other error unchanged */
export function refuseTaken(error: unknown): never {
  const isTaken = error instanceof Error && 'constraint' in error && String(error.constraint).startsWith('users_');
  throw isTaken ? conflict('Another user has this username or e-mail address.') : error;
}

/** A hash from another system: the password may not have been normalized. */
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

export async function record(
  trx: Trx,
  actor: Actor,
  action: AuditAction,
  id: string,
  occurred_at: Date,
): Promise<void> {
  await appendEvent(trx, { actor, action, target: { kind: 'user', id }, occurred_at });
}
