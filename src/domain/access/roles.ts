import { v7 as uuidv7 } from 'uuid';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid, mustBeAt, notFound } from '../../platform/http/index.ts';
import { appendEvent, changesBetween } from '../audit/index.ts';
import { type AccessDeps, addsRights, type Gift, mustHold, mustNotExceedLimits } from './authority.ts';
import { mustExport, mustExportAny, mustFitInClaim, refuseTakenGroup } from './groups.ts';
import { endDoubtedSessions } from './preparers.ts';
import type { RoleChanges, RoleInput } from './schemas.ts';
import {
  deleteRole,
  findRoleByName,
  insertRole,
  listRolesNamed,
  lockOwners,
  lockRole,
  type Role,
  replaceRolePermissions,
  updateRole,
} from './store.ts';

/**
 * Creates a role.
 *
 * @throws Problem `conflict`: the name is taken; `forbidden`: it contains a permission that the actor does not hold, or is
 *   exported without the permission for it
 */
export async function createRole({ db, now }: AccessDeps, actor: Actor, input: RoleInput): Promise<Role> {
  return inTransaction(db, async (trx) => {
    await mustHold({ db: trx, now }, actor, input.permissions);
    const { exported_as = null } = input;
    if (exported_as !== null) mustExport(actor);
    if (await lockRole(trx, input.name)) throw conflict(`A role named "${input.name}" already exists.`);
    const created_at = now();
    const id = uuidv7();
    const row = { id, name: input.name, description: input.description ?? null, exported_as, created_at };
    await insertRole(trx, row).catch(refuseTakenGroup);
    await replaceRolePermissions(trx, id, input.permissions);
    await recordRole(trx, actor, 'role.created', {
      name: input.name,
      permissions: input.permissions,
      ...(exported_as !== null && { exported_as }),
      occurred_at: created_at,
    });
    return getRole(trx, input.name);
  });
}

/**
 * Changes a role. It takes effect for everyone who has it from their next request on.
 *
 * @throws Problem `not_found`; `conflict`: it is built in, or another role is exported under the name; `forbidden`: it contains,
 *   or contained, a permission that the actor does not hold, or its group changes without the permission for it
 */
export async function changeRole(
  { db, now }: AccessDeps,
  actor: Actor,
  { name, ifVersion, ...changes }: RoleChanges & { name: string; ifVersion: number | undefined },
): Promise<Role> {
  return inTransaction(db, async (trx) => {
    // Assigning a role locks in the same order: the owners first, then the role.
    if (changes.exported_as !== undefined) await lockOwners(trx);
    const role = await lockOwnRole(trx, name);
    mustBeAt(role.version, ifVersion);
    const { exported_as = role.exported_as } = changes;
    const isGroupChanged = exported_as !== role.exported_as;
    if (isGroupChanged) mustExport(actor);
    const permissions = changes.permissions ?? role.permissions;
    await mustHold({ db: trx, now }, actor, [...role.permissions, ...permissions]);
    if (givesMore(role, { permissions, exported_as }))
      mustNotExceedLimits(actor, { what: `the permissions of the role "${name}"`, until: null });
    const updated_at = now();
    const description = changes.description === undefined ? role.description : changes.description;
    await updateRole(trx, role.id, { description, exported_as, updated_at }).catch(refuseTakenGroup);
    if (isGroupChanged && exported_as !== null) await mustFitInClaim(trx, { role_id: role.id }, updated_at);
    await replaceRolePermissions(trx, role.id, permissions);
    const after = await getRole(trx, name);
    if (givesMore(role, after)) await endDoubtedSessions(trx, after, { now: updated_at });
    const group = isGroupChanged ? { exported_as } : {};
    const details = { changed: changesBetween(recordedMembersOf(role), recordedMembersOf(after)) };
    await recordRole(trx, actor, 'role.updated', { name, permissions, ...group, ...details, occurred_at: updated_at });
    return after;
  });
}

/**
 * Deletes a role and its assignments.
 *
 * @throws Problem `not_found`; `conflict`: it is built in; `forbidden`: it contains a permission that the actor does not hold
 */
export async function removeRole({ db, now }: AccessDeps, actor: Actor, name: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const role = await lockOwnRole(trx, name);
    const { id, permissions } = role;
    mustExportAny(actor, [role]);
    await mustHold({ db: trx, now }, actor, permissions);
    await deleteRole(trx, id);
    await recordRole(trx, actor, 'role.deleted', { name, permissions, occurred_at: now() });
  });
}

/** Whether a changed role grants something that it did not grant before. */
function givesMore(before: Role, after: Pick<Role, 'permissions' | 'exported_as'>): boolean {
  const isAnotherGroup = after.exported_as !== null && after.exported_as !== before.exported_as;
  return isAnotherGroup || addsRights(before.permissions, after.permissions);
}

async function lockOwnRole(trx: Trx, name: string): Promise<Role> {
  const role = await lockRole(trx, name);
  if (!role) throw notFound('role', name);
  if (role.built_in) throw conflict(`The role "${name}" is built in and cannot be changed.`);
  return role;
}

/** @throws Problem `not_found` */
async function getRole(trx: Trx, name: string): Promise<Role> {
  const role = await findRoleByName(trx, name);
  if (!role) throw notFound('role', name);
  return role;
}

const recordedMembersOf = ({ description, permissions, exported_as }: Role) => ({
  description,
  permissions,
  exported_as,
});

type Recorded = {
  name: string;
  permissions: readonly unknown[];
  exported_as?: string | null;
  changed?: ReturnType<typeof changesBetween>;
  occurred_at: Date;
};

async function recordRole(
  trx: Trx,
  actor: Actor,
  action: 'role.created' | 'role.updated' | 'role.deleted',
  { name, occurred_at, ...details }: Recorded,
): Promise<void> {
  await appendEvent(trx, { actor, action, target: { kind: 'role', id: name }, details, occurred_at });
}

/**
 * @returns the roles of these names
 * @throws Problem `invalid`: there is no such role; `forbidden`: the actor may not grant one of them
 */
export async function mustGive(trx: Trx, actor: Actor, names: readonly string[], now: Date): Promise<Role[]> {
  const roles = await listRolesNamed(trx, names);
  const unknown = names.find((name) => !roles.some((role) => role.name === name));
  if (unknown !== undefined) throw invalid('/roles', `There is no role "${unknown}".`);
  mustExportAny(actor, roles);
  const rights = roles.flatMap((role) => role.permissions);
  await mustHold({ db: trx, now: () => now }, actor, rights);
  return roles;
}

/** Anyone may assign a role without permissions and group, also without an expiry. @throws Problem `forbidden` */
export function mustNotExceed(actor: Actor, roles: readonly Role[], gift: Omit<Gift, 'what'>): void {
  const giving = roles.find(({ permissions, exported_as }) => permissions.length > 0 || exported_as !== null);
  if (giving) mustNotExceedLimits(actor, { what: `the role "${giving.name}"`, ...gift });
}
