import { type Kysely, sql } from 'kysely';

const statements = [
  // The text that a role was written with as a policy of Vault. What it gives is the role's permissions.
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
