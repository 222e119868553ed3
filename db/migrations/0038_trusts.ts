import { type Kysely, sql } from 'kysely';

const types = ['web', 'spa', 'native', 'service', 'agent', 'workload'].map((type) => `'${type}'`).join(', ');
const registrars = ['operator', 'document', 'dynamic', 'trust'].map((by) => `'${by}'`).join(', ');

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Foreign issuers whose tokens are accepted, and the permissions that they grant.
  `create table trusts (
    id uuid primary key,
    name text not null,
    kind text not null,
    issuer text not null,
    audience text,
    jwks_uri text,
    jwks json,
    conditions json not null,
    permissions json not null,
    access_token_ttl_seconds integer,
    one_time boolean not null,
    most_workloads integer not null,
    enabled boolean not null default true,
    epoch integer not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,
  'create unique index trusts_name on trusts (lower(name))',
  'create index trusts_issuer on trusts (issuer)',
  `create function trusts_announced() returns trigger language plpgsql as $$
    begin
      perform announce_change('trust', new.issuer);
      return null;
    end $$`,
  `create constraint trigger trusts_announced after insert or update on trusts
    deferrable initially deferred for each row execute function trusts_announced()`,

  // How a client was registered; one that a trust registered belongs to it, and is disabled with it.
  'alter table clients drop constraint clients_type_check',
  `alter table clients add constraint clients_type_check check (type in (${types}))`,
  `alter table clients add column if not exists registered_by text not null default 'operator' check (registered_by in (${registrars}))`,
  `alter table clients add column trust_id uuid references trusts, add column disabled_with_trust boolean not null default false`,
  'create index clients_trust on clients (trust_id, id) where trust_id is not null',
];

/** Trusts: tokens of foreign issuers, accepted from workloads without a registration. Safe under a running older version. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
