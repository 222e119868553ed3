import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The subject who was shown the link. Absent: the operator of the machine, a mailed link, or an earlier link.
  await sql`alter table password_links add column shown_to uuid`.execute(db);
}
