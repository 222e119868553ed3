import { type Kysely, sql } from 'kysely';

/**
 * Actors who could sign in as a user, because they set the password or linked an account, and the permissions that they held then. Safe
 * under a running older version, which does not know the table: passwords that it sets count as the user's own.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table preparers (
    user_id uuid not null references users on delete cascade,
    subject_id uuid not null,
    limits json not null,
    held json not null,
    created_at timestamptz not null,
    primary key (user_id, subject_id)
  )`.execute(db);
}
