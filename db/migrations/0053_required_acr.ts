import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that migrations before this one deferred would stand in the way of altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  'alter table resource_servers add column required_acr text',
];

/** How users must have signed in for tokens of an API. Safe under a running older version: it requires nothing. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
