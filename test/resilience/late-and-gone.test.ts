import pg from 'pg';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { standardInstallation } from '../support/installation.ts';
import { Network } from '../support/network.ts';
import {
  beginServerProcess,
  defaultDatabaseTimeout,
  runCommand,
  startServerProcess,
  testRootKey,
} from '../support/server.ts';
import { withStalls } from '../support/stalls.ts';

/** Ten seconds to drain, and some time for a busy machine. */
const wayDownMs = 14_000;

/** Resolves when this number of statements has waited for a lock, in turn or concurrently. */
async function statementsHeld(database: TestDatabase, count: number): Promise<void> {
  const query = `select query_start from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  const seen = new Set<number>();
  const look = async () => {
    for (const { query_start } of (await database.query(query)).rows) seen.add(query_start.getTime());
    return seen;
  };
  await eventually(look, ({ size }) => size >= count, { pauseMs: 20 });
}

describe('a server with a database that', () => {
  let database: TestDatabase;
  let network: Network;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    network = await Network.open(database.url);
  });
  afterEach(async () => {
    await network.close();
    await database.drop();
  });

  test('starts late waits for it, and says so in one line', async () => {
    network.silence();
    const starting = startServerProcess({ databaseUrl: network.through(database.url), env: defaultDatabaseTimeout });
    await network.knockedAt();
    await network.knockedAt();
    await network.recover();
    const server = await starting;
    const waiting = server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('Waiting'));
    expect(waiting).toEqual([
      expect.stringMatching(
        /^Waiting for PostgreSQL at 127\.0\.0\.1:\d+\/test_\w+, at most 30 seconds: timeout expired\.$/,
      ),
    ]);
    expect((await fetch(`${server.issuer}/readyz`)).status).toBe(200);
    await server.stop();
  });

  test('has its tables locked by another session at the start waits for them, too', async () => {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin');
    await holder.query('lock table clients, resource_servers in access exclusive mode');
    const starting = startServerProcess({
      databaseUrl: database.url,
      apply: standardInstallation,
      env: defaultDatabaseTimeout,
    });
    await statementsHeld(database, 2);
    await holder.end();
    const server = await starting;
    expect((await fetch(`${server.issuer}/readyz`)).status).toBe(200);
    await server.stop();
  });

  test('does not answer in time exits with one sentence and exit code 1', async () => {
    await network.refuse();
    const env = {
      PORT: '0',
      DATABASE_URL: network.through(database.url),
      LATCHKEY_ROOT_KEY: testRootKey,
      LATCHKEY_DATABASE_WAIT_SECONDS: '1',
    };
    const { code, stderr } = await runCommand(['serve'], { env });
    expect({ code, lines: stderr.trim().split('\n') }).toEqual({
      code: 1,
      lines: [
        expect.stringMatching(/^Waiting for /),
        expect.stringMatching(/^latchkey: Cannot use PostgreSQL at .*ECONNREFUSED/),
      ],
    });
  });

  test.each([
    ['one process', 'cannot be reached', {}, () => network.refuse()],
    ['one process', 'is silent', {}, async () => network.silence()],
    ['several workers', 'cannot be reached', { WEB_CONCURRENCY: '2' }, () => network.refuse()],
  ])('in %s %s at the start stops at once on request, with exit code 0', async (_, __, env, away) => {
    await away();
    const settings = { ...defaultDatabaseTimeout, ...env, LATCHKEY_DATABASE_WAIT_SECONDS: '600' };
    const server = await beginServerProcess({ databaseUrl: network.through(database.url), env: settings });
    await eventually(server.output, (output) => output.includes('Waiting for'));
    const { result, ownMs } = await withStalls(() => server.kill('SIGTERM'));
    expect(result).toBe(0);
    expect(ownMs).toBeLessThan(3000);
    expect(server.output()).not.toContain('latchkey:');
  });

  test('holds its tables at the start stops at once on request, with exit code 0', async () => {
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin; lock table clients, resource_servers, kysely_migration in access exclusive mode');
    const server = await beginServerProcess({ databaseUrl: database.url, env: defaultDatabaseTimeout });
    await statementsHeld(database, 1);
    const { result, ownMs } = await withStalls(() => server.kill('SIGTERM'));
    expect(result).toBe(0);
    expect(ownMs).toBeLessThan(wayDownMs);
    await holder.end();
  });

  test.each([
    ['is gone', () => network.refuse()],
    ['is silent', async () => network.silence()],
  ])('%s still stops in time, with exit code 0', async (_, away) => {
    const server = await startServerProcess({
      databaseUrl: network.through(database.url),
      env: defaultDatabaseTimeout,
    });
    expect((await fetch(`${server.issuer}/readyz`)).status).toBe(200);
    await away();
    const { result, ownMs } = await withStalls(() => server.kill('SIGTERM'));
    expect(result).toBe(0);
    expect(ownMs).toBeLessThan(wayDownMs);
    await server.stop();
  });
});
