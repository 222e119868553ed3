import { v7 as uuidv7 } from 'uuid';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid, mustBeAt, notFound } from '../../platform/http/index.ts';
import { appendEvent, changesBetween } from '../audit/index.ts';
import { type AccessDeps, addsRights, type Gift, mustHold, mustNotExceedLimits } from './authority.ts';
import { mustExport, mustExportAny, mustFitInClaim, refuseTakenGroup } from './groups.ts';
import type { RoleChanges, RoleInput } from './schemas.ts';
import {
  deleteAssignment,
  deleteRole,
  findRoleByName,
  hasOwner,
  insertAssignment,
  insertRole,
  listRoleAssignments,
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
 * Changes what a role says and gives, to all who have it, from their next request on.
 *
 * @throws Problem `not_found`; `conflict`: it is built in, or another role is exported under the name; `forbidden`: it gives,
 *   or gave, what the actor does not hold, or its group changes without the permission for it
 */
export async function changeRole(
  { db, now }: AccessDeps,
  actor: Actor,
  { name, ifVersion, ...changes }: RoleChanges & { name: string; ifVersion: number | undefined },
): Promise<Role> {
  return inTransaction(db, async (trx) => {
    // Locked in the same order as when a role is assigned: first this, then the role.
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

/** Whether a changed role gives something to those who have it that it did not give. */
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

export type RoleAssignment = {
  subject: { kind: 'user' | 'client'; id: string };
  role: string;
  /** Until when; undefined: for good. */
  until?: Date | undefined;
  occurred_at: Date;
};

/**
 * Assigns a role to a subject, in the transaction of the caller, which judges whether the actor may (`grantRole` does).
 *
 * @throws Problem `invalid`: there is no such role; `conflict`: the subject would be in more groups than the claim `groups` holds
 */
export async function assignRole(
  trx: Trx,
  actor: Actor,
  { subject, role: name, until, occurred_at }: RoleAssignment,
): Promise<void> {
  const role = await findRoleByName(trx, name);
  if (!role) throw invalid('/roles', `There is no role "${name}".`);
  const granted = { granted_by_kind: actor.kind, granted_by: actor.id ?? null };
  const row = {
    ...{ role_id: role.id, subject_id: subject.id, until: until ?? null },
    ...granted,
    created_at: occurred_at,
  };
  const isGroup = role.exported_as !== null && subject.kind === 'user';
  if (isGroup) await lockOwners(trx);
  const isNew = await insertAssignment(trx, row);
  if (isGroup) await mustFitInClaim(trx, { subject_id: subject.id }, occurred_at);
  if (isNew) await record(trx, actor, 'role.assigned', { subject, role: name, until, occurred_at });
}

/**
 * Assigns a role to a subject, permanently or until a time.
 *
 * @throws Problem `invalid`: there is no such role, or the time is in the past; `forbidden`: the role contains a permission that
 *   the actor does not hold
 */
export async function grantRole(
  { db, now }: AccessDeps,
  actor: Actor,
  assignment: Omit<RoleAssignment, 'occurred_at'>,
): Promise<void> {
  const occurred_at = now();
  if (assignment.until && assignment.until <= occurred_at) throw invalid('/until', 'The time must be in the future.');
  await inTransaction(db, async (trx) => {
    const roles = await mustGive(trx, actor, [assignment.role], occurred_at);
    const send = 'Send an "until" that is no later.';
    mustNotExceed(actor, roles, { until: assignment.until ?? null, pointer: '/until', send });
    await keepingAnOwner(trx, () => assignRole(trx, actor, { ...assignment, occurred_at }));
  });
}

/**
 * Unassigns a role from a subject.
 *
 * @throws Problem `not_found`: the subject does not have it; `conflict`: no owner would be left; `forbidden`: the role contains a
 *   permission that the actor does not hold
 */
export async function unassignRole(
  { db, now }: AccessDeps,
  actor: Actor,
  { subject, role: name }: Pick<RoleAssignment, 'subject' | 'role'>,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const role = await findRoleByName(trx, name);
    if (!role) throw notFound('role', name);
    mustExportAny(actor, [role]);
    await mustHold({ db: trx, now }, actor, role.permissions);
    await keepingAnOwner(trx, async () => {
      if (!(await deleteAssignment(trx, role.id, subject.id))) throw notFound('assignment of role', name);
    });
    await record(trx, actor, 'role.unassigned', { subject, role: name, occurred_at: now() });
  });
}

/**
 * Sets the roles of a subject to exactly these. @returns whether anything changed
 *
 * @throws Problem `invalid`: there is no such role; `conflict`: no owner would be left; `forbidden`: the actor does not hold a
 *   permission of an added or removed role
 */
export async function setRoles(
  trx: Trx,
  actor: Actor,
  { subject, roles, occurred_at }: { subject: RoleAssignment['subject']; roles: readonly string[]; occurred_at: Date },
): Promise<boolean> {
  const present = await listRoleAssignments(trx, subject.id, occurred_at);
  const gone = present.filter((role) => !roles.includes(role));
  const added = roles.filter((role) => !present.includes(role));
  const given = (await mustGive(trx, actor, [...gone, ...added], occurred_at)).filter(({ name }) =>
    added.includes(name),
  );
  const send = 'Assign the role with that expiry, with PUT /roles/{role}/assignments/{kind}/{subject}.';
  mustNotExceed(actor, given, { until: null, pointer: '/roles', send });
  for (const role of added) await assignRole(trx, actor, { subject, role, occurred_at });
  await keepingAnOwner(trx, async () => {
    for (const name of gone) {
      const role = await findRoleByName(trx, name);
      if (role) await deleteAssignment(trx, role.id, subject.id);
      await record(trx, actor, 'role.unassigned', { subject, role: name, occurred_at });
    }
  });
  return gone.length + added.length > 0;
}

/**
 * @returns the roles of these names
 * @throws Problem `invalid`: there is no such role; `forbidden`: one gives, or is, what the actor may not give away
 */
async function mustGive(trx: Trx, actor: Actor, names: readonly string[], now: Date): Promise<Role[]> {
  const roles = await listRolesNamed(trx, names);
  const unknown = names.find((name) => !roles.some((role) => role.name === name));
  if (unknown !== undefined) throw invalid('/roles', `There is no role "${unknown}".`);
  mustExportAny(actor, roles);
  const rights = roles.flatMap((role) => role.permissions);
  await mustHold({ db: trx, now: () => now }, actor, rights);
  return roles;
}

/** A role that gives nothing may be given for good by anyone. @throws Problem `forbidden` */
function mustNotExceed(actor: Actor, roles: readonly Role[], gift: Omit<Gift, 'what'>): void {
  const giving = roles.find(({ permissions, exported_as }) => permissions.length > 0 || exported_as !== null);
  if (giving) mustNotExceedLimits(actor, { what: `the role "${giving.name}"`, ...gift });
}

/**
 * Runs what may take an owner away; of two such at once the second sees what the first left.
 *
 * @throws Problem `conflict`: no owner would be left, so nobody could administer any more
 */
export async function keepingAnOwner<T>(trx: Trx, work: () => Promise<T>): Promise<T> {
  await lockOwners(trx);
  const hadOwner = await hasOwner(trx);
  const result = await work();
  if (hadOwner && !(await hasOwner(trx)))
    throw conflict('This is the last owner: assign the role "owner" to another user first.');
  return result;
}

async function record(
  trx: Trx,
  actor: Actor,
  action: 'role.assigned' | 'role.unassigned',
  { subject, role, until, occurred_at }: RoleAssignment,
): Promise<void> {
  await appendEvent(trx, { actor, action, target: subject, details: { role, until }, occurred_at });
}
