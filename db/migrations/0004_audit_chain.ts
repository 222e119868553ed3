import { type Kysely, sql } from 'kysely';

const appendOnly = (table: string, operations: string) =>
  `create trigger ${table}_append_only before ${operations} on ${table} for each row execute function audit_is_append_only()`;
const noTruncate = (table: string) =>
  `create trigger ${table}_no_truncate before truncate on ${table} for each statement execute function audit_is_append_only()`;

const statements = [
  // Personal details are stored separately, so that they can be erased; the event keeps their salted digest.
  `create table audit_personal_details (
    event_id uuid primary key,
    salt text not null,
    address text,
    user_agent text
  )`,

  // Public parts are kept forever, because they verify the seals of each key.
  `create table audit_keys (
    kid text primary key,
    public_jwk json not null,
    created_at timestamptz not null
  )`,

  // A link of the chain: its events in order ('members': 16 bytes of id and 32 of digest each), and the previous head. It covers
  // a snapshot: all transactions below 'seen_below' except the 'unfinished' ones; several segments may share one snapshot, and the
  // last of them is the complete one.
  `create table audit_segments (
    number bigint primary key,
    previous_head bytea not null,
    event_count integer not null,
    members bytea not null,
    seen_below bigint not null,
    unfinished json not null,
    is_complete boolean not null,
    sealed_at timestamptz not null,
    kid text not null references audit_keys,
    head bytea not null,
    signature text not null
  )`,
  `create index audit_segments_sealed_at on audit_segments (sealed_at)`,

  // The record of removed segments: the head from which the rest is verified. Deleting requires it (below).
  `create table audit_retentions (
    number bigint primary key,
    head bytea not null,
    seen_below bigint not null,
    unfinished json not null,
    sealed_at timestamptz not null,
    removed_at timestamptz not null,
    kid text not null references audit_keys,
    signature text not null
  )`,

  // Transaction numbers restart in a database that is restored from a dump; the offset keeps them increasing.
  `create table audit_positions (
    only_row boolean primary key default true check (only_row),
    xid_offset bigint not null default 0
  )`,
  `insert into audit_positions default values`,

  // The number of the transaction that recorded it: with a snapshot, it shows which events are new, without a lock or sequence.
  `alter table audit_events
    add column recorded_in bigint not null default (pg_current_xact_id()::text::bigint + 0),
    add column personal_digest bytea`,
  `create index audit_events_recorded_in on audit_events (recorded_in, id)`,
  `create index audit_events_actor on audit_events (actor_id, occurred_at)`,
  // Nearly all events have one of two actions, which need no index; leaving them out keeps the index small.
  `drop index audit_events_action`,
  `create index audit_events_rare_action on audit_events (action, occurred_at)
    where action not in ('access_token.issued', 'refresh_token.rotated')`,

  `create function audit_continue_after_restore() returns void language plpgsql as $$
    declare
      seen bigint := (select max(seen_below) from (select seen_below from audit_segments union all select seen_below from audit_retentions) s);
      used bigint := (select xid_offset from audit_positions);
    begin
      if seen is null or seen <= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + used then return; end if;
      used := greatest(seen, (select max(recorded_in) from audit_events)) + 1;
      execute format('alter table audit_events alter column recorded_in set default (pg_current_xact_id()::text::bigint + %s)', used);
      update audit_positions set xid_offset = used;
    end $$`,

  `drop trigger audit_events_append_only on audit_events`,
  // A running older version still writes these columns.
  `create function audit_set_details_apart() returns trigger language plpgsql as $$
    declare salt text := replace(gen_random_uuid()::text, '-', '');
    begin
      insert into audit_personal_details (event_id, salt, address, user_agent) values (new.id, salt, new.address, new.user_agent);
      new.personal_digest := sha256(convert_to(concat(salt, E'\\n', new.address, E'\\n', new.user_agent), 'UTF8'));
      new.address := null;
      new.user_agent := null;
      return new;
    end $$`,
  `create trigger audit_events_details_apart before insert or update on audit_events for each row
    when (new.address is not null or new.user_agent is not null) execute function audit_set_details_apart()`,
  `update audit_events set personal_digest = null where address is not null or user_agent is not null`,
  `drop trigger audit_events_details_apart on audit_events`,
  `create trigger audit_events_details_apart before insert on audit_events for each row
    when (new.address is not null or new.user_agent is not null) execute function audit_set_details_apart()`,
  `alter table audit_events add constraint audit_events_details_are_apart check (address is null and user_agent is null)`,

  // Only events that a retention record covers can be deleted; 'latchkey audit verify' reports an unsigned record.
  `create or replace function audit_is_append_only() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' and tg_table_name like 'audit\\_events%' then
        if exists (select from audit_retentions r where old.recorded_in < r.seen_below
          and not r.unfinished::jsonb @> to_jsonb(old.recorded_in)) then return old; end if;
      elsif tg_op = 'DELETE' and tg_table_name = 'audit_segments' then
        if exists (select from audit_retentions r where old.number <= r.number) then return old; end if;
      end if;
      raise exception 'audit events are append-only' using errcode = 'insufficient_privilege';
    end $$`,
  appendOnly('audit_events', 'update or delete'),
  ...['audit_segments', 'audit_keys', 'audit_retentions'].flatMap((table) => [
    appendOnly(table, 'update or delete'),
    noTruncate(table),
  ]),
];

/** The audit log can be verified: events are linked into signed segments, and personal details can be erased. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
