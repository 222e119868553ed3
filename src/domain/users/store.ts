import type { Insertable, RawBuilder, Selectable, Updateable } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, pageOfSearch, type Searched } from '../../platform/lists/index.ts';
import { isUser } from '../access/index.ts';

export type User = Selectable<Database['users']>;
export type Factor = Pick<Selectable<Database['credentials']>, 'id' | 'created_at' | 'updated_at'> & {
  kind: 'password' | Selectable<Database['factors']>['kind'];
  name: string | null;
  last_used_at: Date | null;
};

/** The user that a reference names: `id:…`, `username:…` or `email:…` (`isUser`). */
export async function findUser(db: Db, reference: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where(isUser(reference)).executeTakeFirst();
}

/** The user with this username only, case-insensitive. */
export async function findUserByUsername(db: Db, username: string): Promise<User | undefined> {
  return findUser(db, `username:${username}`);
}

// Usernames and e-mail addresses contain only these; some other characters become ASCII in lower case, such as the Kelvin sign.
const ascii = /^[\u0020-\u007e]*$/;

/** The user with a typed login: an e-mail address if it contains "@", which no username does, otherwise a username. */
export async function findUserByLogin(db: Db, login: string): Promise<User | undefined> {
  if (!ascii.test(login)) return undefined;
  return findUser(db, `${login.includes('@') ? 'email' : 'username'}:${login}`);
}

export async function findUserById(db: Db, id: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The usernames of users by id; one that does not exist is missing. */
export async function listUsernames(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('users').select(['id', 'username']).where('id', 'in', ids).execute();
  return new Map(rows.map(({ id, username }) => [id, username]));
}

/** Every user by username, for `latchkey export`. */
export async function listUsers(db: Db): Promise<User[]> {
  return db.selectFrom('users').selectAll().orderBy('username').execute();
}

export type UsersQuery = ListRequest & {
  q?: string | undefined;
  enabled?: boolean | undefined;
  role?: string | undefined;
  now: Date;
};

const searched: Searched = {
  table: 'users',
  text: sql`username || ' ' || coalesce(name, '') || ' ' || coalesce(email, '')`,
};

const orders: ListOrders = {
  key: { by: sql`users.id`, type: 'uuid' },
  orders: {
    username: { by: sql`lower(users.username) collate "C"`, type: 'text' },
    name: { by: sql`lower(coalesce(users.name, users.username)) collate "C"`, type: 'text' },
    // After every letter: users without an address come last.
    email: { by: sql`coalesce(lower(users.email), '~') collate "C"`, type: 'text' },
    // UUIDv7 ids grow with time.
    created_at: 'key',
  },
};

/** Users searched by the words of their names and address, filtered and sorted. */
export function listUsersFrom(
  db: Db,
  { q, enabled, role, now, ...request }: UsersQuery,
): Promise<Page<User & { roles: string[]; has_password: boolean }>> {
  const held = sql`standing_role_assignments a join roles r on r.id = a.role_id
    where a.subject_id = users.id and (a.until is null or a.until > ${now})`;
  const roles = sql<string[]>`coalesce((select json_agg(distinct r.name) from ${held}), '[]'::json)`;
  // For `exists`, PostgreSQL would read every password for one page.
  const hasPassword = sql<boolean>`coalesce((select true from credentials k where k.user_id = users.id and k.kind = 'password' limit 1), false)`;
  const listed = (from: RawBuilder<User>) =>
    db
      .selectFrom(from.as('users'))
      .selectAll()
      .select([roles.as('roles'), hasPassword.as('has_password')])
      .$if(enabled !== undefined, (query) => query.where('enabled', '=', enabled ?? true))
      .$if(role !== undefined, (query) => query.where(sql<boolean>`exists (select from ${held} and r.name = ${role})`));
  return pageOfSearch(db, { searched, q }, listed, { orders, request });
}

export async function lockUserByUsername(trx: Trx, username: string): Promise<User | undefined> {
  const found = await findUserByUsername(trx, username);
  return found && lockUserById(trx, found.id);
}

export async function lockUserById(trx: Trx, id: string): Promise<User | undefined> {
  return trx.selectFrom('users').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

export async function insertUser(trx: Trx, user: Insertable<Database['users']>): Promise<User> {
  await trx.insertInto('subjects').values({ id: user.id, kind: 'user' }).execute();
  return trx.insertInto('users').values(user).returningAll().executeTakeFirstOrThrow();
}

export async function updateUser(trx: Trx, id: string, changes: Updateable<Database['users']>): Promise<User> {
  return trx
    .updateTable('users')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Stores the language of the pages on which a user signs in. No one decides it, so no event is recorded and the version stays. */
export async function noteBrowserLanguage(db: Db, id: string, language: string): Promise<void> {
  await db
    .updateTable('users')
    .set({ browser_language: language })
    .where('id', '=', id)
    .where('browser_language', 'is distinct from', language)
    .execute();
}

/** Revokes everything with the user's present epoch. @returns the new epoch */
export async function startNextEpoch(trx: Trx, id: string): Promise<number> {
  const next = trx.updateTable('users').set((eb) => ({ epoch: eb('epoch', '+', 1) }));
  return (await next.where('id', '=', id).returning('epoch').executeTakeFirstOrThrow()).epoch;
}

/** The sign-in methods of a user, never their secrets. */
export async function listFactors(db: Db, user_id: string): Promise<Factor[]> {
  const { rows } = await sql<Factor>`
    select id, kind, null as name, created_at, updated_at, null as last_used_at from credentials where user_id = ${user_id}
    union all
    select id, kind, name, created_at, created_at, last_used_at from factors where user_id = ${user_id}
    order by kind, id`.execute(db);
  return rows;
}

/** If two users have the same link, only one becomes the administrator. */
export async function lockSetup(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey setup'))`.execute(trx);
}

/** Several can be open at once, because each node prints one at start; the first administrator closes all. */
export async function insertSetupLink(
  trx: Trx,
  link: { digest: Digest; created_at: Date; expires_at: Date },
): Promise<void> {
  await trx.deleteFrom('setup_links').where('expires_at', '<', sql<Date>`latchkey_now()`).execute();
  await trx
    .insertInto('setup_links')
    .values({ ...link, used_at: null })
    .execute();
}

export async function isOpenSetupLink(db: Db, digest: Digest, now: Date): Promise<boolean> {
  const query = db.selectFrom('setup_links').select('digest').where('digest', '=', digest).where('used_at', 'is', null);
  return (await query.where('expires_at', '>', now).executeTakeFirst()) !== undefined;
}

export async function useSetupLink(trx: Trx, digest: Digest, used_at: Date): Promise<boolean> {
  const query = trx
    .updateTable('setup_links')
    .set({ used_at })
    .where('digest', '=', digest)
    .where('used_at', 'is', null);
  const { numUpdatedRows } = await query.where('expires_at', '>', used_at).executeTakeFirst();
  return numUpdatedRows === 1n;
}
