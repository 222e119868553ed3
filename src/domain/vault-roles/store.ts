import { type Insertable, type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export type RoleRow = Selectable<Database['vault_roles']> & { name: string };
export type SecretId = Selectable<Database['vault_secret_ids']>;
export type WrappedRow = Selectable<Database['vault_wrapped']>;

function roles(db: Db) {
  return db
    .selectFrom('vault_roles as r')
    .innerJoin('clients as c', 'c.id', 'r.client_id')
    .selectAll('r')
    .select('c.client_id as name')
    .where('r.deleted_at', 'is', null);
}

export async function findRole(db: Db, name: string): Promise<RoleRow | undefined> {
  return roles(db).where('c.client_id', '=', name).executeTakeFirst();
}

/** Including a deleted one. */
export async function isRoleClient(db: Db, client_id: string): Promise<boolean> {
  const query = db.selectFrom('vault_roles').select('client_id').where('client_id', '=', client_id);
  return (await query.executeTakeFirst()) !== undefined;
}

const mostListed = 10_000;

export async function listRoleNames(db: Db): Promise<string[]> {
  return (await roles(db).orderBy('c.client_id').limit(mostListed).execute()).map(({ name }) => name);
}

export async function upsertRole(trx: Trx, row: Insertable<Database['vault_roles']>): Promise<void> {
  const { settings, updated_at } = row;
  await trx
    .insertInto('vault_roles')
    .values(row)
    .onConflict((conflict) => conflict.column('client_id').doUpdateSet({ settings, updated_at, deleted_at: null }))
    .execute();
}

export async function markRoleDeleted(trx: Trx, client_id: string, deleted_at: Date): Promise<void> {
  await trx.updateTable('vault_roles').set({ deleted_at }).where('client_id', '=', client_id).execute();
  await trx.deleteFrom('vault_secret_ids').where('client_id', '=', client_id).execute();
}

export async function insertSecretId(trx: Trx, row: Insertable<Database['vault_secret_ids']>): Promise<SecretId> {
  return trx.insertInto('vault_secret_ids').values(row).returningAll().executeTakeFirstOrThrow();
}

const isLive = (now: Date) =>
  sql<boolean>`(expires_at is null or expires_at > ${now}) and (uses_left is null or uses_left > 0)`;

export async function findSecretId(
  db: Db,
  { client_id, now, ...by }: { client_id: string; now: Date } & ({ digest: Digest } | { accessor: string }),
): Promise<SecretId | undefined> {
  return db
    .selectFrom('vault_secret_ids')
    .selectAll()
    .where('client_id', '=', client_id)
    .where(isLive(now))
    .$if('digest' in by, (query) => query.where('digest', '=', 'digest' in by ? by.digest : null))
    .$if('accessor' in by, (query) => query.where('accessor', '=', 'accessor' in by ? by.accessor : ''))
    .executeTakeFirst();
}

export async function findLiveSecretId(db: Db, digest: Digest, now: Date): Promise<SecretId | undefined> {
  const query = db.selectFrom('vault_secret_ids').selectAll().where('digest', '=', digest);
  return query.where(isLive(now)).executeTakeFirst();
}

/** A secret id with the name of its role, whether or not it can be used. */
export async function findSecretIdWithRole(
  db: Db,
  accessor: string,
): Promise<{ digest: Digest; accessor: string; name: string } | undefined> {
  return db
    .selectFrom('vault_secret_ids as s')
    .innerJoin('clients as c', 'c.id', 's.client_id')
    .select(['s.digest', 's.accessor', 'c.client_id as name'])
    .where('s.accessor', '=', accessor)
    .executeTakeFirst();
}

/** Uses one of the remaining uses. If several use the last one, one succeeds. @returns false: none was left */
export async function takeUse(db: Db, digest: Digest, now: Date): Promise<boolean> {
  const taken = await db
    .updateTable('vault_secret_ids')
    .set({ uses_left: sql`uses_left - 1`, last_used_at: now })
    .where('digest', '=', digest)
    .where(isLive(now))
    .returning('digest')
    .executeTakeFirst();
  return taken !== undefined;
}

export async function listLiveSecretIds(db: Db, client_id: string, now: Date): Promise<SecretId[]> {
  return db
    .selectFrom('vault_secret_ids')
    .selectAll()
    .where('client_id', '=', client_id)
    .where(isLive(now))
    .orderBy('created_at')
    .limit(mostListed)
    .execute();
}

export async function deleteSecretId(trx: Trx, digest: Digest): Promise<boolean> {
  const deleted = await trx.deleteFrom('vault_secret_ids').where('digest', '=', digest).returning('digest').execute();
  return deleted.length > 0;
}

export async function insertWrapped(trx: Trx, row: WrappedRow): Promise<void> {
  await trx.insertInto('vault_wrapped').values(row).execute();
}

export async function findWrapped(db: Db, digest: Digest, now: Date): Promise<WrappedRow | undefined> {
  const query = db.selectFrom('vault_wrapped').selectAll().where('digest', '=', digest);
  return query.where('expires_at', '>', now).executeTakeFirst();
}

/** If several unwrap it at once, one succeeds. */
export async function deleteWrapped(trx: Trx, digest: Digest, now: Date): Promise<WrappedRow | undefined> {
  const query = trx.deleteFrom('vault_wrapped').where('digest', '=', digest).where('expires_at', '>', now);
  return query.returningAll().executeTakeFirst();
}

/** @param accessor the first bytes of its digest, in hexadecimal */
export async function findWrappedByAccessor(db: Db, accessor: string, now: Date): Promise<WrappedRow | undefined> {
  const { rows } = await sql<WrappedRow>`select * from vault_wrapped
    where digest between decode(rpad(${accessor}, 64, '0'), 'hex') and decode(rpad(${accessor}, 64, 'f'), 'hex')
      and expires_at > ${now} limit 1`.execute(db);
  return rows[0];
}
