import { type Insertable, type Selectable, sql } from 'kysely';
import type { Database, VaultAuthMethod, VaultAuthRole } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Trust } from '../trusts/index.ts';

export type MethodRow = Selectable<Database['vault_auth_methods']>;

/** The trust of a role. */
export type RoleTrust = Trust & { vault_role: VaultAuthRole };

export async function findMethod(db: Db, method: VaultAuthMethod): Promise<MethodRow | undefined> {
  return db.selectFrom('vault_auth_methods').selectAll().where('method', '=', method).executeTakeFirst();
}

/** Changes of a method and of its roles are serialized. */
export async function lockMethod(trx: Trx, method: VaultAuthMethod): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${`latchkey vault auth ${method}`}))`.execute(trx);
}

export async function upsertMethod(trx: Trx, row: Insertable<Database['vault_auth_methods']>): Promise<void> {
  const { config, sealed_token, token_key_id, updated_at } = row;
  await trx
    .insertInto('vault_auth_methods')
    .values(row)
    .onConflict((conflict) => conflict.column('method').doUpdateSet({ config, sealed_token, token_key_id, updated_at }))
    .execute();
}

export async function listRoleTrusts(db: Db, method: VaultAuthMethod): Promise<RoleTrust[]> {
  const trusts = db.selectFrom('trusts').selectAll().where(sql<boolean>`vault_role ->> 'method' = ${method}`);
  return (await trusts.orderBy(sql`vault_role ->> 'name'`).execute()).filter(isRole);
}

export async function findRoleTrust(db: Db, method: VaultAuthMethod, name: string): Promise<RoleTrust | undefined> {
  const trusts = db.selectFrom('trusts').selectAll().where(sql<boolean>`vault_role ->> 'method' = ${method}`);
  const found = await trusts.where(sql<boolean>`vault_role ->> 'name' = ${name}`).executeTakeFirst();
  return found && isRole(found) ? found : undefined;
}

const isRole = (trust: Trust): trust is RoleTrust => trust.vault_role !== null;

export async function markAsRole(trx: Trx, id: string, role: VaultAuthRole): Promise<void> {
  await trx
    .updateTable('trusts')
    .set({ vault_role: JSON.stringify(role) })
    .where('id', '=', id)
    .execute();
}
