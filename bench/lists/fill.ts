import pg from 'pg';

/** The number of records of each kind. There are as many sessions, consents, grants, passwords and refresh tokens as users. */
export type Sizes = { users: number; keys: number; clients: number; events: number };

const day = `interval '1 day'`;
const owner = (n: string) =>
  `case when ${n} % 10 = 0 then bench_id(1, 1 + ${n} % $users) else bench_id(2, 1 + ${n} % $clients) end`;
const agent = `(array['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', 'curl/8.5.0'])[1 + n % 2]`;
const address = `'192.0.2.' || n % 250`;

// Ids that grow with time, like UUIDv7: from a number, and from a time and a number.
const functions = [
  `create function bench_id(kind int, n bigint) returns uuid language sql immutable
    return ('019a0' || to_hex(kind) || '00-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`,
  `create function bench_id_at(at timestamptz, n bigint) returns uuid language sql immutable
    return (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid`,
];

const users = [
  `insert into subjects (id, kind) select bench_id(1, n), 'user' from generate_series(1, $users) n`,
  `insert into users (id, username, email, name, enabled, created_at, updated_at)
    select bench_id(1, n), 'user' || n, case when n % 3 > 0 then 'user' || n || '@example' || n % 50 || '.com' end,
      case when n % 2 = 0 then 'Person ' || n end, n % 1000 > 0, now() - n * interval '1 minute', now() from generate_series(1, $users) n`,
  `insert into credentials (id, user_id, kind, hash, created_at, updated_at)
    select bench_id(7, n), bench_id(1, n), 'password', 'none', now(), now() - n * interval '1 minute' from generate_series(1, $users) n`,
  `insert into password_links (digest, user_id, created_at, expires_at)
    select sha256(('link ' || n)::bytea), bench_id(1, n), now() - n * interval '1 minute', now() + ${day} from generate_series(1, $users / 20) n`,
  `insert into roles (id, name, description, created_at, updated_at)
    select bench_id(8, n), 'role-' || n, 'Team ' || n, now(), now() from generate_series(1, 50) n`,
  `insert into role_assignments (role_id, subject_id, created_at)
    select bench_id(8, 1 + n % 50), bench_id(1, n), now() from generate_series(1, $users, 5) n`,
];

const clients = [
  `insert into resource_servers (id, identifier, name, created_at, updated_at)
    select bench_id(9, n), 'https://api' || n || '.example', 'API ' || n, now(), now() from generate_series(1, 100) n`,
  `insert into permissions (resource_server_id, name, description)
    select bench_id(9, n), 'scope' || s || ':read', 'Read ' || s from generate_series(1, 100) n, generate_series(1, 10) s`,
  `insert into subjects (id, kind) select bench_id(2, n), 'client' from generate_series(1, $clients) n`,
  `insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, enabled, risk, last_used_at, created_at, updated_at)
    select bench_id(2, n), 'client' || n, (array['web', 'spa', 'native', 'service'])[1 + n % 4],
      json_build_object('client_name', 'Application ' || n), '{}', '{}', '[]', '{}', n % 500 > 0,
      (array['low', 'medium', null])[1 + n % 3], case when n % 3 > 0 then now() - n % 777 * interval '1 minute' end,
      now() - n * interval '1 minute', now() from generate_series(1, $clients) n`,
  `insert into client_secrets (id, client_id, digest, pepper_id, created_at, number, last_used_at)
    select bench_id(6, n), bench_id(2, 1 + n % $clients), sha256(('secret ' || n)::bytea), 1, now() - n % 200 * ${day},
      1 + n / $clients, case when n % 2 = 0 then now() - n * interval '1 minute' end from generate_series(1, 2 * $clients) n`,
];

const keys = [
  `insert into api_keys (id, name, description, environment, owner_id, risk, permissions, restrictions, metadata, expires_at, last_used_at,
      revoked_at, enabled, created_at, updated_at)
    select bench_id(3, n), 'key ' || n, case when n % 4 = 0 then 'Deploys service ' || n end,
      (array['dev', 'staging', 'prod'])[1 + n % 3], ${owner('n')}, (array['low', 'medium', 'high'])[1 + n % 3], '[]', '{}', '{}',
      case when n % 2 = 0 then now() + (n % 365 - 30) * ${day} end, case when n % 3 = 0 then now() - n * interval '1 minute' end,
      case when n % 50 = 0 then now() end, n % 500 > 0, now() - n * interval '1 minute', now() from generate_series(1, $keys) n`,
  `insert into api_key_versions (digest, key_id, number, start, last_four, issued_at)
    select sha256(('key ' || n)::bytea), bench_id(3, n), 1, 'sk_' || (array['dev', 'staging', 'prod'])[1 + n % 3] || '_' || lpad(to_hex(n), 4, 'x'),
      lpad((n % 9999)::text, 4, '0'), now() - n % 300 * ${day} from generate_series(1, $keys) n`,
  `insert into api_key_tags (key_id, tag) select bench_id(3, n), 'team-' || n % 20 from generate_series(1, $keys, 2) n`,
];

const signedIn = [
  `insert into sessions (uid, user_id, login_at, address, user_agent, created_at, last_seen_at, expires_at, user_epoch)
    select 'session-' || n, bench_id(1, n), now() - n * interval '1 second', ${address}, ${agent}, now() - n * interval '1 second',
      now() - n % 5000 * interval '1 second', now() + ${day}, 0 from generate_series(1, $users) n`,
  `insert into consents (id, user_id, client_id, scopes, created_at, updated_at, revoked_at)
    select bench_id(4, n), bench_id(1, n), bench_id(2, 1 + n % $clients), '{"openid":["openid"],"resources":{}}', now(), now(),
      case when n % 10 = 0 then now() end from generate_series(1, $users) n`,
  `insert into grants (id, user_id, client_id, consent_id, session_uid, payload, created_at, user_epoch, client_epoch)
    select bench_id(5, n), bench_id(1, n), bench_id(2, 1 + n % $clients), bench_id(4, n), 'session-' || n, '{}', now() - n * interval '1 second', 0, 0
      from generate_series(1, $users) n`,
  `insert into session_clients (session_uid, client_id, grant_id)
    select 'session-' || n, bench_id(2, 1 + n % $clients), bench_id(5, n) from generate_series(1, $users) n`,
  `insert into refresh_families (id, grant_id, client_id, user_id, handle_digest, digest, key_id, generation, rotated_at, payload, issued_at, expires_at, absolute_expires_at)
    select bench_id(10, n), bench_id(5, n), bench_id(2, 1 + n % $clients), bench_id(1, n), sha256(('handle ' || n)::bytea),
      sha256(('refresh ' || n)::bytea), 1, 3, now(), '{}', now() - n * interval '1 second', now() + 14 * ${day}, now() + 90 * ${day} from generate_series(1, $users) n`,
  `insert into access_tokens (digest, grant_id, family_id, client_id, user_id, scope, payload, issued_at, expires_at)
    select sha256(('token ' || n)::bytea), bench_id(5, n), bench_id(10, n), bench_id(2, 1 + n % $clients), bench_id(1, n), 'openid', '{}',
      now() - n * interval '5 milliseconds', now() + interval '1 hour' - n * interval '5 milliseconds' from generate_series(1, $users) n`,
];

// Two of three events are tokens, as in a real log; failures, erasures and exports are rare. All are from the last 30 days.
const action = `case when n % 100000 = 0 then 'audit.exported' when n % 10000 = 0 then 'user.created' when n % 50 = 0 then 'session.refused'
  when n % 3 = 0 then 'session.started' else (array['access_token.issued', 'refresh_token.rotated'])[1 + n % 2] end`;
const spread = `now() - ($events - n) * (interval '30 days' / $events)`;
const events = [
  `with n as (select n, ${spread} as at, ${action} as action from generate_series($from, $to) n),
    details as (insert into audit_personal_details (event_id, salt, address, user_agent)
      select bench_id_at(at, n), 'salt', ${address}, 'curl/8.5.0' from n)
    insert into audit_events (id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, reason, request_id, details, personal_digest)
      select bench_id_at(at, n), at, case when action like '%token%' then 'client' when action = 'session.refused' then 'anonymous' else 'user' end,
        case when action like '%token%' then 'client' || 1 + n % $clients when action <> 'session.refused' then bench_id(1, 1 + n % $users)::text end,
        action, 'user', bench_id(1, 1 + n % $users)::text, case action when 'session.refused' then 'failure' else 'success' end,
        case action when 'session.refused' then 'wrong_password' end, 'request-' || n, json_build_object('client_id', 'client' || 1 + n % $clients),
        sha256(convert_to(concat('salt', E'\\n', ${address}, E'\\n', 'curl/8.5.0'), 'UTF8')) from n`,
  `insert into access_records (id, kind, outcome, caller, credential, client_id, user_id, address, uses, occurred_at, last_at)
    select bench_id_at(at, n), (array['verification', 'introspection', 'userinfo'])[1 + n % 3], case when n % 20 = 0 then 'refused' else 'active' end,
      'client' || n % 20, bench_id(3, 1 + n % $keys)::text, 'client' || 1 + n % $clients, bench_id(1, 1 + n % $users), ${address}, 1, at, at
      from (select n, ${spread} as at from generate_series($from, $to) n) n`,
];

const deliveries = [
  `insert into webhooks (id, url, description, events, most_attempts, enabled, created_at, updated_at)
    select bench_id(11, n), 'https://hooks.example/' || n, 'Hook ' || n, '["*"]', 8, false, now(), now() from generate_series(1, 50) n`,
  `insert into webhook_deliveries (id, webhook_id, message_id, type, state, created_at, updated_at)
    select bench_id(12, n), bench_id(11, 1 + n % 50), 'message-' || n, 'session.started', (array['delivered', 'dead'])[1 + (n % 20 / 19)], now(), now()
      from generate_series(1, 50000) n`,
];

const eventsAtOnce = 100_000;

/** Fills a migrated database that no server uses yet, unless it is filled already. */
export async function fillLists(databaseUrl: string, sizes: Sizes): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query(`select from pg_proc where proname = 'bench_id'`);
    if (rowCount) return;
    // Without triggers: they announce each row to every node, and refuse backdated events.
    await client.query(`set session_replication_role = 'replica'`);
    for (const statement of [...functions, ...users, ...clients, ...keys, ...signedIn, ...deliveries])
      await client.query(withNumbers(statement, sizes));
    for (let from = 1; from <= sizes.events; from += eventsAtOnce) {
      const to = Math.min(from + eventsAtOnce - 1, sizes.events);
      for (const statement of events) await client.query(withNumbers(statement, { ...sizes, from, to }));
    }
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

function withNumbers(statement: string, numbers: Readonly<Record<string, number>>): string {
  return statement.replaceAll(/\$(\w+)/g, (_, name: string) => String(numbers[name]));
}
