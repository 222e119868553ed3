import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that migrations before this one deferred would stand in the way of new indexes.
  'set constraints all immediate',
  'set constraints all deferred',

  // What a revocation of a client or user would end is counted before it is confirmed. Access tokens live for minutes, so that those
  // that there are can be read; an index by client and user would cost each token request a tenth more of PostgreSQL's time.
  'create index refresh_families_client on refresh_families (client_id)',
  'create index refresh_families_user on refresh_families (user_id)',
];

/** Indexes by which the refresh tokens of a client or user are counted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
