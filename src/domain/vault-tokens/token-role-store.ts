import { sql } from 'kysely';
import type { VaultTokenRole } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export async function findSettings(db: Db, name: string): Promise<VaultTokenRole | undefined> {
  const row = await db.selectFrom('vault_token_roles').select('settings').where('name', '=', name).executeTakeFirst();
  return row?.settings;
}

const mostListed = 10_000;

export async function listNames(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('vault_token_roles').select('name').orderBy('name').limit(mostListed).execute();
  return rows.map(({ name }) => name);
}

/** Locks a role by its name, also one that does not exist yet. */
export async function lockRole(trx: Trx, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${`latchkey vault token role ${name}`}))`.execute(trx);
}

export async function saveSettings(trx: Trx, name: string, settings: VaultTokenRole, now: Date): Promise<void> {
  const written = { settings: JSON.stringify(settings), updated_at: now };
  await trx
    .insertInto('vault_token_roles')
    .values({ name, created_at: now, ...written })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(written))
    .execute();
}

/** @returns whether it existed */
export async function deleteRole(trx: Trx, name: string): Promise<boolean> {
  const { numDeletedRows } = await trx.deleteFrom('vault_token_roles').where('name', '=', name).executeTakeFirst();
  return numDeletedRows > 0n;
}
