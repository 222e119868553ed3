import type { VaultTokenRole } from '../../../db/schema.ts';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { deleteRole, findSettings, listNames, lockRole, saveSettings } from './token-role-store.ts';
import type { VaultTokenDeps } from './vault-tokens.ts';

const unlimited: VaultTokenRole = {
  ...{ allowed_policies: [], disallowed_policies: [], orphan: false, renewable: true, path_suffix: '' },
  ...{ token_bound_cidrs: [], token_explicit_max_ttl: 0, token_no_default_policy: false, token_num_uses: 0 },
};

/** The limits of the tokens that are created with a role. A role grants nothing: its tokens have at most what their creator has. */
export function findTokenRole({ db }: { db: Db }, name: string): Promise<VaultTokenRole | undefined> {
  return findSettings(db, name);
}

/** The names of all roles. */
export function listTokenRoles({ db }: { db: Db }): Promise<string[]> {
  return listNames(db);
}

const targetOf = (name: string) => ({ kind: 'vault_token_role', id: name });

/** Creates a role, or changes it. */
export async function putTokenRole(
  { db, now }: VaultTokenDeps,
  actor: Actor,
  { name, change }: { name: string; change: (before: VaultTokenRole) => VaultTokenRole },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    await lockRole(trx, name);
    const details = change((await findSettings(trx, name)) ?? unlimited);
    const occurred_at = now();
    await saveSettings(trx, name, details, occurred_at);
    await appendEvent(trx, { actor, action: 'vault.token_role.written', target: targetOf(name), details, occurred_at });
  });
}

/** Deletes a role; its tokens do not change. Repeating it changes nothing. */
export async function removeTokenRole({ db, now }: VaultTokenDeps, actor: Actor, name: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await lockRole(trx, name);
    if (!(await deleteRole(trx, name))) return;
    const target = targetOf(name);
    await appendEvent(trx, { actor, action: 'vault.token_role.deleted', target, occurred_at: now() });
  });
}
