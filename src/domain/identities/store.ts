import { type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { conflict, isSeen } from '../../platform/http/index.ts';
import { isUser } from '../access/index.ts';

export type Identity = Selectable<Database['identities']>;
/** An account at a foreign issuer whose user is enabled. */
export type StandingIdentity = Pick<Selectable<Database['standing_identities']>, 'id' | 'user_id' | 'username'>;

/** The user with this account; undefined: there is none, or the user is disabled. Both parts are compared exactly. */
export async function findStandingIdentity(
  db: Db,
  { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
): Promise<StandingIdentity | undefined> {
  // PostgreSQL would refuse the query; no such account can be linked.
  if (!isSeen(subject)) return undefined;
  return db
    .selectFrom('standing_identities')
    .select(['id', 'user_id', 'username'])
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();
}

/** The linked account at a foreign issuer, whether its user is enabled or not. */
export async function findIdentity(
  db: Db,
  { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
): Promise<Identity | undefined> {
  if (!isSeen(subject)) return undefined;
  const query = db.selectFrom('identities').selectAll().where('issuer', '=', issuer);
  return query.where('subject', '=', subject).executeTakeFirst();
}

/** The id of the user that a reference names. */
export async function findUserId(db: Db, user: string): Promise<string | undefined> {
  return (await db.selectFrom('users').select('id').where(isUser(user)).executeTakeFirst())?.id;
}

export async function lockUser(trx: Trx, id: string): Promise<boolean> {
  const query = trx.selectFrom('users').select('id').where('id', '=', id).forUpdate();
  return (await query.executeTakeFirst()) !== undefined;
}

/** The accounts of a user, the oldest first. */
export async function listIdentities(db: Db, user_id: string): Promise<Identity[]> {
  return db.selectFrom('identities').selectAll().where('user_id', '=', user_id).orderBy('id').execute();
}

export async function countIdentities(db: Db, user_id: string): Promise<number> {
  const { count } = await db
    .selectFrom('identities')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('user_id', '=', user_id)
    .executeTakeFirstOrThrow();
  return count;
}

/** @throws Problem `conflict`: the account is linked, to this user or to another */
export async function insertIdentity(trx: Trx, identity: Identity): Promise<Identity> {
  return trx
    .insertInto('identities')
    .values(identity)
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => {
      const isTaken = error instanceof Error && 'constraint' in error && error.constraint === 'identities_account';
      throw isTaken ? conflict('This account is already linked: unlink it from its user first.') : error;
    });
}

/** Deletes the identities of a user whose account is deleted. */
export async function deleteIdentities(trx: Trx, user_id: string): Promise<void> {
  await trx.deleteFrom('identities').where('user_id', '=', user_id).execute();
}

/** @returns the deleted identity; undefined: the user has no such identity */
export async function deleteIdentity(trx: Trx, { id, user_id }: Pick<Identity, 'id' | 'user_id'>) {
  const query = trx.deleteFrom('identities').where('id', '=', id).where('user_id', '=', user_id);
  return query.returningAll().executeTakeFirst();
}
