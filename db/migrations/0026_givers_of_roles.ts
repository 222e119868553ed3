import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Who gave a role, as events name their actor. Absent: given before this was recorded.
  await sql`alter table role_assignments add column granted_by_kind text, add column granted_by text`.execute(db);
  // What narrowed whoever was shown the link when it was made: the link serves within that. Absent: nothing did.
  await sql`alter table password_links add column shown_within json`.execute(db);
}
