import { type Kysely, sql } from 'kysely';

const statements = [
  // The server key that was mixed into the key of a stored response. Null: an older version stored it without one.
  `alter table idempotency_keys add column key_id integer`,

  // Deleting a grant makes PostgreSQL search for referring rows; without an index it scans the whole table for each grant. The
  // indexes are not created concurrently, because all migrations run in one transaction. The tables hold the codes of one day:
  // a million rows took 2.8 s on two busy cores, and inserts wait meanwhile. The index adds 2 to 4 % to the cost of a code's row.
  `create index authorization_codes_grant on authorization_codes (grant_id)`,
  `create index device_codes_grant on device_codes (grant_id) where grant_id is not null`,

  // An event states its time and its transaction. Without this check, a role that may append events could backdate one, or choose
  // a number that the next seal skips. The clocks of nodes follow the database's clock; \`audit verify\` allows the same five
  // minutes. The error code lets a node whose clock has just jumped retry (\`isContention\`).
  `create function audit_refuse_event() returns trigger language plpgsql as $$
    begin
      raise exception 'audit events are recorded when they happen, and are numbered by the database'
        using errcode = 'LK001', hint = 'the clock of the database is at ' || latchkey_now() || ', the event is of ' || new.occurred_at;
    end $$`,
  // Transaction numbers start from the beginning in a database that is restored from a dump. The offset keeps them rising.
  `create function audit_number_from(first bigint) returns void language plpgsql as $$
    begin
      -- A change of the default waits for every reader of the log and blocks later ones: only if the number differs.
      if first <> (select xid_offset from audit_positions) then
        execute format('alter table audit_events alter column recorded_in set default (pg_current_xact_id()::text::bigint + %s)', first);
      end if;
      drop trigger if exists audit_events_of_now on audit_events;
      execute format('create trigger audit_events_of_now before insert on audit_events for each row when (
        new.occurred_at not between latchkey_now() - interval ''5 minutes'' and latchkey_now() + interval ''5 minutes''
        or new.recorded_in is distinct from pg_current_xact_id()::text::bigint + %s) execute function audit_refuse_event()', first);
      update audit_positions set xid_offset = first;
    end $$`,
  `select audit_number_from(xid_offset) from audit_positions`,
  `create or replace function audit_continue_after_restore() returns void language plpgsql as $$
    declare
      seen bigint := (select max(seen_below) from (select seen_below from audit_segments union all select seen_below from audit_retentions) s);
      used bigint := (select xid_offset from audit_positions);
    begin
      if seen is null or seen <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + used then return; end if;
      -- Not in one statement: a table that a statement reads cannot be altered by it.
      used := greatest(seen, (select max(recorded_in) from audit_events)) + 1;
      perform audit_number_from(used);
    end $$`,

  // Every seal must continue the previous one. A seal with another number, or with a snapshot of the future, would keep later
  // events from being sealed. The trigger does not check the signature; \`audit verify\` does.
  `create function audit_check_seal() returns trigger language plpgsql as $$
    declare
      latest record;
      ahead bigint := (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint + xid_offset from audit_positions);
    begin
      select * into latest from (select number, head, seen_below from audit_segments union all
        select number, head, seen_below from audit_retentions) s order by number desc limit 1;
      if new.number is distinct from coalesce(latest.number, 0) + 1
        or new.previous_head is distinct from coalesce(latest.head, decode(repeat('00', 32), 'hex'))
        or new.seen_below < coalesce(latest.seen_below, 0) or new.seen_below > ahead
        or new.event_count * 48 <> length(new.members)
        or new.sealed_at not between latchkey_now() - interval '1 day' and latchkey_now() + interval '5 minutes' then
        raise exception 'a seal continues the last one' using errcode = 'insufficient_privilege';
      end if;
      return new;
    end $$`,
  `create trigger audit_segments_continue before insert on audit_segments for each row execute function audit_check_seal()`,

  // Personal details are deleted together with their event, or by an erasure that records an event in the same transaction.
  `create function audit_guard_details() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and current_setting('latchkey.audit_erasure', true) = pg_current_xact_id()::text then return old; end if;
      raise exception 'personal details leave the audit log by an erasure only' using errcode = 'insufficient_privilege';
    end $$`,
  `create trigger audit_personal_details_guarded before update or delete on audit_personal_details
    for each row execute function audit_guard_details()`,
  `create trigger audit_personal_details_no_truncate before truncate on audit_personal_details
    for each statement execute function audit_is_append_only()`,
  `create function audit_allow_erasure(is_allowed boolean) returns void language sql as $$
    select set_config('latchkey.audit_erasure', case when is_allowed then pg_current_xact_id()::text else '' end, true) $$`,
  // Runs with the rights of the role that owns the tables: the serving role itself may not delete personal details.
  `create function audit_erase_details(subject text, most integer) returns integer
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
    declare erased integer;
    begin
      if not exists (select from audit_events e, audit_positions p where e.recorded_in = pg_current_xact_id()::text::bigint + p.xid_offset
          and e.action = 'audit.personal_details_erased' and e.target_id = subject) then
        raise exception 'an erasure is recorded before it is done' using errcode = 'insufficient_privilege';
      end if;
      perform audit_allow_erasure(true);
      delete from audit_personal_details where event_id in (select e.id from audit_events e
        join audit_personal_details p on p.event_id = e.id where e.actor_id = subject or e.target_id = subject limit most);
      get diagnostics erased = row_count;
      perform audit_allow_erasure(false);
      return erased;
    end $$`,
  ...['audit_erase_details(text, integer)', 'audit_allow_erasure(boolean)', 'audit_number_from(bigint)'].map(
    (name) => `revoke execute on function ${name} from public`,
  ),
];

/** The database refuses backdated events, seals that do not continue the chain, and erasures that are not recorded. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
