import { type Kysely, sql } from 'kysely';

const statements = [
  // A person looks at what happened to their account. Tokens are issued and rotated by clients, all day long: neither index
  // holds those, so that they cost token requests nothing.
  `create index audit_events_by_person on audit_events (actor_id, id) where actor_kind = 'user'`,
  `create index audit_events_about_person on audit_events (target_id, id)
    where target_kind = 'user' and action not in ('access_token.issued', 'refresh_token.rotated', 'refresh_token.replayed')`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
