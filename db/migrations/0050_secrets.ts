import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // The seal of the secrets. Each read compares the generation, which sealing increments, so that every node is sealed at once.
  `create table vault_seal (
    only_row boolean primary key default true check (only_row),
    kind text not null check (kind in ('static', 'shamir')),
    generation bigint not null default 1,
    sealed_root bytea not null,
    sealed_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create table vault_terms (
    term integer primary key,
    sealed_key bytea not null,
    created_at timestamptz not null
  )`,

  `create table secrets (
    id uuid primary key,
    path text collate "C" not null unique,
    current_version integer not null default 0,
    max_versions integer not null,
    cas_required boolean not null,
    delete_after_seconds integer,
    custom_metadata json not null,
    description text,
    environment text,
    risk text check (risk in ('high', 'medium', 'low')),
    owner_id uuid references subjects on delete set null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,
  'create index secrets_owner on secrets (owner_id) where owner_id is not null',

  // A destroyed version has no key, so that its value cannot be read.
  `create table secret_versions (
    secret_id uuid not null references secrets on delete cascade,
    number integer not null,
    term integer references vault_terms,
    sealed_key bytea,
    sealed_value bytea,
    size integer not null,
    created_by_kind text not null,
    created_by_id text,
    created_at timestamptz not null,
    expires_at timestamptz,
    deleted_at timestamptz,
    destroyed_at timestamptz,
    primary key (secret_id, number),
    check ((destroyed_at is null) = (sealed_key is not null)),
    check ((sealed_key is null) = (term is null) and (sealed_key is null) = (sealed_value is null))
  )`,
  'create index secret_versions_term on secret_versions (term) where term is not null',
  // Ciphertext cannot be compressed.
  'alter table secret_versions alter column sealed_value set storage external',
];

/** The sealed store of secrets. Safe under a running older version, which knows none of these tables. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
