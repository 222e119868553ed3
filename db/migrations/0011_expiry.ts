import { type Kysely, sql } from 'kysely';

const statements = [
  // What has expired is found by an index in every table, however many rows live in it.
  `create index sessions_revoked on sessions (revoked_at) where revoked_at is not null`,
  // Families without a refresh token end with the last access token they can have.
  `update refresh_families set absolute_expires_at = issued_at + interval '2 days' where absolute_expires_at is null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
