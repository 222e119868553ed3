import { sql } from 'kysely';
import type { Db, Trx } from '../platform/database/index.ts';

export type RoleRow = { id: string; name: string };

export async function findRole(db: Db, name: string): Promise<RoleRow | undefined> {
  return db.selectFrom('roles').select(['id', 'name']).where('name', '=', name).executeTakeFirst();
}

export async function insertAssignment(
  trx: Trx,
  assignment: { role_id: string; subject_id: string; created_at: Date },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('role_assignments')
    .values({ ...assignment, until: null })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function deleteAssignment(trx: Trx, role_id: string, subject_id: string): Promise<void> {
  await trx
    .deleteFrom('role_assignments')
    .where('role_id', '=', role_id)
    .where('subject_id', '=', subject_id)
    .execute();
}

/** Role names per subject. */
export async function listRoleAssignments(db: Db, subject_id: string): Promise<string[]> {
  const rows = await db
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .select('r.name')
    .where('a.subject_id', '=', subject_id)
    .orderBy('r.name')
    .execute();
  return rows.map(({ name }) => name);
}

export async function lockOwners(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey owners'))`.execute(trx);
}

/** Whether anybody enabled holds the built-in role `owner`: until then the setup page is open to the one-time link. */
export async function hasOwner(db: Db): Promise<boolean> {
  const owner = await db
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .innerJoin('users as u', 'u.id', 'a.subject_id')
    .select('u.id')
    .where('r.name', '=', 'owner')
    .where('u.enabled', '=', true)
    .limit(1)
    .executeTakeFirst();
  return owner !== undefined;
}

/** Permission patterns a subject's current roles give at a resource server. */
export async function permissionsAt(db: Db, subject_id: string, resource: string, now: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('role_assignments as a')
    .innerJoin('role_permissions as p', 'p.role_id', 'a.role_id')
    .select('p.pattern')
    .where('a.subject_id', '=', subject_id)
    .where((eb) => eb.or([eb('a.until', 'is', null), eb('a.until', '>', now)]))
    .where((eb) => eb.or([eb('p.resource', 'is', null), eb('p.resource', '=', resource)]))
    .execute();
  return rows.map(({ pattern }) => pattern);
}
