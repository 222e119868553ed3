import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

type MappedRow = Selectable<Database['mapped_roles']>;
export type MappedRole = Pick<MappedRow, 'role_id' | 'trust_epoch'> & { role: string; is_lapsed: boolean };

/** The roles that a user has by the claims that a trust accepts, or had until they lapsed or the trust changed. */
export async function listMappedRoles(
  db: Db,
  { subject_id, trust_id, now }: Pick<MappedRow, 'subject_id' | 'trust_id'> & { now: Date },
): Promise<MappedRole[]> {
  return db
    .selectFrom('mapped_roles as m')
    .innerJoin('roles as r', 'r.id', 'm.role_id')
    .leftJoin('standing_role_assignments as a', 'a.id', 'm.id')
    .select(['m.role_id', 'm.trust_epoch', 'r.name as role'])
    .select(sql<boolean>`coalesce(a.until <= ${now}, false)`.as('is_lapsed'))
    .where('m.subject_id', '=', subject_id)
    .where('m.trust_id', '=', trust_id)
    .orderBy('r.name')
    .execute();
}

/** Assigns a role and locks it until the transaction ends. @returns whether the role still exists */
export async function insertMappedRole(trx: Trx, row: Omit<MappedRow, 'id'>): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    insert into mapped_roles (id, role_id, subject_id, trust_id, trust_epoch, identity_id, created_at, confirmed_at, until)
    select ${uuidv7()}::uuid, r.id, ${row.subject_id}::uuid, ${row.trust_id}::uuid, ${row.trust_epoch}::integer,
      ${row.identity_id}::uuid, ${row.created_at}::timestamptz, ${row.confirmed_at}::timestamptz, ${row.until}::timestamptz
    from roles r where r.id = ${row.role_id} for key share`.execute(trx);
  return numAffectedRows > 0n;
}

/** Extends the roles that a user has by a trust to `until`, as long as this account is linked. */
export async function confirmMappedRoles(
  trx: Trx,
  { subject_id, trust_id, ...confirmed }: Omit<MappedRow, 'id' | 'role_id' | 'trust_epoch' | 'created_at'>,
): Promise<void> {
  await trx
    .updateTable('mapped_roles')
    .set(confirmed)
    .where('subject_id', '=', subject_id)
    .where('trust_id', '=', trust_id)
    .execute();
}

/** Whether a session began with a provider some of whose roles have lapsed for its user. */
export async function hasLapsedRoles(db: Db, session_uid: string, now: Date): Promise<boolean> {
  const found = await db
    .selectFrom('sessions as s')
    .innerJoin('mapped_roles as m', (join) =>
      join.onRef('m.subject_id', '=', 's.user_id').onRef('m.trust_id', '=', 's.trust_id'),
    )
    .innerJoin('standing_role_assignments as a', 'a.id', 'm.id')
    .select('m.id')
    .where('s.uid', '=', session_uid)
    .where('a.until', '<=', now)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

export async function deleteMappedRole(
  trx: Trx,
  { subject_id, trust_id, role_id }: Pick<MappedRow, 'subject_id' | 'trust_id' | 'role_id'>,
): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('mapped_roles')
    .where('subject_id', '=', subject_id)
    .where('trust_id', '=', trust_id)
    .where('role_id', '=', role_id)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The trusts by which a user has a role. */
export async function listTrustsGiving(db: Db, { role_id, subject_id }: Pick<MappedRow, 'role_id' | 'subject_id'>) {
  const rows = await db
    .selectFrom('mapped_roles as m')
    .innerJoin('standing_trusts as t', 't.id', 'm.trust_id')
    .select('t.name')
    .where('m.role_id', '=', role_id)
    .where('m.subject_id', '=', subject_id)
    .whereRef('m.trust_epoch', '=', 't.epoch')
    .orderBy('t.name')
    .execute();
  return rows.map(({ name }) => name);
}
