import pg from 'pg';
import { formatCredential } from '../src/platform/crypto/index.ts';

const atOnce = 250_000;

// One sign-in of each user, made by the server itself: the other rows are copies of its rows.
const samples = `
  create temp table samples as
  select row_number() over () - 1 as person, f.id as family_id, f.grant_id, f.client_id, f.user_id, f.key_id, f.payload as refresh_payload,
    f.expires_at, f.absolute_expires_at, g.consent_id, g.session_uid, g.offline, g.payload as grant_payload, a.scope, a.audience,
    a.identity_scope, a.payload as access_payload, e.actor_kind, e.actor_id, e.action, e.target_kind,
    e.target_id, e.outcome, e.address, e.user_agent, e.request_id, e.details
  from (select distinct on (user_id) * from refresh_families where generation = 0 and revoked_at is null) f
    join grants g on g.id = f.grant_id
    join lateral (select * from access_tokens where family_id = f.id limit 1) a on true
    cross join lateral (select * from audit_events where actor_kind = 'client' order by id desc limit 1) e`;

// Credentials are built as in src/domain/tokens/formats.ts from numbers instead of random bytes, so that the load knows them all.
const functions = [
  `create function pg_temp.digit(value bigint) returns text immutable language sql as
    $$ select substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', (value % 62)::int + 1, 1) $$`,
  `create function pg_temp.checksum(crc bigint) returns text immutable language sql as
    $$ select pg_temp.digit(crc / 916132832) || pg_temp.digit(crc / 14776336) || pg_temp.digit(crc / 238328)
      || pg_temp.digit(crc / 3844) || pg_temp.digit(crc / 62) || pg_temp.digit(crc) $$`,
  `create function pg_temp.digest(body text) returns bytea immutable language sql as
    $$ select sha256((body || pg_temp.checksum(crc32(body::bytea)))::bytea) $$`,
  `create function pg_temp.nth(n bigint) returns uuid immutable language sql as
    $$ select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
  `create function pg_temp.moved(payload json, grant_id uuid, session_uid text, n bigint) returns json immutable language sql as
    $$ select replace(replace(payload::text, grant_id::text, pg_temp.nth(n)::text), session_uid, 'stored-' || n)::json $$`,
];

const each =
  'from generate_series($1::bigint, $2::bigint) n join samples s on s.person = n % (select count(*) from samples)';
const fill = [
  `insert into sessions (uid, user_id, login_at, acr, amr, transient, sealed_state, address, user_agent, created_at, last_seen_at, expires_at)
    select 'stored-' || n, t.user_id, t.login_at, t.acr, t.amr, t.transient, t.sealed_state, t.address, t.user_agent, t.created_at,
      t.last_seen_at, t.expires_at ${each} join sessions t on t.uid = s.session_uid`,
  `insert into grants (id, user_id, client_id, consent_id, session_uid, offline, payload, created_at)
    select pg_temp.nth(n), user_id, client_id, consent_id, 'stored-' || n, offline,
      pg_temp.moved(grant_payload, grant_id, session_uid, n), now() ${each}`,
  `insert into refresh_families (id, grant_id, client_id, user_id, handle_digest, digest, key_id, payload, issued_at, expires_at, absolute_expires_at)
    select pg_temp.nth(n), pg_temp.nth(n), client_id, user_id, sha256(lpad(n::text, 22, '0')::bytea),
      pg_temp.digest('lk_rt_' || lpad(n::text, 22, '0') || lpad(n::text, 43, '0')), key_id,
      pg_temp.moved(refresh_payload, grant_id, session_uid, n), now(), expires_at, absolute_expires_at ${each}`,
  `insert into access_tokens (digest, grant_id, family_id, client_id, user_id, scope, audience, identity_scope, payload, issued_at, expires_at)
    select pg_temp.digest('lk_at_' || lpad(n::text, 43, '0')), pg_temp.nth(n), pg_temp.nth(n), client_id, user_id, scope, audience,
      identity_scope, pg_temp.moved(access_payload, grant_id, session_uid, n), now(), now() + interval '1 day' ${each}`,
  `insert into audit_events (id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, address, user_agent, request_id, details)
    select pg_temp.nth(n), latchkey_now(), actor_kind, actor_id, action, target_kind, target_id, outcome, address, user_agent, request_id, details
      ${each}`,
];

/** The access token of a stored pair, numbered from 1. */
export const storedAccessToken = (n: number): string => formatCredential('lk_at_', String(n).padStart(43, '0'));

/** The refresh token of a stored pair, as it is before its first use. */
export const storedRefreshToken = (n: number): string =>
  formatCredential('lk_rt_', String(n).padStart(22, '0') + String(n).padStart(43, '0'));

/**
 * Fills a database that users have signed in to: half of the tokens are access tokens, half refresh tokens, each pair with its own
 * session, grant and audit event.
 *
 * @returns the number of pairs
 */
export async function storeTokens(databaseUrl: string, tokens: number): Promise<number> {
  const pairs = Math.ceil(tokens / 2);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const started = performance.now();
  try {
    await fillWith(client, pairs);
    const size = await client.query('select pg_size_pretty(pg_database_size(current_database())) as size');
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stderr.write(`${tokens} tokens stored in ${seconds} s: ${size.rows[0].size}\n`);
  } finally {
    await client.end();
  }
  return pairs;
}

async function fillWith(client: pg.Client, pairs: number): Promise<void> {
  const { rowCount } = await client.query(samples);
  if (!rowCount) throw new Error('no user has signed in: there are no rows to copy');
  await client.query('analyze samples');
  for (const definition of functions) await client.query(definition);
  for (let first = 1; first <= pairs; first += atOnce)
    for (const statement of fill) await client.query(statement, [first, Math.min(pairs, first + atOnce - 1)]);
  await client.query('vacuum analyze');
  // Otherwise a checkpoint would slow down one of the measured rounds.
  await client.query('checkpoint');
}
