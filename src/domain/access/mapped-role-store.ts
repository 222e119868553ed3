import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

type MappedRow = Database['mapped_roles'];
export type MappedRole = Pick<MappedRow, 'role_id' | 'trust_epoch'> & { role: string };

/** The roles that a user has, or had until the trust changed, by the claims that a trust accepts. */
export async function listMappedRoles(
  db: Db,
  { subject_id, trust_id }: Pick<MappedRow, 'subject_id' | 'trust_id'>,
): Promise<MappedRole[]> {
  return db
    .selectFrom('mapped_roles as m')
    .innerJoin('roles as r', 'r.id', 'm.role_id')
    .select(['m.role_id', 'm.trust_epoch', 'r.name as role'])
    .where('m.subject_id', '=', subject_id)
    .where('m.trust_id', '=', trust_id)
    .orderBy('r.name')
    .execute();
}

/** Gives a role, which stays until the transaction ends. @returns whether there is the role still */
export async function insertMappedRole(trx: Trx, row: Omit<MappedRow, 'id'>): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    insert into mapped_roles (id, role_id, subject_id, trust_id, trust_epoch, identity_id, created_at)
    select ${uuidv7()}::uuid, r.id, ${row.subject_id}::uuid, ${row.trust_id}::uuid, ${row.trust_epoch}::integer,
      ${row.identity_id}::uuid, ${row.created_at}::timestamptz
    from roles r where r.id = ${row.role_id} for key share`.execute(trx);
  return numAffectedRows > 0n;
}

/** Keeps the roles of a user by a trust as long as this account is linked. */
export async function moveMappedRoles(
  trx: Trx,
  { subject_id, trust_id, identity_id }: Pick<MappedRow, 'subject_id' | 'trust_id' | 'identity_id'>,
): Promise<void> {
  await trx
    .updateTable('mapped_roles')
    .set({ identity_id })
    .where('subject_id', '=', subject_id)
    .where('trust_id', '=', trust_id)
    .where('identity_id', '!=', identity_id)
    .execute();
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
