import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // The authority of the actor who set or verified the e-mail address of a user. Null: the user, with a link, or the operator.
  'alter table users add column email_vouched_by json',
  // For existing addresses the actor is unknown: no one vouches for them until the user verifies them with a link.
  'alter table users disable trigger user',
  `update users set email_vouched_by = '{"subject_id":null,"limits":[]}' where email is not null and email_verified_by = 'administrator'`,
  'alter table users enable trigger user',
];

/** Safe under a running older version: addresses that it writes count as set by the operator. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
