import { type Kysely, sql } from 'kysely';

/**
 * By what the host of a metadata document and of its keys recognises what was read (`ETag`, `Last-Modified`). Safe under a running older
 * version, which does not know the column: the validators name the time until which the answer is fresh, and count only for that answer.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table self_registered_clients add column validators json`.execute(db);
}
