import { type Insertable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, pageOfQuery } from '../../platform/lists/index.ts';
import { notOver } from './store.ts';

export async function insertAssignment(
  trx: Trx,
  assignment: Insertable<Database['role_assignments']>,
): Promise<boolean> {
  const { until, granted_by_kind, granted_by } = assignment;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('role_assignments')
    .values(assignment)
    .onConflict((conflict) =>
      conflict
        .columns(['role_id', 'subject_id'])
        .doUpdateSet({ until, granted_by_kind, granted_by })
        .where(sql<boolean>`role_assignments.until is distinct from ${until}`),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function deleteAssignment(trx: Trx, role_id: string, subject_id: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('role_assignments')
    .where('role_id', '=', role_id)
    .where('subject_id', '=', subject_id)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/** The names of the roles that are assigned to a subject now, without those by claims. */
export async function listRoleAssignments(db: Db, subject_id: string, now: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .select('r.name')
    .where('a.subject_id', '=', subject_id)
    .where(notOver(now))
    .orderBy('r.name')
    .execute();
  return rows.map(({ name }) => name);
}

/** The names of the roles that a subject has now: assigned ones, and those by claims of identity providers. */
export async function listRoleNames(db: Db, subject_id: string, now: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('standing_role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .select('r.name')
    .distinct()
    .where('a.subject_id', '=', subject_id)
    .where(notOver(now))
    .orderBy('r.name')
    .execute();
  return rows.map(({ name }) => name);
}

export type Assignment = {
  role: string;
  subject_id: string;
  subject_kind: 'user' | 'client';
  /** Username or `client_id`. */
  subject: string;
  until: Date | null;
  /** Who assigned it; null: it was assigned before this was recorded. */
  granted_by: Giver | null;
  created_at: Date;
};

/** Who assigned a role, as events name their actor, with a readable name. */
export type Giver = { kind: string; id: string | null; name: string | null };

// Events name a user by id, a client by `client_id`; a deleted one has no name.
const giver = sql<Giver | null>`case when a.granted_by_kind is not null then json_build_object('kind', a.granted_by_kind, 'id', a.granted_by,
  'name', case a.granted_by_kind
    when 'user' then (select username from users where id = a.granted_by::uuid)
    when 'api_key' then (select name from api_keys where id = a.granted_by::uuid)
    when 'trust' then (select name from trusts where id = a.granted_by::uuid)
    else a.granted_by end) end`;

function assignments(db: Db) {
  return db
    .selectFrom('standing_role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .innerJoin('subjects as s', 's.id', 'a.subject_id')
    .leftJoin('users as u', 'u.id', 's.id')
    .leftJoin('clients as c', 'c.id', 's.id')
    .select(['r.name as role', 'a.subject_id', 's.kind as subject_kind', 'a.until', 'a.created_at'])
    .select([sql<string>`coalesce(u.username, c.client_id)`.as('subject'), giver.as('granted_by')]);
}

// UUIDv7 ids grow with time: the oldest come first.
const assignmentOrders: ListOrders = { key: { by: sql`a.id`, type: 'uuid' }, orders: { id: 'key' } };

/** A page of the assignments of a role, by subject. */
export function listAssignmentsOf(
  db: Db,
  { role, ...request }: Omit<ListRequest, 'sort'> & { role: string },
): Promise<Page<Assignment>> {
  const found = assignments(db).where('r.name', '=', role);
  return pageOfQuery(db, found, assignmentOrders, { ...request, sort: 'id' });
}

/** All assignments in effect at `now`, except those that trusts make: to their workloads, or by claims. */
export async function listEveryAssignment(db: Db, now: Date): Promise<Assignment[]> {
  return assignments(db).where(notOver(now)).where(isAssigned).orderBy('r.name').orderBy('a.subject_id').execute();
}

const isAssigned = sql<boolean>`a.granted_by_kind is distinct from 'trust'`;

/** The assignment of a role to a subject; undefined: there is none, or only by a trust. */
export async function findAssignmentTo(db: Db, subject_id: string, role: string): Promise<Assignment | undefined> {
  const query = assignments(db).where('a.subject_id', '=', subject_id).where('r.name', '=', role);
  return query.where(isAssigned).executeTakeFirst();
}

/** The roles of one subject, by name. */
export async function listAssignmentsTo(db: Db, subject_id: string): Promise<Assignment[]> {
  return assignments(db).where('a.subject_id', '=', subject_id).orderBy('r.name').orderBy('a.id').execute();
}
