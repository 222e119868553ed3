// How long the figures of the console's overview take with a million access records, a million audit events and a hundred thousand
// sessions, and how fast they are counted: `node bench/overview.ts`.

import { countActivity, readActiveSessions, readActivity } from '../src/domain/activity/activity.ts';
import { listAttention } from '../src/domain/overview/attention.ts';
import { readFirstSteps } from '../src/domain/overview/first-steps.ts';
import type { Db } from '../src/platform/database/index.ts';
import { migrate, openDatabase } from '../src/platform/database/index.ts';
import { installJobs } from '../src/platform/jobs/index.ts';
import { openBenchPostgres } from './postgres.ts';

const million = 1_000_000;
const rounds = 20;
const actor = { kind: 'user' as const, id: '', permissions: ['latchkey:*'], origin: {} };

// Events are of now, as the database demands; records are of 30 days. All of them are still to be counted.
const fill = [
  `insert into access_records (id, kind, outcome, credential, uses, occurred_at, last_at)
    select gen_random_uuid(), (array['verification', 'introspection', 'userinfo'])[1 + n % 3], case when n % 20 = 0 then 'refused' else 'active' end,
      gen_random_uuid()::text, 1, latchkey_now() - n * interval '2.5 seconds', latchkey_now() from generate_series(1, ${million}) n`,
  `insert into audit_events (id, occurred_at, actor_kind, actor_id, action, outcome)
    select gen_random_uuid(), latchkey_now(), 'client', 'client-' || n % 50, case when n % 30 = 0 then 'session.refused' else 'access_token.issued' end, 'success'
      from generate_series(1, ${million}) n`,
  `insert into subjects (id, kind) values ('019ae000-0000-7000-8000-000000000001', 'user')`,
  `insert into users (id, username, created_at, updated_at) values ('019ae000-0000-7000-8000-000000000001', 'alice', now(), now())`,
  `insert into sessions (uid, user_id, created_at, last_seen_at, expires_at, user_epoch)
    select 'session-' || n, '019ae000-0000-7000-8000-000000000001', now(), now(), now() + interval '1 day', 0 from generate_series(1, 99999) n`,
  `insert into api_keys (id, name, environment, owner_id, risk, permissions, restrictions, metadata, expires_at, created_at, updated_at)
    select gen_random_uuid(), 'key ' || n, 'prod', '019ae000-0000-7000-8000-000000000001', 'low', '[]', '{}', '{}', now() + n * interval '10 minutes', now(), now()
      from generate_series(1, 100000) n`,
];

async function main(): Promise<void> {
  const postgres = await openBenchPostgres();
  try {
    const url = await postgres.createDatabase('overview');
    await migrate(url);
    await installJobs(url);
    const database = openDatabase({ url, poolSize: 4, preparedStatements: true, patienceMs: 600_000 });
    try {
      for (const statement of fill) await database.pool.query(statement);
      await database.pool.query('analyze');
      await measure(database.db);
    } finally {
      await database.close();
    }
  } finally {
    await postgres.close();
  }
}

async function measure(db: Db): Promise<void> {
  const startedAt = performance.now();
  await countActivity({ db }, 600_000);
  const seconds = (performance.now() - startedAt) / 1000;
  say('count 2,000,000 rows', `${seconds.toFixed(1)} s, ${Math.round((2 * million) / seconds)} rows/s`);
  const now = () => new Date();
  const deps = { db, now, clockSkewMs: () => 0 };
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
  await timed('requests, last 24 hours', () => readActivity(deps, { from: daysAgo(1), step: '1h' }));
  await timed('requests, last 30 days', () => readActivity(deps, { from: daysAgo(30), step: '1d' }));
  await timed('active sessions', () => readActiveSessions(deps));
  await timed('needs attention', () => listAttention(deps, actor));
  await timed('first steps', () => readFirstSteps(deps));
}

async function timed(name: string, read: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    await read();
    times.push(performance.now() - startedAt);
  }
  const sorted = times.toSorted((a, b) => a - b);
  say(name, `${sorted[rounds / 2]?.toFixed(1)} ms median, ${sorted.at(-1)?.toFixed(1)} ms at most`);
}

function say(what: string, result: string): void {
  process.stdout.write(`${what.padEnd(28)}${result}\n`);
}

await main();
