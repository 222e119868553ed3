import { type Kysely, sql } from 'kysely';

/**
 * The allowed methods that users of a client, or for an API, may sign in with; null: all of them. Safe under a running older version,
 * which neither reads nor writes the columns.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table clients add column allowed_factors json`.execute(db);
  await sql`alter table resource_servers add column allowed_factors json`.execute(db);
}
