import { type Kysely, sql } from 'kysely';

const statements = [
  `create table api_keys (
    id uuid primary key,
    name text not null,
    description text,
    environment text not null,
    owner_id uuid not null references subjects,
    risk text not null check (risk in ('high', 'medium', 'low')),
    permissions json not null,
    restrictions json not null,
    metadata json not null,
    enabled boolean not null default true,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,
  `create index api_keys_owner on api_keys (owner_id)`,
  `create index api_keys_environment on api_keys (environment)`,

  // The versions of a key: the present one, and those whose overlap has not ended. The first characters find a leaked key of
  // which a log shows no more.
  `create table api_key_versions (
    digest bytea primary key,
    key_id uuid not null references api_keys on delete cascade,
    number integer not null,
    start text not null,
    last_four text not null,
    issued_at timestamptz not null,
    ends_at timestamptz,
    unique (key_id, number)
  )`,
  `create index api_key_versions_start on api_key_versions (start text_pattern_ops)`,
  `create table api_key_roles (
    key_id uuid not null references api_keys on delete cascade,
    role_id uuid not null references roles on delete cascade,
    primary key (key_id, role_id)
  )`,
  `create index api_key_roles_role on api_key_roles (role_id)`,
  `create table api_key_tags (
    key_id uuid not null references api_keys on delete cascade,
    tag text not null,
    primary key (tag, key_id)
  )`,
  `create index api_key_tags_key on api_key_tags (key_id)`,
  `create table api_key_usage (
    key_id uuid not null references api_keys on delete cascade,
    day timestamptz not null,
    allowed bigint not null default 0,
    refused bigint not null default 0,
    primary key (key_id, day)
  )`,

  `create table limit_counters (
    key text primary key,
    value bigint not null,
    expires_at timestamptz not null
  ) with (fillfactor = 50)`,
  `create index limit_counters_expiry on limit_counters (expires_at)`,

  // Increments all counters of a request or none: one that a limit refuses does not count for the others. A counter starts from
  // its floor (the time, for a rate; 0, for a quota) and must not exceed its ceiling. Rows are locked in a fixed order. A crash of
  // PostgreSQL loses less than a second of counting, so commits do not wait for the disk.
  // Returns the first counter that refuses (0: none), then the present value of every counter.
  `create function take_from_limits(keys text[], floors bigint[], increments bigint[], ceilings bigint[], expiries timestamptz[])
    returns bigint[] language plpgsql as $$
    declare
      present bigint[] := '{}';
      moved bigint[] := '{}';
      refusing bigint := 0;
      found bigint;
    begin
      perform set_config('synchronous_commit', 'off', true);
      insert into limit_counters (key, value, expires_at)
        select u.k, u.f, u.e from unnest(keys, floors, expiries) as u(k, f, e) order by u.k
        on conflict (key) do nothing;
      perform from limit_counters where key = any(keys) order by key for update;
      for n in 1 .. cardinality(keys) loop
        select greatest(value, floors[n]) into found from limit_counters where key = keys[n];
        present := present || found;
        moved := moved || (found + increments[n]);
        if refusing = 0 and found + increments[n] > ceilings[n] then refusing := n; end if;
      end loop;
      if refusing > 0 then return refusing || present; end if;
      update limit_counters c set value = u.v, expires_at = greatest(c.expires_at, u.e)
        from unnest(keys, moved, expiries) as u(k, v, e) where c.key = u.k;
      return 0::bigint || moved;
    end $$`,

  // The cached state of a key depends on rows of other modules: every write to these is announced to all nodes. Deferred to the
  // commit, because the counter stays locked until then.
  `create function announce_change(changed_kind text, changed_key text) returns void language plpgsql as $$
    declare moved bigint;
    begin
      update change_counter set position = position + 1 returning position into moved;
      delete from changes where occurred_at < clock_timestamp() - interval '1 hour';
      insert into changes (position, kind, key, occurred_at) values (moved, changed_kind, changed_key, clock_timestamp());
      perform pg_notify('latchkey_changes', '');
    end $$`,
  `create function role_has_changed() returns trigger language plpgsql as $$
    begin perform announce_change('role', old.name); return null; end $$`,
  `create constraint trigger roles_announced after update or delete on roles
    deferrable initially deferred for each row execute function role_has_changed()`,
  `create function subject_has_changed() returns trigger language plpgsql as $$
    begin perform announce_change('subject', new.id::text); return null; end $$`,
  `create constraint trigger users_announced after update of enabled on users deferrable initially deferred
    for each row when (old.enabled is distinct from new.enabled) execute function subject_has_changed()`,
  `create constraint trigger clients_announced after update of enabled on clients deferrable initially deferred
    for each row when (old.enabled is distinct from new.enabled) execute function subject_has_changed()`,
  `create function assignment_has_changed() returns trigger language plpgsql as $$
    declare subject uuid := case when tg_op = 'DELETE' then old.subject_id else new.subject_id end;
    begin
      if exists (select from api_keys where owner_id = subject) then perform announce_change('subject', subject::text); end if;
      return null;
    end $$`,
  `create constraint trigger role_assignments_announced after insert or update or delete on role_assignments
    deferrable initially deferred for each row execute function assignment_has_changed()`,

  `insert into role_permissions (role_id, resource, pattern)
    select roles.id, null, pattern from roles, unnest(array['latchkey:verify', 'latchkey:api_key:read', 'latchkey:api_key:create',
      'latchkey:api_key:write', 'latchkey:api_key:rotate', 'latchkey:api_key:disable', 'latchkey:api_key:revoke']) as pattern
      where roles.id = '00000000-0000-7000-8000-000000000002'`,
];

/** API keys, their limits, and the announcements that invalidate cached keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
