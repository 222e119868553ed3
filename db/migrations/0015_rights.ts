import { type Kysely, sql } from 'kysely';

const statements = [
  // Administrators did both before these permissions existed.
  `insert into role_permissions (role_id, resource, pattern)
    select roles.id, null, pattern from roles, unnest(array['latchkey:permission:give', 'latchkey:first_party:allow']) as pattern
      where roles.id = '00000000-0000-7000-8000-000000000002'
    on conflict do nothing`,
];

/** Permissions for granting rights, and for clients without a consent page. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
