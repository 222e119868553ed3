import { type Kysely, sql } from 'kysely';

/** Changes that other nodes must notice, in the order of the counter; rows of the last hour. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table changes (
    position bigint primary key,
    kind text not null,
    key text not null,
    occurred_at timestamptz not null
  )`.execute(db);
  await sql`create index changes_occurred_at on changes (occurred_at)`.execute(db);
}
