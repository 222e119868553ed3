import { type Kysely, sql } from 'kysely';

const statements = [
  // Requested sign-in codes. A job looks up the account and sets the columns that are null until then; without an account they stay null.
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

/** Users sign in with codes that are mailed to them. Safe under a running older version, which does not know the table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
