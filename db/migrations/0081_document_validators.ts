import { type Kysely, sql } from 'kysely';

/**
 * The HTTP validators of a metadata document and of its keys (`ETag`, `Last-Modified`). Safe under a running older version, which does
 * not know the column: the validators name the time until which their response is fresh, and are valid only for that response.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table self_registered_clients add column validators json`.execute(db);
}
