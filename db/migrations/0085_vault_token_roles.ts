import { type Kysely, sql } from 'kysely';

/** Roles that tokens of Vault's clients are created with. Safe under a running older version, which has none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table vault_token_roles (
    name text primary key,
    settings json not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`.execute(db);
}
