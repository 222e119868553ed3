import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Counts by period, so that no page counts records or events.
  `create table activity_counts (
    step_seconds integer not null,
    starts_at timestamptz not null,
    kind text not null,
    outcome text not null,
    count bigint not null,
    primary key (step_seconds, starts_at, kind, outcome)
  )`,
  `create table client_usage (
    client_id uuid not null references clients on delete cascade,
    day timestamptz not null,
    allowed bigint not null,
    refused bigint not null,
    last_used_at timestamptz,
    primary key (client_id, day)
  )`,
  'create index client_usage_day on client_usage (day)',

  // The record of a source up to which everything is counted, in the order of transactions.
  `create table activity_positions (
    source text primary key,
    recorded_in bigint not null,
    id uuid not null,
    counted_until timestamptz not null
  )`,
  `insert into activity_positions (source, recorded_in, id, counted_until)
    select source, 0, '00000000-0000-0000-0000-000000000000', 'epoch' from unnest(array['access_records', 'audit_events']) source`,

  // As in audit_events: with a snapshot, the number of the transaction shows which records are new, however late they were written.
  // Existing records get the number of this transaction.
  `do $$ begin
    execute format('alter table access_records add column recorded_in bigint not null default (pg_current_xact_id()::text::bigint + %s)',
      (select xid_offset from audit_positions));
  end $$`,
  'create index access_records_recorded_in on access_records (recorded_in, id)',
  // An older version inserts null into columns that it does not know.
  `create function number_access_record() returns trigger language plpgsql as $$
    begin
      new.recorded_in := pg_current_xact_id()::text::bigint + (select xid_offset from audit_positions);
      return new;
    end $$`,
  `create trigger access_records_numbered before insert on access_records
    for each row when (new.recorded_in is null) execute function number_access_record()`,
  // Transaction numbers start from the beginning in a database that is restored from a dump. The offset keeps them rising.
  `create or replace function audit_number_from(first bigint) returns void language plpgsql as $$
    begin
      -- A change of the default waits for every reader of the log and blocks later ones: only if the number differs.
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

  // Hints that a user has hidden.
  `create table hidden_hints (
    user_id uuid not null references users on delete cascade,
    hint text not null,
    hidden_at timestamptz not null,
    primary key (user_id, hint)
  )`,

  // Records that need attention are searched by time in large tables.
  'create index api_keys_expiry on api_keys (expires_at) where revoked_at is null and expires_at is not null',
  `create index webhook_deliveries_failed on webhook_deliveries (webhook_id, updated_at) where state in ('retrying', 'dead')`,
  'create index client_secrets_age on client_secrets (created_at) where revoked_at is null',

  // The other built-in roles have it by a pattern.
  `insert into role_permissions (role_id, resource, pattern)
    select id, null, 'latchkey:activity:read' from roles where id = '00000000-0000-7000-8000-000000000002'`,
];

/** Counts of activity by period, usage by client and day, and the hints that a user has hidden. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
