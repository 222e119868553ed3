import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // The language of mail to a user: the chosen one, otherwise that of the pages on which they last signed in.
  'alter table users add column language text, add column browser_language text',
];

/** The languages of users. Safe under a running older version: it leaves the columns empty. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
