import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Who assigned a role, as events name their actor. Absent: assigned before this was recorded.
  await sql`alter table role_assignments add column granted_by_kind text, add column granted_by text`.execute(db);
  // The limits of the actor who was shown the link: it is valid within these. Absent: none.
  await sql`alter table password_links add column shown_within json`.execute(db);
}
