import type { Insertable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { PasswordHash } from './password.ts';
import type { User } from './store.ts';

/** A user's password, with their epoch and state at the same time: sessions that follow from it get that epoch. */
export async function findPasswordHash(
  db: Db,
  user_id: string,
): Promise<(PasswordHash & { user_epoch: number; enabled: boolean }) | undefined> {
  return db
    .selectFrom('credentials as k')
    .innerJoin('users as u', 'u.id', 'k.user_id')
    .select(['k.hash', 'k.form', 'u.epoch as user_epoch', 'u.enabled'])
    .where('k.user_id', '=', user_id)
    .where('k.kind', '=', 'password')
    .executeTakeFirst();
}

export async function hasPassword(db: Db, user_id: string): Promise<boolean> {
  return (await findPasswordHash(db, user_id)) !== undefined;
}

/** Stores a new password and deletes the links to choose another one. */
export async function savePasswordHash(
  trx: Trx,
  { id, user_id, password, now }: { id: string; user_id: string; password: PasswordHash; now: Date },
): Promise<void> {
  const { hash, form } = password;
  const stored = { hash, normalized_at: form === 'nfc' ? now : null, updated_at: now };
  await deletePasswordLinks(trx, user_id);
  await trx
    .insertInto('credentials')
    .values({ id, user_id, kind: 'password', ...stored, created_at: now })
    .onConflict((conflict) => conflict.column('user_id').where('kind', '=', 'password').doUpdateSet(stored))
    .execute();
}

/** Stores the same password in another form, unless another password was set meanwhile. */
export async function replacePasswordForm(
  trx: Trx,
  { user_id, from, to }: { user_id: string; from: PasswordHash; to: PasswordHash },
): Promise<void> {
  await trx
    .updateTable('credentials')
    .set((eb) => ({ hash: to.hash, normalized_at: to.form === 'nfc' ? eb.ref('updated_at') : null }))
    .where('user_id', '=', user_id)
    .where('kind', '=', 'password')
    .where('hash', '=', from.hash)
    .execute();
}

/** Deletes every link of a user to choose a password. */
export async function deletePasswordLinks(trx: Trx, user_id: string): Promise<void> {
  await trx.deleteFrom('password_links').where('user_id', '=', user_id).execute();
}

/** @returns how many */
export async function deleteEveryPasswordLink(trx: Trx): Promise<number> {
  const { numDeletedRows } = await trx.deleteFrom('password_links').executeTakeFirst();
  return Number(numDeletedRows);
}

/** Deletes a password: no one can sign in with it any more. */
export async function deletePassword(trx: Trx, user_id: string): Promise<void> {
  await trx.deleteFrom('credentials').where('user_id', '=', user_id).where('kind', '=', 'password').execute();
}

type NewPasswordLink = Omit<Insertable<Database['password_links']>, 'used_at'>;

/** One link is valid at a time: earlier ones are deleted. */
export async function replacePasswordLinks(trx: Trx, link: NewPasswordLink): Promise<void> {
  await deletePasswordLinks(trx, link.user_id);
  await addPasswordLink(trx, link);
}

/** Adds a link to the existing ones. */
export async function addPasswordLink(trx: Trx, link: NewPasswordLink): Promise<void> {
  await trx
    .insertInto('password_links')
    .values({ ...link, used_at: null })
    .execute();
}

export async function findLinkedUser(db: Db, digest: Digest, now: Date): Promise<User | undefined> {
  return db
    .selectFrom('password_links as l')
    .innerJoin('users as u', 'u.id', 'l.user_id')
    .selectAll('u')
    .where('l.digest', '=', digest)
    .where('l.used_at', 'is', null)
    .where('l.expires_at', '>', now)
    .where((eb) => eb.or([eb('l.mailed_to', 'is', null), eb('l.mailed_to', '=', eb.ref('u.email'))]))
    .where('u.enabled', '=', true)
    .executeTakeFirst();
}

/** Uses a link, once; undefined: it was used before, or has expired. */
export async function usePasswordLink(
  trx: Trx,
  digest: Digest,
  used_at: Date,
): Promise<{ mailed_to: string | null; shown_to: string | null; shown_within: readonly unknown[] | null } | undefined> {
  return trx
    .updateTable('password_links')
    .set({ used_at })
    .where('digest', '=', digest)
    .where('used_at', 'is', null)
    .where('expires_at', '>', used_at)
    .returning(['mailed_to', 'shown_to', 'shown_within'])
    .executeTakeFirst();
}

/** Deletes links that were mailed to another address, so that they stay invalid even if that address is restored. */
export async function deleteLinksMailedElsewhere(trx: Trx, user_id: string, email: string | null): Promise<void> {
  await trx
    .deleteFrom('password_links')
    .where('user_id', '=', user_id)
    .where('mailed_to', 'is not', null)
    .where((eb) => eb('mailed_to', 'is distinct from', email))
    .execute();
}
