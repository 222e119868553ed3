import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that migrations before this one deferred would stand in the way of new indexes.
  'set constraints all immediate',
  'set constraints all deferred',

  // What a revocation of a client or user would end is counted before it is confirmed.
  ...['access_tokens', 'jwt_access_tokens', 'refresh_families'].flatMap((table) => [
    `create index ${table}_client on ${table} (client_id)`,
    `create index ${table}_user on ${table} (user_id) where user_id is not null`,
  ]),
];

/** Indexes by which the tokens of a client or user are counted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
