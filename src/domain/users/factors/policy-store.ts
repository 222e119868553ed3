import type { Selectable } from 'kysely';
import type { Database } from '../../../../db/schema.ts';
import type { Db, Trx } from '../../../platform/database/index.ts';

/** The sign-in policy of this installation: there is one row. */
export type PolicyRow = Selectable<Database['sign_in_policy']>;

export async function findSignInPolicy(db: Db): Promise<PolicyRow> {
  return db.selectFrom('sign_in_policy').selectAll().executeTakeFirstOrThrow();
}

export async function lockPolicy(trx: Trx): Promise<PolicyRow> {
  return trx.selectFrom('sign_in_policy').selectAll().forUpdate().executeTakeFirstOrThrow();
}

export async function updatePolicy(
  trx: Trx,
  policy: Pick<PolicyRow, 'required_acr' | 'administrator_required_acr' | 'remember_browser_days' | 'updated_at'> & {
    allowed_factors: string | null;
  },
): Promise<void> {
  await trx
    .updateTable('sign_in_policy')
    .set((eb) => ({ ...policy, version: eb('version', '+', 1) }))
    .execute();
}
