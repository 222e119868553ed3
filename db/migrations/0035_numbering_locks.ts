import { type Kysely, sql } from 'kysely';

const statements = [
  // Dropping a trigger locks the partitions of a table before the table, and readers lock in the opposite order: with the table locked
  // first, a node that starts after a restore and one that reads the log do not deadlock.
  `create or replace function audit_number_from(first bigint) returns void language plpgsql as $$
    begin
      lock table audit_events in access exclusive mode;
      if first <> (select xid_offset from audit_positions) then
        execute format('alter table audit_events alter column recorded_in set default (pg_current_xact_id()::text::bigint + %s)', first);
        execute format('alter table access_records alter column recorded_in set default (pg_current_xact_id()::text::bigint + %s)', first);
      end if;
      drop trigger if exists audit_events_of_now on audit_events;
      execute format('create trigger audit_events_of_now before insert on audit_events for each row when (
        new.occurred_at not between latchkey_now() - interval ''5 minutes'' and latchkey_now() + interval ''5 minutes''
        or new.recorded_in is distinct from pg_current_xact_id()::text::bigint + %s) execute function audit_refuse_event()', first);
      update audit_positions set xid_offset = first;
    end $$`,
];

/** Continuing the numbers of transactions locks the audit log in the order of its readers. Safe under a running older version. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
