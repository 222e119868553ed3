import { type Kysely, sql } from 'kysely';

const statements = [
  // Columns of the tokens of Vault's clients in addition to those of every access token.
  `create table vault_tokens (
    digest bytea primary key,
    accessor text not null unique,
    display_name text not null,
    path text not null,
    metadata json not null,
    ttl_seconds integer not null,
    created_at timestamptz not null,
    ends_at timestamptz not null
  )`,
  'create index vault_tokens_ends on vault_tokens (ends_at)',
];

/** Tokens of Vault's clients: accessors and renewal. Safe under a running older version, which does not know the table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
