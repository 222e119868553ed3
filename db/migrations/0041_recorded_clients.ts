import { type Kysely, sql } from 'kysely';

/**
 * Clients of metadata documents are recorded in the audit log with the first decision about them. Safe under a running older version: it
 * records its clients itself.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table self_registered_clients add column is_recorded boolean not null default true').execute(db);
}
