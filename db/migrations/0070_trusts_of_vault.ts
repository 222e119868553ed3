import { type Kysely, sql } from 'kysely';

const statements = [
  'set constraints all immediate',
  'set constraints all deferred',

  // Roles of this installation that the workloads of a trust have; the cluster that reviews each token; and, for a trust that was written
  // as a role of a Vault auth method, the settings that clients wrote.
  `alter table trusts
    add column roles json not null default '[]',
    add column token_review json,
    add column vault_role json`,
  `create unique index trusts_vault_role on trusts ((vault_role ->> 'method'), (vault_role ->> 'name')) where vault_role is not null`,

  // The settings by which an auth method of Vault's clients finds the issuer of its roles.
  `create table vault_auth_methods (
    method text primary key,
    config json not null,
    sealed_token bytea,
    token_key_id integer references server_keys,
    updated_at timestamptz not null
  )`,
];

/** Trusts that Vault's clients write as roles. Safe under a running older version, which uses no roles and no token review. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
