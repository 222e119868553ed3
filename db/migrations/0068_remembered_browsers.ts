import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // For how many days users may skip the second factor in a browser; 0: never.
  'alter table sign_in_policy add column remember_browser_days integer not null default 0',

  // Browsers in which a user has chosen this. The browser keeps the secret.
  `create table remembered_browsers (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    user_epoch integer not null,
    digest bytea not null unique,
    user_agent text,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create index remembered_browsers_user on remembered_browsers (user_id)',
  'create index remembered_browsers_expiry on remembered_browsers (expires_at)',
  // Active until everything of the user is revoked: by a new password, a reset of their methods, or disabling them.
  `create view standing_remembered_browsers as
    select b.id, b.user_id, b.digest, b.user_agent, b.created_at, b.last_used_at, b.expires_at
    from remembered_browsers b join users u on u.id = b.user_id and u.enabled and u.epoch = b.user_epoch
      and (u.tokens_valid_after is null or b.created_at > u.tokens_valid_after)`,
];

/** Users skip the second factor in remembered browsers. Safe under a running older version: it always asks for it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
