import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent creating indexes.
  'set constraints all immediate',
  'set constraints all deferred',

  // The effect of revoking a client or user is counted before it is confirmed. Access tokens live for minutes, so all of them can be
  // read; an index by client and user would cost each token request a tenth more of PostgreSQL's time.
  'create index refresh_families_client on refresh_families (client_id)',
  'create index refresh_families_user on refresh_families (user_id)',
];

/** Indexes for counting the refresh tokens of a client or user. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
