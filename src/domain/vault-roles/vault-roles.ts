import type { VaultRoleSettings } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, notFound } from '../../platform/http/index.ts';
import { listRoleAssignments, setRoles } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { type ClientDeps, ClientInput, lockClient, putClient } from '../clients/index.ts';
import { findRole, isRoleClient, listRoleNames, markRoleDeleted, type RoleRow, upsertRole } from './store.ts';

export type VaultRoleDeps = Pick<ClientDeps, 'keys' | 'validateMetadata'> & { db: Db; now: () => Date };

/** A role, with its policies: roles of Latchkey that its client has. */
export type VaultRole = { client_id: string; name: string; settings: VaultRoleSettings; policies: string[] };

export async function findVaultRole(
  { db, now }: Pick<VaultRoleDeps, 'db' | 'now'>,
  name: string,
): Promise<VaultRole | undefined> {
  const row = await findRole(db, name);
  if (!row) return undefined;
  const { client_id, settings } = row;
  return { client_id, name, settings, policies: await listRoleAssignments(db, client_id, now()) };
}

export function listVaultRoles({ db }: Pick<VaultRoleDeps, 'db'>): Promise<string[]> {
  return listRoleNames(db);
}

type NewRole = {
  name: string;
  change: (before: VaultRoleSettings) => VaultRoleSettings;
  policies: readonly string[] | undefined;
};

const unlimited: VaultRoleSettings = {
  ...{ secret_id_ttl: 0, secret_id_num_uses: 0, secret_id_bound_cidrs: [] },
  ...{ token_ttl: 0, token_max_ttl: 0, token_num_uses: 0, token_bound_cidrs: [] },
};

/**
 * Creates or changes a role: a client that acts for itself, with the permissions of its policies.
 *
 * @throws Problem `conflict`: there is another client of this name; `forbidden`: a policy grants, or granted, a permission that the actor lacks;
 *   `invalid`: there is no such policy
 */
export async function putVaultRole(
  deps: VaultRoleDeps,
  actor: Actor,
  { name, change, policies }: NewRole,
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const before = await findRole(trx, name);
    const id = await clientOf(trx, deps, actor, name);
    const occurred_at = deps.now();
    if (policies) await setRoles(trx, actor, { subject: { kind: 'client', id }, roles: policies, occurred_at });
    const settings = change(before?.settings ?? unlimited);
    const times = { created_at: occurred_at, updated_at: occurred_at };
    await upsertRole(trx, { client_id: id, settings: JSON.stringify(settings), ...times });
    const details = { ...settings, ...(policies && { policies }) };
    const target = { kind: 'client', id: name };
    await appendEvent(trx, { actor, action: 'vault.role.written', target, details, occurred_at });
  });
}

/** The client of a role; registers it if there is none. @throws Problem `conflict` */
async function clientOf(trx: Trx, deps: VaultRoleDeps, actor: Actor, name: string): Promise<string> {
  const existing = await lockClient(trx, name);
  if (existing && (await isRoleClient(trx, existing.id))) return existing.id;
  if (existing) throw conflict(`The client "${name}" is not an AppRole role. Choose another name.`);
  // Its own secret is unknown to everyone: it logs in with secret ids.
  const input = ClientInput.parse({ client_id: name, client_name: name, grant_types: ['client_credentials'] });
  return (await putClient(trx, deps, actor, input, { over: 'nothing' })).client.id;
}

/**
 * Deletes a role: its client loses policies and secret ids, so that its tokens have no permissions from then on. Repeating it changes
 * nothing.
 *
 * @throws Problem `forbidden`: it has permissions that the actor lacks
 */
export async function removeVaultRole(deps: VaultRoleDeps, actor: Actor, name: string): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const client = await lockClient(trx, name);
    const role = client && (await findRole(trx, name));
    if (!client || !role) return;
    const occurred_at = deps.now();
    await setRoles(trx, actor, { subject: { kind: 'client', id: client.id }, roles: [], occurred_at });
    await markRoleDeleted(trx, client.id, occurred_at);
    const target = { kind: 'client', id: name };
    await appendEvent(trx, { actor, action: 'vault.role.deleted', target, occurred_at });
  });
}

/** @throws Problem `not_found` */
export async function lockVaultRole(trx: Trx, name: string): Promise<RoleRow> {
  const client = await lockClient(trx, name);
  const role = client && (await findRole(trx, name));
  if (!role) throw notFound('role', name);
  return role;
}
