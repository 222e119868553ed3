import { type Kysely, sql } from 'kysely';

/**
 * How an authenticator app from another system computes its codes; null: our parameters. Safe under a running older version, which does
 * not know the column and refuses the codes of such an app.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table factors add column parameters json`.execute(db);
}
