import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid, notFound, type Problem } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { deleteAssignment, insertAssignment, listRoleAssignments } from './assignment-store.ts';
import { type AccessDeps, mustHold } from './authority.ts';
import { mustExportAny, mustFitInClaim } from './groups.ts';
import { listTrustsGiving } from './mapped-role-store.ts';
import { lockRow } from './preparer-store.ts';
import { endDoubtedSessions } from './preparers.ts';
import { mustGive, mustNotExceed } from './roles.ts';
import { findRoleByName, hasOwner, isOfTrust, lockOwners, type Role } from './store.ts';

export type RoleAssignment = {
  subject: { kind: 'user' | 'client'; id: string };
  role: string;
  /** When it expires; undefined: never. */
  until?: Date | undefined;
  occurred_at: Date;
};

/**
 * Assigns a role to a subject, in the transaction of the caller, which judges whether the actor may (`grantRole` does).
 *
 * @throws Problem `invalid`: there is no such role; `conflict`: the subject would be in more groups than the claim `groups` holds, or is a workload
 */
export async function assignRole(
  trx: Trx,
  actor: Actor,
  { subject, role: name, until, occurred_at }: RoleAssignment,
): Promise<void> {
  const role = await findRoleByName(trx, name);
  if (!role) throw invalid('/roles', `There is no role "${name}".`);
  // A user who changes the trust decides who acts as this client, and must hold the trust's permissions, but not those of roles.
  if (subject.kind === 'client' && (await isOfTrust(trx, subject.id)))
    throw conflict('A trust registered this client: set its permissions at the trust, not with roles.');
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
  if (!isNew) return;
  const isSignedOut = (await endDoubtedSessions(trx, role, { user_id: subject.id, now: occurred_at })) > 0;
  const ended = isSignedOut ? { ends_sessions: true as const } : {};
  await record(trx, actor, 'role.assigned', { subject, role: name, until, occurred_at, ...ended });
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
    await lockRow(trx, assignment.subject.id);
    const roles = await mustGive(trx, actor, [assignment.role], occurred_at);
    const send = 'Send an "until" that is no later.';
    mustNotExceed(actor, roles, { until: assignment.until ?? null, pointer: '/until', send });
    await keepingAnOwner(trx, () => assignRole(trx, actor, { ...assignment, occurred_at }));
  });
}

/**
 * Unassigns a role from a subject.
 *
 * @throws Problem `not_found`: the subject does not have it; `conflict`: no owner would be left, or a trust assigned it;
 *   `forbidden`: the role contains a permission that the actor does not hold
 */
export async function unassignRole(
  { db, now }: AccessDeps,
  actor: Actor,
  { subject, role: name }: Pick<RoleAssignment, 'subject' | 'role'>,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const role = await findRoleByName(trx, name);
    if (!role) throw notFound('role', name);
    if (subject.kind === 'client' && (await isOfTrust(trx, subject.id)))
      throw conflict('A trust registered this client: set its roles at the trust.');
    mustExportAny(actor, [role]);
    await mustHold({ db: trx, now }, actor, role.permissions);
    await keepingAnOwner(trx, async () => {
      if (await deleteAssignment(trx, role.id, subject.id)) return;
      throw await notAssigned(trx, role, subject.id);
    });
    await record(trx, actor, 'role.unassigned', { subject, role: name, occurred_at: now() });
  });
}

/** Why a role cannot be removed: the subject does not have it, or has it by the claims of an identity provider. */
async function notAssigned(trx: Trx, { id: role_id, name }: Role, subject_id: string): Promise<Problem> {
  const [trust] = await listTrustsGiving(trx, { role_id, subject_id });
  if (trust === undefined) return notFound('assignment of role', name);
  return conflict(`The user has this role by a role mapping of the trust "${trust}". Change the mapping.`);
}

/**
 * Sets the roles that are assigned to a subject to exactly these; those by claims of identity providers stay. @returns whether anything changed
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
  const removed = present.filter((role) => !roles.includes(role));
  const added = roles.filter((role) => !present.includes(role));
  const given = (await mustGive(trx, actor, [...removed, ...added], occurred_at)).filter(({ name }) =>
    added.includes(name),
  );
  const send = 'Assign the role with that expiry, with PUT /roles/{role}/assignments/{kind}/{subject}.';
  mustNotExceed(actor, given, { until: null, pointer: '/roles', send });
  for (const role of added) await assignRole(trx, actor, { subject, role, occurred_at });
  await keepingAnOwner(trx, async () => {
    for (const name of removed) {
      const role = await findRoleByName(trx, name);
      if (role) await deleteAssignment(trx, role.id, subject.id);
      await record(trx, actor, 'role.unassigned', { subject, role: name, occurred_at });
    }
  });
  return removed.length + added.length > 0;
}

/** Unassigns all roles from a subject that is deleted. The caller has checked that the actor may delete it. */
export async function removeEveryRole(
  trx: Trx,
  actor: Actor,
  { subject, occurred_at }: Pick<RoleAssignment, 'subject' | 'occurred_at'>,
): Promise<void> {
  for (const name of await listRoleAssignments(trx, subject.id, occurred_at)) {
    const role = await findRoleByName(trx, name);
    if (role) await deleteAssignment(trx, role.id, subject.id);
    await record(trx, actor, 'role.unassigned', { subject, role: name, occurred_at });
  }
}

/**
 * Runs work that may remove an owner. A concurrent one waits and then sees the result.
 *
 * @throws Problem `conflict`: no owner would be left, so no one could administer the installation
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
  { subject, occurred_at, ...details }: RoleAssignment & { ends_sessions?: true },
): Promise<void> {
  await appendEvent(trx, { actor, action, target: subject, details, occurred_at });
}
