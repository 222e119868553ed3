import { type Kysely, sql } from 'kysely';

const statements = [
  // Records that Latchkey itself registers are neither exported nor pruned.
  `alter table resource_servers add column built_in boolean not null default false`,

  // The response is sealed with a key that is derived from the Idempotency-Key: only its sender can read it.
  `create table idempotency_keys (
    digest bytea primary key,
    request_digest bytea not null,
    sealed bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  `create index idempotency_keys_expiry on idempotency_keys (expires_at)`,

  // Only if there is no role with the name: an installation may have created its own.
  `insert into roles (id, name, description, built_in, created_at, updated_at)
    select id::uuid, name, description, true, now(), now() from (values
      ('00000000-0000-7000-8000-000000000002', 'administrator', 'Manages clients, APIs, users and roles, except owners'),
      ('00000000-0000-7000-8000-000000000003', 'operator', 'Reads everything, and disables, revokes and rotates credentials'),
      ('00000000-0000-7000-8000-000000000004', 'auditor', 'Reads everything, and changes nothing')) as r(id, name, description)
    on conflict (name) do nothing`,
  `insert into role_permissions (role_id, resource, pattern)
    select roles.id, null, pattern from roles, unnest(array['*', 'latchkey:client:*',
      'latchkey:client_secret:*', 'latchkey:resource_server:*', 'latchkey:role:*', 'latchkey:user:*', 'latchkey:session:*',
      'latchkey:consent:*', 'latchkey:grant:*', 'latchkey:token:*', 'latchkey:signing_key:*', 'latchkey:audit:*']) as pattern
      where roles.id = '00000000-0000-7000-8000-000000000002'
    union all
    select roles.id, null, pattern from roles, unnest(array['latchkey:*:read',
      'latchkey:*:disable', 'latchkey:*:revoke', 'latchkey:signing_key:rotate', 'latchkey:audit:export']) as pattern
      where roles.id = '00000000-0000-7000-8000-000000000003'
    union all
    select roles.id, null, pattern from roles, unnest(array['latchkey:*:read',
      'latchkey:audit:export']) as pattern
      where roles.id = '00000000-0000-7000-8000-000000000004'`,
];

/** The admin API: built-in roles, and idempotent requests. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
