import type { Insertable, Selectable } from 'kysely';
import type { Database } from '../../../../db/schema.ts';
import type { Digest } from '../../../platform/crypto/index.ts';
import type { Db, Trx } from '../../../platform/database/index.ts';
import type { User } from '../store.ts';

type EnrolmentLink = Selectable<Database['enrolment_links']>;

export async function insertEnrolmentLink(trx: Trx, link: Insertable<Database['enrolment_links']>): Promise<void> {
  await trx.insertInto('enrolment_links').values(link).execute();
}

/** The enabled user of a link that can still be used. */
export async function findLinkedUser(db: Db, digest: Digest, now: Date): Promise<User | undefined> {
  return db
    .selectFrom('enrolment_links as l')
    .innerJoin('users as u', 'u.id', 'l.user_id')
    .selectAll('u')
    .where('l.digest', '=', digest)
    .where('l.expires_at', '>', now)
    .where('u.enabled', '=', true)
    .executeTakeFirst();
}

/** Takes a link of a user; of concurrent uses only one gets it. */
export async function takeEnrolmentLink(
  trx: Trx,
  { digest, user_id, now }: { digest: Digest; user_id: string; now: Date },
): Promise<Pick<EnrolmentLink, 'mailed_to' | 'made_by'> | undefined> {
  return trx
    .deleteFrom('enrolment_links')
    .where('digest', '=', digest)
    .where('user_id', '=', user_id)
    .where('expires_at', '>', now)
    .returning(['mailed_to', 'made_by'])
    .executeTakeFirst();
}

export async function deleteEnrolmentLinks(trx: Trx, user_id: string): Promise<void> {
  await trx.deleteFrom('enrolment_links').where('user_id', '=', user_id).execute();
}
