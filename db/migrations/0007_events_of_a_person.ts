import { type Kysely, sql } from 'kysely';

const statements = [
  // For the list of events of a user's account. Clients issue and rotate tokens all the time: neither index contains these
  // events, so that the indexes cost token requests nothing.
  `create index audit_events_by_person on audit_events (actor_id, id) where actor_kind = 'user'`,
  `create index audit_events_about_person on audit_events (target_id, id)
    where target_kind = 'user' and action not in ('access_token.issued', 'refresh_token.rotated', 'refresh_token.replayed')`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
