import { type Kysely, sql } from 'kysely';

/**
 * New, unconfirmed shares of the vault: they replace those of the set `replaces` once they have unsealed it. Safe under a running
 * older version, which knows only the earlier shares; once it replaces these, `replaces` no longer names a set.
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
