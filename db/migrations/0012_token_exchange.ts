import { type Kysely, sql } from 'kysely';

const statements = [
  // An access token that was exchanged for an API key expires no later than the presented version of the key. No foreign keys: a
  // token without its key is refused, and needs no write for that.
  `alter table access_tokens add column api_key_id uuid, add column api_key_version integer`,
  `alter table jwt_access_tokens add column api_key_id uuid, add column api_key_version integer`,
  // For the tokens that are revoked with a key; other tokens are not in these indexes, so that they cost nothing.
  `create index access_tokens_api_key on access_tokens (api_key_id) where api_key_id is not null`,
  `create index jwt_access_tokens_api_key on jwt_access_tokens (api_key_id) where api_key_id is not null`,
  // Tokens from before a key was disabled stay revoked when it is enabled again, as for users and clients.
  `alter table api_keys add column tokens_valid_after timestamptz`,
  // Whether the owner disabled the key: if someone else did, the owner cannot enable it again.
  `alter table api_keys add column disabled_by_owner boolean not null default false`,

  // Active versions of keys, regardless of their expiry. Whether a token that was exchanged for one is active follows from its time
  // of issue and these columns, so that revoking a key or its owner needs no write to any token.
  `create view standing_api_keys as
    select k.id, v.number, greatest(k.tokens_valid_after, u.tokens_valid_after, c.tokens_valid_after) as tokens_valid_after,
      least(coalesce(k.expires_at, 'infinity'), coalesce(v.ends_at, 'infinity')) as ends_at
    from api_keys k
      join api_key_versions v on v.key_id = k.id
      left join users u on u.id = k.owner_id
      left join clients c on c.id = k.owner_id
    where k.enabled and k.revoked_at is null and coalesce(u.enabled, c.enabled, false)`,

  // Every token needs a client, but keys of users belong to none.
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

/** Token exchange (RFC 8693): access tokens for API keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
