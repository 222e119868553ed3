import { type Kysely, sql } from 'kysely';

const statements = [
  // The text of a role that was written as a Vault policy. The role's permissions decide what it grants.
  `create table vault_policies (
    role_id uuid primary key references roles on delete cascade,
    source text not null,
    updated_at timestamptz not null
  )`,
];

/** Policies of Vault, which are roles. Safe under a running older version, which does not know the table. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
