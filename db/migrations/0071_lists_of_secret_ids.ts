import { type Kysely, sql } from 'kysely';

/** Lists secret ids of AppRole in the inventory of credentials, newest first. Safe under a running older version. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index vault_secret_ids_created on vault_secret_ids (created_at, accessor)`.execute(db);
}
