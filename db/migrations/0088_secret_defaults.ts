import { type Kysely, sql } from 'kysely';

/** The settings of secrets that are created without any: at most one row. Safe under a running older version, which has constants. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table secret_defaults (
    single boolean primary key default true check (single),
    max_versions integer not null,
    cas_required boolean not null,
    delete_after_seconds integer,
    updated_at timestamptz not null
  )`.execute(db);
}
