import { type Kysely, sql } from 'kysely';

/** One-time links with which users choose their own passwords. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table password_links (
    digest bytea primary key,
    user_id uuid not null references users on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
  )`.execute(db);
  await sql`create index password_links_user on password_links (user_id)`.execute(db);
}
