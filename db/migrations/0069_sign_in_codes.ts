import { type Kysely, sql } from 'kysely';

const statements = [
  // Codes that people asked for to sign in with. A job looks the account up and sets what is null until then; without an account it stays so.
  `create table sign_in_codes (
    id uuid primary key,
    user_id uuid references users on delete cascade,
    user_epoch integer,
    digest bytea,
    attempts integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create index sign_in_codes_expiry on sign_in_codes (expires_at)',
  'create index sign_in_codes_user on sign_in_codes (user_id)',
];

/** Users sign in with codes that are mailed to them. Safe under a running older version: it knows nothing of the table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
