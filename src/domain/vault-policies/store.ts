import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

type PolicyRow = Selectable<Database['vault_policies']>;

export async function findSource(db: Db, role_id: string): Promise<PolicyRow | undefined> {
  return db.selectFrom('vault_policies').selectAll().where('role_id', '=', role_id).executeTakeFirst();
}

export async function upsertSource(trx: Trx, row: Insertable<Database['vault_policies']>): Promise<void> {
  const { source, updated_at } = row;
  await trx
    .insertInto('vault_policies')
    .values(row)
    .onConflict((conflict) => conflict.column('role_id').doUpdateSet({ source, updated_at }))
    .execute();
}

export async function deleteSource(trx: Trx, role_id: string): Promise<void> {
  await trx.deleteFrom('vault_policies').where('role_id', '=', role_id).execute();
}
