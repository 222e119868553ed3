import type { VaultAuthMethod, VaultAuthRole } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, invalid } from '../../platform/http/index.ts';
import { listRolesNamed, mustHold, type Right } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { retireTrust } from '../trusts/index.ts';
import { lockConfigured, type VaultAuthDeps } from './auth-methods.ts';
import { type RoleBounds, writeRoleTrust } from './role-trusts.ts';
import { findRoleTrust, listRoleTrusts, lockMethod, type RoleTrust } from './store.ts';

/** A role of an auth method: its trust, and the policies of its workloads. */
export type AuthRole = { trust_id: string; role: VaultAuthRole; policies: readonly string[]; enabled: boolean };

const asRole = ({ id, vault_role, roles, enabled }: RoleTrust): AuthRole => ({
  ...{ trust_id: id, role: vault_role, policies: roles, enabled },
});

export async function findAuthRole(
  { db }: { db: Db },
  method: VaultAuthMethod,
  name: string,
): Promise<AuthRole | undefined> {
  const trust = await findRoleTrust(db, method, name);
  return trust && asRole(trust);
}

export async function listAuthRoles({ db }: { db: Db }, method: VaultAuthMethod): Promise<string[]> {
  return (await listRoleTrusts(db, method)).map(({ vault_role }) => vault_role.name);
}

type NewRole = { role: VaultAuthRole; policies: readonly string[]; boundsAt: (issuer: string) => RoleBounds };

/**
 * Creates or changes a role of an auth method: a trust whose workloads have the permissions of the policies.
 *
 * @param boundsAt the conditions of the role on the tokens of the method's issuer
 * @throws Problem `invalid`: the method is not configured, or there is no such policy, or one gives something at another API; `forbidden`: one
 *   gives, or gave, what the actor does not hold; `conflict`: there is another trust of the name
 */
export async function putAuthRole(
  deps: VaultAuthDeps,
  actor: Actor,
  { role, policies, boundsAt }: NewRole,
): Promise<void> {
  const { method, name } = role;
  await inTransaction(deps.db, async (trx) => {
    const configured = await lockConfigured(trx, deps, method);
    if (!configured) throw invalid('/config', `Write auth/${method}/config first: a role needs its issuer.`);
    await mustGiveAtStoreAlone(trx, deps, policies);
    const trust = await findRoleTrust(trx, method, name);
    const bounds = boundsAt(configured.config.issuer);
    await writeRoleTrust(trx, deps, actor, { role, bounds, roles: policies, trust, ...configured });
    const { token_ttl, token_max_ttl, token_num_uses, token_bound_cidrs } = role;
    const details = { policies, ...bounds, token_ttl, token_max_ttl, token_num_uses, token_bound_cidrs };
    const target = { kind: 'vault_auth_role', id: `${method}/${name}` };
    await appendEvent(trx, { actor, action: 'vault.auth_role.written', target, details, occurred_at: deps.now() });
  });
}

/** A caller who may configure a method has all permissions at the store, and none elsewhere. @throws Problem `invalid` */
async function mustGiveAtStoreAlone(trx: Trx, { audience }: VaultAuthDeps, names: readonly string[]): Promise<void> {
  for (const { name, permissions } of await listRolesNamed(trx, names)) {
    const elsewhere = permissions.find(({ resource }) => resource !== audience);
    if (elsewhere)
      throw invalid(
        '/token_policies',
        `The role "${name}" gives "${elsewhere.pattern}" at another API than the secrets: name a policy that gives secrets alone.`,
      );
  }
}

/**
 * Deletes a role, which revokes the tokens of its workloads. Repeating it changes nothing.
 *
 * @throws Problem `forbidden`: it grants permissions that the actor lacks
 */
export async function removeAuthRole(
  deps: VaultAuthDeps,
  actor: Actor,
  { method, name }: { method: VaultAuthMethod; name: string },
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    await lockMethod(trx, method);
    const trust = await findRoleTrust(trx, method, name);
    if (!trust) return;
    await mustHold({ db: trx, now: deps.now }, actor, await rightsOf(trx, trust));
    await retireTrust(trx, deps, actor, trust);
    const target = { kind: 'vault_auth_role', id: `${method}/${name}` };
    await appendEvent(trx, { actor, action: 'vault.auth_role.deleted', target, occurred_at: deps.now() });
  });
}

async function rightsOf(trx: Trx, { roles, permissions }: RoleTrust): Promise<Right[]> {
  const found = await listRolesNamed(trx, roles);
  const own = Object.entries(permissions).flatMap(([resource, patterns]) =>
    patterns.map((pattern) => ({ resource, pattern })),
  );
  return [...found.flatMap((role) => role.permissions), ...own];
}
