import { type Kysely, sql } from 'kysely';

const statements = [
  // The position of an audience in the audit log: after this event of this segment. One node at a time holds the lease.
  `create table event_cursors (
    name text primary key,
    segment bigint not null,
    ordinal integer not null default 0,
    attempts integer not null default 0,
    next_attempt_at timestamptz,
    lease uuid,
    leased_until timestamptz
  )`,
  `create table webhooks (
    id uuid primary key,
    url text not null,
    description text,
    events json not null,
    most_attempts integer not null,
    enabled boolean not null default true,
    disabled_because text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,
  // Needed in readable form to sign: sealed with the server key of this id.
  `create table webhook_secrets (
    id uuid primary key,
    webhook_id uuid not null references webhooks on delete cascade,
    key_id integer not null,
    sealed bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz
  )`,
  `create index webhook_secrets_webhook on webhook_secrets (webhook_id)`,
  `create index webhook_secrets_expiry on webhook_secrets (expires_at)`,
  // The content of messages is read from the audit log again: a copy would keep personal details that are erased there.
  `create table webhook_deliveries (
    id uuid primary key,
    webhook_id uuid not null references webhooks on delete cascade,
    message_id text not null,
    type text not null,
    segment bigint,
    ordinal integer,
    state text not null,
    attempts integer not null default 0,
    last_status integer,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (webhook_id, message_id)
  )`,
  `create index webhook_deliveries_webhook on webhook_deliveries (webhook_id, id)`,
  `create index webhook_deliveries_age on webhook_deliveries (updated_at)`,
  `create index webhook_deliveries_requested on webhook_deliveries (webhook_id, id) where state = 'requested'`,

  `insert into role_permissions (role_id, resource, pattern)
    select roles.id, null, pattern from roles join (values
      ('00000000-0000-7000-8000-000000000002'::uuid, 'latchkey:webhook:*'),
      ('00000000-0000-7000-8000-000000000003'::uuid, 'latchkey:webhook:redeliver')) as p(id, pattern) on p.id = roles.id
    on conflict do nothing`,
];

/** Notifications: webhooks, and the position of each audience in the audit log. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
