import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Db } from '../../platform/database/index.ts';
import { type Actor, invalid, Timestamp } from '../../platform/http/index.ts';
import { type Assignment, findAssignmentTo } from './assignment-store.ts';
import type { AccessDeps } from './authority.ts';
import { Owner, subjectNameOf, subjectOf } from './owner.ts';
import { grantRole, type RoleAssignment, unassignRole } from './role-assignments.ts';
import { changeRole, createRole } from './roles.ts';
import { type RoleInput, RoleName } from './schemas.ts';
import { findRoleByName, type Right } from './store.ts';

type Change = 'created' | 'updated' | 'unchanged';

/** The assignment of a role in a configuration file. */
export const AssignmentEntry = z.strictObject({
  role: RoleName,
  to: Owner.meta({ description: 'a client, `{ "client_id": "billing" }`, or a user, `{ "user": "alice" }`' }),
  until: Timestamp.optional().meta({ description: 'when the assignment expires; omitted: never' }),
});
export type AssignmentEntry = z.output<typeof AssignmentEntry>;

/** An assignment as an entry of a configuration file. */
export function assignmentEntryOf({ role, subject_kind, subject, until }: Assignment): AssignmentEntry {
  const to = subject_kind === 'client' ? { client_id: subject } : { user: `username:${subject}` };
  return { role, to, ...(until && { until }) };
}

/**
 * Creates a role, or updates an existing one to equal the input.
 *
 * @throws Problem as `createRole` and `changeRole`
 */
export async function putRole(deps: AccessDeps, actor: Actor, input: RoleInput): Promise<Change> {
  const existing = await findRoleByName(deps.db, input.name);
  if (!existing) {
    await createRole(deps, actor, input);
    return 'created';
  }
  const { description = null, exported_as = null, permissions } = input;
  const isSame =
    existing.description === description &&
    existing.exported_as === exported_as &&
    isDeepStrictEqual(sorted(existing.permissions), sorted(permissions));
  if (isSame) return 'unchanged';
  const changes = { description, exported_as, permissions };
  await changeRole(deps, actor, { name: input.name, ifVersion: undefined, ...changes });
  return 'updated';
}

const sorted = (rights: readonly Right[]) => rights.map(({ resource, pattern }) => `${resource} ${pattern}`).sort();

/**
 * Assigns a role according to a configuration entry. An expired entry has no effect.
 *
 * @throws Problem `invalid`: there is no such subject or role; otherwise as `grantRole`
 */
export async function putAssignment(
  deps: AccessDeps,
  actor: Actor,
  { role, to, until }: AssignmentEntry,
): Promise<Change> {
  if (!(await findRoleByName(deps.db, role))) throw invalid('/role', `There is no role "${role}".`);
  const subject = await subjectNamed(deps.db, to);
  const present = await findAssignmentTo(deps.db, subject.id, role);
  const isSame = present && (present.until?.getTime() ?? null) === (until?.getTime() ?? null);
  if (isSame || (until && until <= deps.now())) return 'unchanged';
  await grantRole(deps, actor, { subject, role, until });
  return present ? 'updated' : 'created';
}

/** Removes an assignment. @throws Problem as `unassignRole` */
export async function removeAssignment(deps: AccessDeps, actor: Actor, { role, to }: AssignmentEntry): Promise<void> {
  await unassignRole(deps, actor, { subject: await subjectNamed(deps.db, to), role });
}

async function subjectNamed(db: Db, to: Owner): Promise<RoleAssignment['subject']> {
  return { kind: subjectNameOf(to).kind, id: await subjectOf(db, to, '/to') };
}
