import { type Kysely, sql } from 'kysely';

const separators = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** Longer words are found by their beginning: PostgreSQL accepts no lexeme of more than 2 KB. */
const longestWord = 64;

const words = (
  text: string,
) => `array_remove(string_to_array(regexp_replace(lower(translate(${text}, '${separators.replace("'", "''")}',
    repeat(' ', ${separators.length}))), '(\\S{${longestWord}})\\S+', '\\1', 'g'), ' '), '')`;

const functions = [
  // The parsers and dictionaries of text search depend on the language, and take addresses and URLs as one word each.
  `create function search_vector(value text) returns tsvector language sql immutable parallel safe
    return array_to_tsvector(${words('value')})`,
  // Each word of a search matches words that begin with it. A search without a word matches nothing.
  `create function search_query(value text) returns tsquery language sql immutable parallel safe
    return (select string_agg('''' || word || ''':*', ' & ')::tsquery from unnest(${words('value')}) word)`,
];

const clientName = `coalesce(metadata ->> 'client_name', client_id)`;

// Each serves an order or a search of a list, with the same expression as in the store of its module. They are not created
// concurrently, because all migrations run in one transaction.
const indexes = [
  `users_search on users using gin (search_vector(username || ' ' || coalesce(name, '') || ' ' || coalesce(email, ''))) with (fastupdate = off)`,
  `users_by_username on users ((lower(username) collate "C"), id)`,
  `users_by_name on users ((lower(coalesce(name, username)) collate "C"), id)`,
  `users_by_email on users ((coalesce(lower(email), '~') collate "C"), id)`,
  'users_disabled on users (id) where not enabled',

  `clients_search on clients using gin (search_vector(client_id || ' ' || coalesce(metadata ->> 'client_name', ''))) with (fastupdate = off)`,
  'clients_by_client_id on clients ((client_id collate "C"), id)',
  `clients_by_name on clients ((lower(${clientName}) collate "C"), id)`,
  'clients_by_type on clients ((type collate "C"), id)',
  'clients_disabled on clients (id) where not enabled',

  `resource_servers_search on resource_servers using gin (search_vector(identifier || ' ' || name)) with (fastupdate = off)`,
  'resource_servers_by_identifier on resource_servers ((identifier collate "C"), id)',
  'resource_servers_by_name on resource_servers ((lower(name) collate "C"), id)',

  `api_keys_search on api_keys using gin (search_vector(name || ' ' || coalesce(description, ''))) with (fastupdate = off)`,
  'api_keys_by_name on api_keys ((lower(name) collate "C"), id)',
  `api_keys_by_expiry on api_keys ((coalesce(expires_at, 'infinity'::timestamptz)), id)`,
  `api_keys_by_last_use on api_keys ((coalesce(last_used_at, '-infinity'::timestamptz)), id)`,
  'api_keys_of_owner on api_keys (owner_id, id)',
  'api_keys_revoked on api_keys (id) where revoked_at is not null',
  'api_key_versions_last_four on api_key_versions (last_four)',

  'sessions_by_visit on sessions (last_seen_at, uid) where revoked_at is null and user_id is not null',
  'sessions_by_sign_in on sessions ((coalesce(login_at, created_at)), uid) where revoked_at is null and user_id is not null',

  'consents_user on consents (user_id, id)',
  'consents_client on consents (client_id, id)',
  'grants_by_creation on grants (created_at, id) where revoked_at is null',

  `webhook_deliveries_dead on webhook_deliveries (webhook_id, id) where state = 'dead'`,
];

/** Indexes for sorting and searching lists. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Announcements that earlier migrations deferred would prevent creating indexes.
  for (const statement of ['set constraints all immediate', 'set constraints all deferred', ...functions])
    await sql.raw(statement).execute(db);
  for (const index of indexes) await sql.raw(`create index ${index}`).execute(db);
  await sql.raw('drop index api_keys_owner').execute(db);
  // The other built-in roles have it by a pattern.
  await sql
    .raw(
      `insert into role_permissions (role_id, resource, pattern)
        select id, null, pattern from roles, unnest(array['latchkey:search:read', 'latchkey:settings:read']) as pattern
        where id = '00000000-0000-7000-8000-000000000002'`,
    )
    .execute(db);
}
