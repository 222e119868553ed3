import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Sign-in methods other than the password. The secret of one-time codes is sealed, a recovery code is a digest, and a passkey is stored
  // as its public key.
  `create table factors (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    kind text not null check (kind in ('totp', 'passkey', 'recovery_code')),
    name text,
    key_id integer references server_keys,
    sealed bytea,
    last_step bigint,
    passkey_id bytea,
    public_key bytea,
    sign_count bigint,
    transports json,
    is_backed_up boolean,
    digest bytea,
    created_at timestamptz not null,
    last_used_at timestamptz,
    check (case kind
      when 'totp' then sealed is not null and key_id is not null
      when 'passkey' then passkey_id is not null and public_key is not null and sign_count is not null and is_backed_up is not null
      else digest is not null end)
  )`,
  'create index factors_of_user on factors (user_id, kind)',
  `create unique index factors_totp on factors (user_id) where kind = 'totp'`,
  `create unique index factors_passkey on factors (passkey_id) where kind = 'passkey'`,
  `create unique index factors_recovery_code on factors (user_id, digest) where kind = 'recovery_code'`,
  'create index factors_key on factors (key_id) where key_id is not null',
];

/** Passkeys, one-time codes and recovery codes. Safe under a running older version: it knows only passwords. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
