import { type Kysely, sql } from 'kysely';

const statements = [
  // In every table, an index finds expired rows, however many live rows there are.
  `create index sessions_revoked on sessions (revoked_at) where revoked_at is not null`,
  // Families without a refresh token expire with their last possible access token.
  `update refresh_families set absolute_expires_at = issued_at + interval '2 days' where absolute_expires_at is null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
