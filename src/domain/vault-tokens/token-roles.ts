import { sql } from 'kysely';
import type { VaultTokenRole } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { VaultTokenDeps } from './vault-tokens.ts';

const unlimited: VaultTokenRole = {
  ...{ allowed_policies: [], disallowed_policies: [], orphan: false, renewable: true, path_suffix: '' },
  ...{ token_bound_cidrs: [], token_explicit_max_ttl: 0, token_no_default_policy: false, token_num_uses: 0 },
};

/** The limits of the tokens that are created with a role. A role grants nothing: its tokens have at most what their creator has. */
export async function findTokenRole({ db }: { db: Db }, name: string): Promise<VaultTokenRole | undefined> {
  const row = await db.selectFrom('vault_token_roles').select('settings').where('name', '=', name).executeTakeFirst();
  return row?.settings;
}

const mostListed = 10_000;

export async function listTokenRoles({ db }: { db: Db }): Promise<string[]> {
  const rows = await db.selectFrom('vault_token_roles').select('name').orderBy('name').limit(mostListed).execute();
  return rows.map(({ name }) => name);
}

/** Creates a role, or changes it. */
export async function putTokenRole(
  { db, now }: VaultTokenDeps,
  actor: Actor,
  { name, change }: { name: string; change: (before: VaultTokenRole) => VaultTokenRole },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await lockName(trx, name);
    const details = change((await findTokenRole({ db: trx }, name)) ?? unlimited);
    const occurred_at = now();
    const written = { settings: JSON.stringify(details), updated_at: occurred_at };
    await trx
      .insertInto('vault_token_roles')
      .values({ name, created_at: occurred_at, ...written })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(written))
      .execute();
    const target = { kind: 'vault_token_role', id: name };
    await appendEvent(trx, { actor, action: 'vault.token_role.written', target, details, occurred_at });
  });
}

/** Deletes a role; its tokens do not change. Repeating it changes nothing. */
export async function removeTokenRole({ db, now }: VaultTokenDeps, actor: Actor, name: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await lockName(trx, name);
    const { numDeletedRows } = await trx.deleteFrom('vault_token_roles').where('name', '=', name).executeTakeFirst();
    if (numDeletedRows === 0n) return;
    const target = { kind: 'vault_token_role', id: name };
    await appendEvent(trx, { actor, action: 'vault.token_role.deleted', target, occurred_at: now() });
  });
}

/** Changes of a role are serialized, including the first one, for which there is no row yet. */
async function lockName(trx: Trx, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${`latchkey vault token role ${name}`}))`.execute(trx);
}
