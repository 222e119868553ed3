import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  'alter table resource_servers add column required_acr text',
];

/** The class of sign-ins that tokens for an API require. Safe under a running older version: it requires none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
