import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { findRoleByName, listRoles, lockRole, putRole, type Right, type Role, removeRole } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { deleteSource, findSource, upsertSource } from './store.ts';

export type PolicyDeps = {
  db: Db;
  now: () => Date;
  /** The store of secrets as a resource server. */
  audience: string;
};

/** A policy. `source`: its text; undefined: it was created as a role. */
export type Policy = { name: string; permissions: string[]; source: string | undefined };

const isAt =
  (audience: string) =>
  ({ resource }: Right): boolean =>
    resource === audience;

/** The names of the roles with permissions at the store, in order. */
export async function listPolicies({ db, audience }: PolicyDeps): Promise<string[]> {
  const roles = await listRoles(db);
  return roles.filter(({ permissions }) => permissions.some(isAt(audience))).map(({ name }) => name);
}

export async function findPolicy({ db, audience }: PolicyDeps, name: string): Promise<Policy | undefined> {
  const role = await findRoleByName(db, name);
  const source = role && (await findSource(db, role.id));
  if (!role || !(source || role.permissions.some(isAt(audience)))) return undefined;
  return { name, permissions: patternsOf(role, audience), source: source?.source };
}

const patternsOf = ({ permissions }: Role, audience: string) =>
  permissions.filter(isAt(audience)).map(({ pattern }) => pattern);

type NewPolicy = { name: string; source: string; permissions: readonly string[] };

/**
 * Sets the permissions of a role at the store, and stores their text. Its other permissions do not change.
 *
 * @throws Problem `forbidden`: it grants, or granted, permissions that the actor lacks; `conflict`: the role is built in
 */
export async function putPolicy(
  { db, now, audience }: PolicyDeps,
  actor: Actor,
  { name, source, permissions }: NewPolicy,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const role = await lockRole(trx, name);
    const rights = permissions.map((pattern) => ({ resource: audience, pattern }));
    await changeRights({ trx, now, audience }, actor, { name, role, rights });
    const changed = await findRoleByName(trx, name);
    if (!changed) throw new Error('the role was not made');
    const updated_at = now();
    await upsertSource(trx, { role_id: changed.id, source, updated_at });
    await record(trx, actor, { action: 'vault.policy.written', name, permissions, occurred_at: updated_at });
  });
}

type Changed = { name: string; role: Role | undefined; rights: readonly Right[] };

async function changeRights(
  { trx, now, audience }: Pick<PolicyDeps, 'now' | 'audience'> & { trx: Trx },
  actor: Actor,
  { name, role, rights }: Changed,
): Promise<void> {
  const others = role?.permissions.filter((right) => !isAt(audience)(right)) ?? [];
  const { description, exported_as } = role ?? {};
  await putRole({ db: trx, now }, actor, {
    name,
    permissions: [...others, ...rights],
    ...(description && { description }),
    ...(exported_as && { exported_as }),
  });
}

/**
 * Removes the permissions of a role at the store, and the role itself if it has no others. Repeating it changes nothing.
 *
 * @throws Problem as `putPolicy`
 */
export async function removePolicy({ db, now, audience }: PolicyDeps, actor: Actor, name: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const role = await lockRole(trx, name);
    if (!role) return;
    const source = await findSource(trx, role.id);
    const permissions = patternsOf(role, audience);
    if (!source && permissions.length === 0) return;
    const hasOthers = role.permissions.some((right) => !isAt(audience)(right));
    await deleteSource(trx, role.id);
    if (hasOthers) await changeRights({ trx, now, audience }, actor, { name, role, rights: [] });
    else await removeRole({ db: trx, now }, actor, name);
    await record(trx, actor, { action: 'vault.policy.deleted', name, permissions, occurred_at: now() });
  });
}

type Recorded = {
  action: 'vault.policy.written' | 'vault.policy.deleted';
  name: string;
  permissions: readonly string[];
  occurred_at: Date;
};

async function record(trx: Trx, actor: Actor, { action, name, permissions, occurred_at }: Recorded): Promise<void> {
  await appendEvent(trx, { actor, action, target: { kind: 'role', id: name }, details: { permissions }, occurred_at });
}
