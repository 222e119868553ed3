import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that migrations before this one deferred would stand in the way of new indexes.
  'set constraints all immediate',
  'set constraints all deferred',

  // Failures are rare, so that successes need not pay for an index of outcomes.
  `create index audit_events_failed on audit_events (occurred_at, id) where outcome = 'failure'`,
];

/** What lists are filtered and sorted by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
