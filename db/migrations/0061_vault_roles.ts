import { type Kysely, sql } from 'kysely';

const statements = [
  'set constraints all immediate',
  'set constraints all deferred',

  // Roles of AppRole are clients; this table has the settings that Vault's clients write.
  `create table vault_roles (
    client_id uuid primary key references clients on delete cascade,
    settings json not null,
    deleted_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create table vault_secret_ids (
    digest bytea primary key,
    client_id uuid not null references vault_roles on delete cascade,
    accessor text not null unique,
    uses integer,
    uses_left integer,
    bound_cidrs json,
    token_bound_cidrs json,
    metadata json not null,
    ttl_seconds integer,
    created_at timestamptz not null,
    last_used_at timestamptz,
    expires_at timestamptz
  )`,
  'create index vault_secret_ids_client on vault_secret_ids (client_id)',
  'create index vault_secret_ids_expires on vault_secret_ids (expires_at) where expires_at is not null',

  // A response that its wrapping token unwraps once.
  `create table vault_wrapped (
    digest bytea primary key,
    sealed bytea not null,
    creation_path text not null,
    ttl_seconds integer not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create index vault_wrapped_expires on vault_wrapped (expires_at)',
];

/** Roles and secret ids of AppRole, and wrapped responses. Safe under a running older version, which does not know the tables. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
