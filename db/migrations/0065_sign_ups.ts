import { type Kysely, sql } from 'kysely';

const statements = [
  // Requests for an account, with a mailed link. The user is created when they open it and choose a password.
  `create table sign_ups (
    digest bytea primary key,
    email text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create index sign_ups_email on sign_ups (lower(email))',
  'create index sign_ups_expiry on sign_ups (expires_at)',
];

/** Users create accounts themselves. Safe under a running older version, which does not know the table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
