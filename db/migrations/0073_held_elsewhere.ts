import { type Kysely, sql } from 'kysely';

/** A register of credentials that are stored elsewhere. Safe under a running older version, which does not know the columns. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`set constraints all immediate`.execute(db);
  await sql`set constraints all deferred`.execute(db);
  await sql`alter table secrets add column location text, add column accessible_to json not null default '[]',
    add column rotated_at timestamptz`.execute(db);
}
