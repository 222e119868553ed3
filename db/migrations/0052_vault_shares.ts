import { type Kysely, sql } from 'kysely';

const statements = [
  // Columns of a vault that is unsealed with shares: they detect a wrong, foreign or old share at once, and unseal nothing.
  `alter table vault_seal
    add column set_id uuid,
    add column shares integer,
    add column threshold integer,
    add column key_check bytea,
    add column share_digests json,
    add column confirmed_at timestamptz`,
];

/** Vaults that are unsealed with shares. Safe under a running older version, whose vaults have none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
