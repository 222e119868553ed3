import type { Trx } from '../platform/database/index.ts';

/** Ends a person's sessions inside another verb's transaction, all or all but one. */
export async function endSessionsOf(
  trx: Trx,
  { user_id, exceptSession, revoked_at }: { user_id: string; exceptSession?: string | undefined; revoked_at: Date },
): Promise<number> {
  let query = trx
    .updateTable('sessions')
    .set({ revoked_at })
    .where('user_id', '=', user_id)
    .where('revoked_at', 'is', null);
  if (exceptSession) query = query.where('uid', '!=', exceptSession);
  const rows = await query.where('expires_at', '>', revoked_at).returning('uid').execute();
  return rows.length;
}
