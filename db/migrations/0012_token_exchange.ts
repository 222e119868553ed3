import { type Kysely, sql } from 'kysely';

const statements = [
  // An access token that was got for an API key lives no longer than the text of the key it was got for. No foreign keys: a
  // token whose key is gone is dead, and nothing needs to be written for that.
  `alter table access_tokens add column api_key_id uuid, add column api_key_version integer`,
  `alter table jwt_access_tokens add column api_key_id uuid, add column api_key_version integer`,
  // What would die with a key; other tokens are not in them, so that they cost nothing.
  `create index access_tokens_api_key on access_tokens (api_key_id) where api_key_id is not null`,
  `create index jwt_access_tokens_api_key on jwt_access_tokens (api_key_id) where api_key_id is not null`,
  // What was got for a key before it was let rest stays dead when it works again, as with people and clients.
  `alter table api_keys add column tokens_valid_after timestamptz`,
  // Who let a key rest: what somebody else has stopped, its owner does not start again.
  `alter table api_keys add column disabled_by_owner boolean not null default false`,

  // A text of a key that still works but for its time. Whether a token got for it lives follows from its own time of issue and
  // these columns, so that ending a key or its owner needs no write to any token.
  `create view standing_api_keys as
    select k.id, v.number, greatest(k.tokens_valid_after, u.tokens_valid_after, c.tokens_valid_after) as tokens_valid_after,
      least(coalesce(k.expires_at, 'infinity'), coalesce(v.ends_at, 'infinity')) as ends_at
    from api_keys k
      join api_key_versions v on v.key_id = k.id
      left join users u on u.id = k.owner_id
      left join clients c on c.id = k.owner_id
    where k.enabled and k.revoked_at is null and coalesce(u.enabled, c.enabled, false)`,

  // Keys of people belong to no client, and every token does.
  `alter table clients add column built_in boolean not null default false`,
  `with named as (
    select '00000000-0000-7000-8000-000000000101'::uuid as id
      where not exists (select from clients where client_id = 'latchkey-api-keys')
  ), subject as (
    insert into subjects (id, kind) select id, 'client' from named
  )
  insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, first_party, built_in,
      created_at, updated_at)
    select id, 'latchkey-api-keys', 'native', '{"client_name":"API keys","application_type":"native","grant_types":[],
      "response_types":[],"redirect_uris":[],"token_endpoint_auth_method":"none"}', '{}', '{}', '[]', '{}', true, true, now(), now()
    from named`,
];

/** Token exchange (RFC 8693): access tokens got for API keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
