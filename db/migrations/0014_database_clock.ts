import { type Kysely, sql } from 'kysely';

const statements = [
  // The only place where SQL reads the time. The role that serves requests cannot replace it: the migrating role owns it.
  // The planner inlines it; in a condition on an index write `(select latchkey_now())`.
  `create function latchkey_now() returns timestamptz language sql volatile as 'select clock_timestamp()'`,
  `create or replace function announce_change(changed_kind text, changed_key text) returns void language plpgsql as $$
    declare moved bigint;
    begin
      update change_counter set position = position + 1 returning position into moved;
      delete from changes where occurred_at < latchkey_now() - interval '1 hour';
      insert into changes (position, kind, key, occurred_at) values (moved, changed_kind, changed_key, latchkey_now());
      perform pg_notify('latchkey_changes', '');
    end $$`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
