import { type Kysely, sql } from 'kysely';

const statements = [
  // The payload holds the raw device code and the request's parameters, so it is sealed. A user code is short enough to be
  // guessed from a plain digest, so its digest is keyed.
  `create table device_codes (
    digest bytea primary key,
    user_code_digest bytea not null unique,
    family_id uuid not null,
    client_id uuid not null,
    user_id uuid,
    grant_id uuid references grants,
    sealed bytea not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    interval_seconds integer not null,
    polled_at timestamptz,
    consumed_at timestamptz
  )`,
  `create index device_codes_expiry on device_codes (expires_at)`,

  `create table pushed_requests (
    digest bytea primary key,
    sealed bytea not null,
    expires_at timestamptz not null,
    consumed_at timestamptz
  )`,
  `create index pushed_requests_expiry on pushed_requests (expires_at)`,

  `alter table resource_servers add column dpop_required boolean not null default false`,
];

/** Device authorization (RFC 8628), pushed authorization requests (RFC 9126), resource servers that require DPoP (RFC 9449). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
