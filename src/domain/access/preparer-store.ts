import type { Selectable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type Owner, ownerReference } from './owner.ts';

export type Preparer = Selectable<Database['preparers']>;
/** A preparer with its name; null: the user or client was deleted. */
type NamedPreparer = Preparer & { subject: Owner | null };

/** Stores a preparer; for a known one, updates the time and authority. */
export async function savePreparer(trx: Trx, { limits, held, ...row }: Preparer): Promise<void> {
  const texts = { limits: JSON.stringify(limits), held: JSON.stringify(held) };
  await trx
    .insertInto('preparers')
    .values({ ...row, ...texts })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'subject_id']).doUpdateSet({ ...texts, created_at: row.created_at }),
    )
    .execute();
}

/** The preparers of a user, the oldest first. */
export async function listPreparers(db: Db, user_id: string): Promise<NamedPreparer[]> {
  const query = db.selectFrom('preparers').selectAll().select(ownerReference('preparers.subject_id').as('subject'));
  return query.where('user_id', '=', user_id).orderBy('created_at').execute();
}

/** The preparers of all users with a role. */
export async function listPreparersOfMembers(db: Db, role_id: string): Promise<Preparer[]> {
  const members = db.selectFrom('standing_role_assignments').select('subject_id').where('role_id', '=', role_id);
  return db.selectFrom('preparers').selectAll().where('user_id', 'in', members).orderBy('user_id').execute();
}

export async function deletePreparers(trx: Trx, user_id: string, subject_ids: readonly string[]): Promise<void> {
  if (subject_ids.length === 0) return;
  const query = trx.deleteFrom('preparers').where('user_id', '=', user_id);
  await query.where('subject_id', 'in', subject_ids).execute();
}

/** Locks the row of a user, so that no one sets their password while a role is assigned to them. */
export async function lockRow(trx: Trx, user_id: string): Promise<void> {
  await trx.selectFrom('users').select('id').where('id', '=', user_id).forUpdate().execute();
}

/** Ends the sessions and tokens of users. @returns how many users */
export async function endPreparedUsers(trx: Trx, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const next = trx.updateTable('users').set((eb) => ({ epoch: eb('epoch', '+', 1) }));
  return Number((await next.where('id', 'in', ids).executeTakeFirst()).numUpdatedRows);
}
