import { type Kysely, sql } from 'kysely';

/** The last version of a secret that was imported from another store. Safe under a running older version, which does not know the columns. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`set constraints all immediate`.execute(db);
  await sql`set constraints all deferred`.execute(db);
  await sql`alter table secrets add column imported_number integer, add column imported_created_at text`.execute(db);
}
