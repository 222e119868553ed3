import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // The subject who was shown the link. Absent: the operator at the machine, a link that was mailed, one from before.
  await sql`alter table password_links add column shown_to uuid`.execute(db);
}
