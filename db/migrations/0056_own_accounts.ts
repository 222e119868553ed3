import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Changes of e-mail addresses by users themselves: a link to the new address that confirms it, and a link to the previous one
  // that restores it.
  `create table email_changes (
    digest bytea primary key,
    user_id uuid not null references users,
    purpose text not null check (purpose in ('confirm', 'undo')),
    previous_email text,
    email text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create index email_changes_user on email_changes (user_id)',
  'create index email_changes_expiry on email_changes (expires_at)',

  // Users who deleted their account. The row stays without personal details: events refer to it.
  'alter table users add column deleted_at timestamptz',
];

/** Users change their address and delete their account. Safe under a running older version: it does not use the table and the column. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
