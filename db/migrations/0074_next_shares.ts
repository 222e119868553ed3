import { type Kysely, sql } from 'kysely';

/**
 * New shares of the vault that nobody gave back yet: they replace those of the set `replaces` once they have opened it. Safe under a running
 * older version, which knows the earlier shares alone; once it replaces these, `replaces` names no set any more.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table vault_next_shares (
    only_row boolean primary key default true check (only_row),
    replaces uuid not null,
    set_id uuid not null,
    shares integer not null,
    threshold integer not null,
    key_check bytea not null,
    share_digests json not null,
    sealed_root bytea not null,
    created_at timestamptz not null
  )`.execute(db);
}
