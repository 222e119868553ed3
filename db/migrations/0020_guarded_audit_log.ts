import { type Kysely, sql } from 'kysely';

const statements = [
  // Which server key was mixed in where an answer is kept; none where a version before this one kept it.
  `alter table idempotency_keys add column key_id integer`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
