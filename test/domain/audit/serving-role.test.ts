import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { standardInstallation } from '../../support/installation.ts';
import { type MetricsPage, openMetricsPage } from '../../support/metrics-page.ts';
import { runCommand, type ServerProcess, startServerProcess, testRootKey } from '../../support/server.ts';
import { sealed, verified } from './support/log.ts';

const event = (columns: Record<string, string> = {}, table = 'audit_events') => {
  const given = {
    id: 'gen_random_uuid()',
    occurred_at: 'latchkey_now()',
    actor_kind: "'system'",
    action: "'client.updated'",
    outcome: "'success'",
    ...columns,
  };
  return `insert into ${table} (${Object.keys(given)}) values (${Object.values(given)})`;
};
const alice = "(select id::text from users where username = 'alice')";
const erasureOf = (subject: string) =>
  event({ action: "'audit.personal_details_erased'", target_kind: "'user'", target_id: subject });
const seal = (columns: Record<string, string>) => {
  const given = { number: 'number + 1', previous_head: 'head', seen_below: 'seen_below', ...columns };
  return `insert into audit_segments (number, previous_head, event_count, members, seen_below, unfinished, is_complete, sealed_at, kid, head, signature)
    select ${given.number}, ${given.previous_head}, 0, '', ${given.seen_below}, '[]', true, latchkey_now(), kid, sha256('x'), 'none'
    from audit_segments order by number desc limit 1`;
};

/** Attempts of a role that may append to the log, without a key: [what, statements]. */
const attacks: [string, ...string[]][] = [
  ['record an event as if it had happened an hour ago', event({ occurred_at: "latchkey_now() - interval '1 hour'" })],
  ['record an event of the next year', event({ occurred_at: "latchkey_now() + interval '1 year'" })],
  ['give an event a number before its own', event({ recorded_in: '1' })],
  ['give an event a number after its own', event({ recorded_in: 'pg_current_xact_id()::text::bigint + 1000' })],
  ['give an event no number', event({ recorded_in: 'null' })],
  [
    'put a backdated event into a part of the log',
    event({ occurred_at: "latchkey_now() - interval '1 hour'" }, 'audit_events_default'),
  ],
  ['erase the personal data of all users', 'delete from audit_personal_details'],
  ['empty the table of personal details', 'truncate audit_personal_details'],
  ['write other personal details', "update audit_personal_details set address = '192.0.2.1'"],
  ['erase without recording it', `select audit_erase_details(${alice}, 1000)`],
  [
    "erase one person's under the event of another",
    erasureOf("'somebody else'"),
    `select audit_erase_details(${alice}, 1000)`,
  ],
  ['skip numbers of seals', seal({ number: 'number + 1000000' })],
  ['put a seal in place of one', seal({ number: 'number', previous_head: 'previous_head' })],
  ['seal after another head', seal({ previous_head: "sha256('x')" })],
  ['claim in a seal to have seen what has not happened yet', seal({ seen_below: 'seen_below + 1000000000' })],
];

/** Operations that need the owner of the tables. */
const ownersOnly: [string, ...string[]][] = [
  [
    'pretend to be the erasure',
    "select set_config('latchkey.audit_erasure', pg_current_xact_id()::text, true)",
    'delete from audit_personal_details',
  ],
  ['allow an erasure', 'select audit_allow_erasure(true)'],
  ['number events anew', 'select audit_number_from(1000000)'],
  ['change where numbers begin', 'update audit_positions set xid_offset = 1000000'],
  ['record a removal', 'insert into audit_retentions select * from audit_retentions'],
  [
    'set the clock of the database',
    "create or replace function latchkey_now() returns timestamptz language sql volatile as 'select now()'",
  ],
  ['put an event into a part of the log', event({}, 'audit_events_default')],
  ['take a trigger away', 'drop trigger audit_events_of_now on audit_events'],
];

describe('the audit log of an installation with a serving role', () => {
  const role = `serving_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let servingUrl: string;
  let server: ServerProcess;
  let page: MetricsPage;

  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
    await database.query(`create role ${role} login password 'serving'`);
    servingUrl = Object.assign(new URL(database.url), { username: role, password: 'serving' }).href;
    page = await openMetricsPage();
    const env = { LATCHKEY_MIGRATE_DATABASE_URL: database.url, ...page.settings };
    server = await startServerProcess({ databaseUrl: servingUrl, apply: standardInstallation, env });
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    const headers = { authorization: `Basic ${Buffer.from('service:wrong').toString('base64')}` };
    await fetch(`${server.issuer}/oauth/token`, { method: 'POST', headers, body });
    await sealed(database);
  });
  afterAll(async () => {
    await server?.stop();
    await database.query(`drop owned by ${role}; drop role ${role}`);
    await database.drop();
  });

  async function tried(url: string, statements: string[]): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query('begin');
      for (const statement of statements) await client.query(statement);
      await client.query('commit');
    } finally {
      await client.end();
    }
  }
  const logged = async () => {
    const { rows } = await database.query(`select (select count(*) from audit_events)::int as events,
      (select count(*) from audit_personal_details)::int as details, (select max(number) from audit_segments)::int as seals`);
    return rows[0];
  };

  test.each([...attacks, ...ownersOnly])(
    'does not let the serving role %s (OWASP ASVS 5.0 16.4.2)',
    async (_, ...statements) => {
      const before = await logged();
      await expect(tried(servingUrl, statements)).rejects.toThrow(
        /permission denied|must be owner|are recorded when they happen|continues the last|recorded before it is done/,
      );
      expect(await logged()).toEqual(before);
    },
  );

  test.each(attacks)('does not let even the owner of the tables %s', async (_, ...statements) => {
    await expect(tried(database.url, statements)).rejects.toThrow(
      /are recorded when they happen|append-only|continues the last|by an erasure only|recorded before it is done/,
    );
  });

  test('shows in the metrics that the serving role keeps events from being sealed', async () => {
    const client = new pg.Client({ connectionString: servingUrl });
    await client.connect();
    await client.query('select pg_advisory_lock(hashtext($1))', ['latchkey audit sealing']);
    await tried(servingUrl, [event()]);
    const lag = async () => Number(/^latchkey_audit_seal_lag_seconds (\S+)$/m.exec(await page.read())?.[1]);
    expect(await eventually(lag, (seconds) => seconds > 3, { withinMs: 120_000, pauseMs: 200 })).toBeGreaterThan(3);
    await client.end();
    await sealed(database);
    await eventually(lag, (seconds) => seconds < 3, { withinMs: 120_000 });
  });

  test('records an erasure by the serving role as an event, and still verifies', async () => {
    const env = { DATABASE_URL: servingUrl, LATCHKEY_ROOT_KEY: testRootKey };
    expect(await runCommand(['audit', 'erase-details', 'alice'], { env })).toMatchObject({ code: 0 });
    await tried(servingUrl, [erasureOf(alice), `select audit_erase_details(${alice}, 1000)`]);
    const { rows } = await database.query("select from audit_events where action = 'audit.personal_details_erased'");
    expect(rows).toHaveLength(2);
    await sealed(database);
    expect(await verified(database)).toMatchObject({ fault: undefined, unsealed: 0 });
  });
});
