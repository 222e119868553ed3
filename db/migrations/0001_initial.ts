import { type Kysely, sql } from 'kysely';

/**
 * The tables of the first release (DESIGN.md §4).
 * Secrets are `bytea` digests or sealed bytes; free payloads are `json`, because `jsonb` refuses `\u0000` and lone surrogates.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // One row: its position grows with every change that other nodes must notice.
  `create table change_counter (
    only_row boolean primary key default true check (only_row),
    position bigint not null default 0
  )`,
  `insert into change_counter default values`,

  `create table server_keys (
    id integer generated always as identity primary key,
    purpose text not null,
    sealed bytea not null,
    created_at timestamptz not null
  )`,
  `create index server_keys_purpose on server_keys (purpose, id)`,

  `create table signing_keys (
    kid text primary key,
    alg text not null,
    public_jwk json not null,
    sealed_private_jwk bytea not null,
    created_at timestamptz not null,
    signs_from timestamptz not null,
    retires_at timestamptz
  )`,

  `create table subjects (
    id uuid primary key,
    kind text not null check (kind in ('user', 'client'))
  )`,

  `create table users (
    id uuid primary key references subjects,
    username text not null,
    email text,
    email_verified boolean not null default false,
    name text,
    enabled boolean not null default true,
    tokens_valid_after timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,
  `create unique index users_username on users (lower(username))`,
  `create unique index users_email on users (lower(email))`,

  `create table credentials (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    kind text not null check (kind in ('password')),
    hash text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create unique index credentials_password on credentials (user_id) where kind = 'password'`,

  `create table setup_links (
    digest bytea primary key,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
  )`,

  `create table clients (
    id uuid primary key references subjects,
    client_id text not null unique check (client_id !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'),
    type text not null check (type in ('web', 'spa', 'native', 'service')),
    metadata json not null,
    resources json not null,
    service_permissions json not null,
    introspects json not null,
    lifetimes json not null,
    owner_id uuid references subjects,
    first_party boolean not null default false,
    enabled boolean not null default true,
    tokens_valid_after timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,

  `create table client_secrets (
    id uuid primary key,
    client_id uuid not null references clients on delete cascade,
    digest bytea not null,
    pepper_id integer not null references server_keys,
    label text,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz
  )`,
  `create index client_secrets_client on client_secrets (client_id)`,

  `create table resource_servers (
    id uuid primary key,
    identifier text not null unique,
    name text not null,
    access_token_format text not null default 'opaque' check (access_token_format in ('opaque', 'jwt')),
    access_token_signing_alg text,
    access_token_ttl_seconds integer check (access_token_ttl_seconds > 0),
    assignment_required boolean not null default false,
    enabled boolean not null default true,
    tokens_valid_after timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,

  `create table permissions (
    resource_server_id uuid not null references resource_servers on delete cascade,
    name text not null,
    description text,
    is_default boolean not null default false,
    is_optional boolean not null default false,
    is_sensitive boolean not null default false,
    primary key (resource_server_id, name)
  )`,

  `create table roles (
    id uuid primary key,
    name text not null unique,
    description text,
    built_in boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,
  `insert into roles (id, name, description, built_in, created_at, updated_at)
    values ('00000000-0000-7000-8000-000000000001', 'owner', 'Has every permission', true, now(), now())`,
  `create table role_permissions (
    role_id uuid not null references roles on delete cascade,
    resource text,
    pattern text not null,
    unique nulls not distinct (role_id, resource, pattern)
  )`,
  `insert into role_permissions (role_id, resource, pattern)
    select '00000000-0000-7000-8000-000000000001', null, unnest(array['*', 'latchkey:*', 'secrets:*'])`,
  `create table role_assignments (
    role_id uuid not null references roles on delete cascade,
    subject_id uuid not null references subjects on delete cascade,
    until timestamptz,
    created_at timestamptz not null,
    primary key (role_id, subject_id)
  )`,
  `create index role_assignments_subject on role_assignments (subject_id)`,

  `create table consents (
    id uuid primary key,
    user_id uuid not null references users,
    client_id uuid not null references clients,
    scopes json not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    version integer not null default 1
  )`,
  `create unique index consents_standing on consents (user_id, client_id) where revoked_at is null`,

  `create table sessions (
    uid text primary key,
    user_id uuid references users,
    login_at timestamptz,
    acr text,
    amr json,
    transient boolean not null default false,
    sealed_state bytea,
    address text,
    user_agent text,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
  )`,
  `create index sessions_user on sessions (user_id)`,
  `create index sessions_expiry on sessions (expires_at)`,

  // A session has several valid ids for a moment after a rotation, so that two concurrent tabs do not lose it.
  `create table session_ids (
    digest bytea primary key,
    session_uid text not null references sessions on delete cascade,
    expires_at timestamptz not null
  )`,
  `create index session_ids_session on session_ids (session_uid)`,

  `create table grants (
    id uuid primary key,
    user_id uuid not null references users,
    client_id uuid not null references clients,
    consent_id uuid references consents,
    session_uid text,
    offline boolean not null default false,
    payload json not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    revoked_for text
  )`,
  `create index grants_user on grants (user_id)`,
  `create index grants_client on grants (client_id)`,
  `create index grants_consent on grants (consent_id)`,
  `create index grants_session on grants (session_uid)`,

  `create table session_clients (
    session_uid text not null references sessions on delete cascade,
    client_id uuid not null references clients on delete cascade,
    sid text,
    grant_id uuid,
    persists_logout boolean not null default false,
    primary key (session_uid, client_id)
  )`,

  `create table interactions (
    digest bytea primary key,
    sealed bytea not null,
    expires_at timestamptz not null
  )`,
  `create index interactions_expiry on interactions (expires_at)`,

  // An active grant. Whether a credential under it is active follows from its own time of issue and these two columns, so that
  // disabling a user or a client, or revoking a session, needs no write to any token.
  `create view standing_grants as
    select g.*,
      greatest(u.tokens_valid_after, c.tokens_valid_after) as tokens_valid_after,
      case when g.offline or g.session_uid is null then 'infinity'::timestamptz
        when s.revoked_at is null then coalesce(s.expires_at, '-infinity') else '-infinity' end as ends_at
    from grants g
      join users u on u.id = g.user_id and u.enabled
      join clients c on c.id = g.client_id and c.enabled
      left join sessions s on s.uid = g.session_uid
    where g.revoked_at is null`,

  // One row per code redemption, not per token: a rotation updates it in place (heap-only, no index touched), and the handle in
  // every token of the family makes reuse of any older one detectable permanently.
  `create table refresh_families (
    id uuid primary key,
    grant_id uuid not null references grants,
    client_id uuid not null,
    user_id uuid not null,
    handle_digest bytea unique,
    digest bytea,
    key_id integer,
    previous_digest bytea,
    previous_key_id integer,
    generation integer not null default 0,
    rotated_at timestamptz,
    grace_uses integer not null default 0,
    payload json,
    issued_at timestamptz not null,
    expires_at timestamptz,
    absolute_expires_at timestamptz,
    revoked_at timestamptz,
    revoked_for text
  ) with (fillfactor = 80)`,
  `create index refresh_families_grant on refresh_families (grant_id)`,
  `create index refresh_families_expiry on refresh_families (absolute_expires_at)`,

  `create table authorization_codes (
    digest bytea primary key,
    family_id uuid not null,
    grant_id uuid not null references grants,
    client_id uuid not null,
    user_id uuid not null,
    payload json not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    consumed_at timestamptz
  )`,
  `create index authorization_codes_expiry on authorization_codes (expires_at)`,

  `create table access_tokens (
    digest bytea primary key,
    grant_id uuid,
    family_id uuid,
    client_id uuid not null,
    user_id uuid,
    scope text,
    audience text,
    identity_scope text,
    payload json not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
  )`,
  `create index access_tokens_expiry on access_tokens (expires_at)`,

  `create table jwt_access_tokens (
    jti text primary key,
    grant_id uuid,
    family_id uuid,
    client_id uuid not null,
    user_id uuid,
    scope text,
    audience text,
    identity_scope text,
    payload json not null,
    status_list_id integer not null,
    status_index integer not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    unique (status_list_id, status_index)
  )`,
  `create index jwt_access_tokens_expiry on jwt_access_tokens (expires_at)`,

  // Nodes lease blocks of indexes; inside a block they draw at random (draft-ietf-oauth-status-list §12.5).
  `create table status_lists (
    id integer generated always as identity primary key,
    size integer not null,
    leased integer not null default 0,
    created_at timestamptz not null
  )`,

  `create table replay_detection (
    digest bytea primary key,
    expires_at timestamptz not null
  )`,
  `create index replay_detection_expiry on replay_detection (expires_at)`,

  // The layout of rate-limiter-flexible.
  `create table throttles (
    key varchar(255) primary key,
    points integer not null default 0,
    expire bigint
  )`,

  `create table audit_events (
    id uuid not null,
    occurred_at timestamptz not null,
    actor_kind text not null,
    actor_id text,
    action text not null,
    target_kind text,
    target_id text,
    outcome text not null check (outcome in ('success', 'failure')),
    reason text,
    address text,
    user_agent text,
    request_id text,
    details json,
    primary key (occurred_at, id)
  ) partition by range (occurred_at)`,
  `create index audit_events_action on audit_events (action, occurred_at)`,
  `create index audit_events_target on audit_events (target_id, occurred_at)`,
  `create table audit_events_default partition of audit_events default`,

  `create function audit_is_append_only() returns trigger language plpgsql as $$
    begin raise exception 'audit events are append-only' using errcode = 'insufficient_privilege'; end $$`,
  `create trigger audit_events_append_only before update or delete on audit_events
    for each row execute function audit_is_append_only()`,
  `create trigger audit_events_no_truncate before truncate on audit_events
    for each statement execute function audit_is_append_only()`,
];
