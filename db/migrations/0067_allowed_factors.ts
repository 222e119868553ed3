import { type Kysely, sql } from 'kysely';

const statements = [
  // The methods that users may sign in with; null: all.
  'alter table sign_in_policy add column allowed_factors json',

  // Nodes cache the policy.
  `create function sign_in_policy_announced() returns trigger language plpgsql as $$
    begin
      perform announce_change('sign_in_policy', 'policy');
      return null;
    end $$`,
  `create constraint trigger sign_in_policy_announced after update on sign_in_policy
    deferrable initially deferred for each row execute function sign_in_policy_announced()`,
];

/** Allowed methods, and announcements of policy changes. Safe under a running older version: it reads and writes the other columns. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
