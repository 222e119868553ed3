import { type Kysely, sql } from 'kysely';

const statements = [
  // A later role of the same name must not get to the workloads of a trust that named the deleted one.
  `create function role_was_deleted() returns trigger language plpgsql as $$ begin
    update trusts set roles = (select coalesce(json_agg(named.name order by named.n), '[]'::json)
        from json_array_elements_text(roles) with ordinality as named(name, n) where named.name <> old.name)
      where exists (select from json_array_elements_text(roles) as named(name) where named.name = old.name);
    return null; end $$`,
  `create trigger role_leaves_trusts after delete on roles for each row execute function role_was_deleted()`,
];

/** Trusts lose a role that is deleted. Safe under a running older version, which then gives that role to no new workload. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
