import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export type EmailChange = Selectable<Database['email_changes']>;
export type EmailChangePurpose = EmailChange['purpose'];

export async function insertEmailChange(trx: Trx, change: Insertable<Database['email_changes']>): Promise<void> {
  await trx.insertInto('email_changes').values(change).execute();
}

/** A link that can still be used. */
export async function findEmailChange(
  db: Db,
  { digest, purpose, now }: { digest: Digest; purpose: EmailChangePurpose; now: Date },
): Promise<EmailChange | undefined> {
  const query = db.selectFrom('email_changes').selectAll().where('digest', '=', digest).where('purpose', '=', purpose);
  return query.where('expires_at', '>', now).executeTakeFirst();
}

/** Deletes earlier links to a new address: only the newest is valid. */
export async function deleteRequestedEmailChanges(trx: Trx, user_id: string): Promise<void> {
  const query = trx.deleteFrom('email_changes').where('user_id', '=', user_id);
  await query.where('purpose', '=', 'confirm').execute();
}

/** Deletes the links of changes since a time; undefined: all links. */
export async function deleteEmailChanges(trx: Trx, user_id: string, since?: Date): Promise<void> {
  const query = trx.deleteFrom('email_changes').where('user_id', '=', user_id);
  await query.$if(since !== undefined, (of) => of.where('created_at', '>=', since ?? new Date(0))).execute();
}
