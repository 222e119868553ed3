import { appendEvent } from '../audit/index.ts';
import type { Trx } from '../platform/database/index.ts';
import { type Actor, conflict, invalid } from '../platform/http/index.ts';
import { deleteAssignment, findRole, hasOwner, insertAssignment, listRoleAssignments, lockOwners } from './store.ts';

export type RoleAssignment = { subject_id: string; role: string; occurred_at: Date };

/**
 * Gives a subject a role, in the transaction of the verb that decides it.
 *
 * @throws Problem `invalid`: there is no such role
 */
export async function assignRole(
  trx: Trx,
  actor: Actor,
  { subject_id, role: name, occurred_at }: RoleAssignment,
): Promise<void> {
  const role = await findRole(trx, name);
  if (!role) throw invalid('/roles', `There is no role "${name}".`);
  const isNew = await insertAssignment(trx, { role_id: role.id, subject_id, created_at: occurred_at });
  if (isNew) await record(trx, actor, 'role.assigned', { subject_id, role: name, occurred_at });
}

/**
 * Makes a subject's roles exactly these; answers whether anything changed.
 *
 * @throws Problem `invalid`: there is no such role; `conflict`: no owner would be left
 */
export async function setRoles(
  trx: Trx,
  actor: Actor,
  { subject_id, roles, occurred_at }: { subject_id: string; roles: readonly string[]; occurred_at: Date },
): Promise<boolean> {
  const present = await listRoleAssignments(trx, subject_id);
  const gone = present.filter((role) => !roles.includes(role));
  const added = roles.filter((role) => !present.includes(role));
  for (const role of added) await assignRole(trx, actor, { subject_id, role, occurred_at });
  await keepingAnOwner(trx, async () => {
    for (const name of gone) {
      const role = await findRole(trx, name);
      if (role) await deleteAssignment(trx, role.id, subject_id);
      await record(trx, actor, 'role.unassigned', { subject_id, role: name, occurred_at });
    }
  });
  return gone.length + added.length > 0;
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
  if (hadOwner && !(await hasOwner(trx))) throw conflict('This is the last owner: make somebody else an owner first.');
  return result;
}

async function record(
  trx: Trx,
  actor: Actor,
  action: string,
  { subject_id, role, occurred_at }: RoleAssignment,
): Promise<void> {
  await appendEvent(trx, { actor, action, target: { kind: 'user', id: subject_id }, details: { role }, occurred_at });
}
