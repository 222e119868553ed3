import { type Kysely, sql } from 'kysely';

/**
 * Who set the address that a link restores, judged again when it is used; null: the user, or the operator. Safe under a running older
 * version, which does not know the column; its links are judged when they are created, as before.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table email_changes add column vouched_by json`.execute(db);
}
