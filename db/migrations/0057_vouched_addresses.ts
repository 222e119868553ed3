import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that migrations before this one deferred would stand in the way of altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Who set or verified the e-mail address of a user for them, by their authority. Null: the user did with a link, or the operator of the machine.
  'alter table users add column email_vouched_by json',
  // Of the addresses from before nobody knows: they count as nobody's word until the user verifies them with a link.
  'alter table users disable trigger user',
  `update users set email_vouched_by = '{"subject_id":null,"limits":[]}' where email is not null and email_verified_by = 'administrator'`,
  'alter table users enable trigger user',
];

/** Safe under a running older version: addresses that it writes count as the operator's word. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
