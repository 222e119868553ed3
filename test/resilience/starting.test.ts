import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { migrate } from '../../src/platform/database/index.ts';
import { createMigratedDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Network } from '../support/network.ts';
import { type BeginningServer, beginServerProcess, defaultDatabaseTimeout } from '../support/server.ts';

/** The lock under which Kysely migrates. */
const migrationLock = '3853314791062309107';

const alone = { name: 'one process', env: {} };
const withWorkers = { name: 'several workers', env: { WEB_CONCURRENCY: '2' } };

describe('while a server starts', () => {
  let database: TestDatabase;
  let network: Network;
  let port: number;
  const openOn = async (created: Promise<TestDatabase>) => {
    database = await created;
    network = await Network.open(database.url);
    port = await freePort();
  };
  const close = async () => {
    await network.close();
    await database.drop();
  };
  const onEmptyDatabase = async () => {
    await close();
    await openOn(createTestDatabase());
  };
  beforeEach(() => openOn(createMigratedDatabase()));
  afterEach(close);

  const begin = (env: Record<string, string>) =>
    beginServerProcess({
      databaseUrl: network.through(database.url),
      env: { ...defaultDatabaseTimeout, PORT: String(port), ...env },
    });
  const status = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      (response) => response.status,
      () => 'refused',
    );
  const answers = async () => ({
    lives: await status('/healthz'),
    ready: await status('/readyz'),
    page: await status('/sign-in'),
  });
  const startingAnswers = { lives: 200, ready: 503, page: 503 };

  async function comesUp(server: BeginningServer): Promise<void> {
    const { stop } = await server.ready;
    expect(await answers()).toEqual({ lives: 200, ready: 200, page: 200 });
    await stop();
  }

  test.each([alone, withWorkers])('of $name and waits for the database, it is live and not ready', async ({ env }) => {
    network.silence();
    const server = await begin(env);
    await eventually(answers, ({ lives }) => lives === 200);
    await network.knockedAt();
    expect(await answers()).toEqual(startingAnswers);
    await network.recover();
    await comesUp(server);
  });

  test.each([alone, withWorkers])('of $name and migrates, it is live and not ready', async ({ env }) => {
    await onEmptyDatabase();
    const holder = new pg.Client({ connectionString: database.url });
    // A test that failed earlier drops the database.
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('select pg_advisory_lock($1)', [migrationLock]);
    const server = await begin(env);
    const waiting = `select 1 from pg_locks where locktype = 'advisory' and not granted and database =
      (select oid from pg_database where datname = current_database())`;
    await eventually(
      () => database.query(waiting),
      ({ rowCount }) => rowCount === 1,
    );
    expect(await answers()).toEqual(startingAnswers);
    await holder.end();
    await comesUp(server);
  });

  test('a worker that is killed before it ever served is replaced, and the server starts', async () => {
    network.silence();
    const server = await begin(withWorkers.env);
    await network.knockedAt();
    const [killed = Number.NaN] = await eventually(server.children, (pids) => pids.length > 0);
    process.kill(killed, 'SIGKILL');
    await eventually(server.children, (pids) => pids.length > 0 && !pids.includes(killed));
    await eventually(
      () => status('/healthz'),
      (lives) => lives === 200,
    );
    await network.recover();
    await comesUp(server);
    expect(server.output()).toContain('A worker exited (SIGKILL) and is being replaced.');
  });

  // Each is read in another step of the start.
  test.each(['vault_seal', 'pgboss.version', 'role_assignments'])(
    'and the table %s is locked, it waits for longer than a request would',
    async (table) => {
      const holder = new pg.Client({ connectionString: database.url });
      holder.on('error', () => undefined);
      await holder.connect();
      await holder.query(`begin; lock table ${table} in access exclusive mode`);
      const server = await begin({});
      await eventually(
        () => database.query(`select from pg_locks where not granted and relation = '${table}'::regclass`),
        ({ rowCount }) => rowCount !== 0,
      );
      await sleep(3000);
      await holder.end();
      await comesUp(server);
    },
  );

  test('a worker that reports why it cannot start ends the server with that sentence, once', async () => {
    await network.refuse();
    const server = await begin({ ...withWorkers.env, LATCHKEY_DATABASE_WAIT_SECONDS: '0' });
    await expect(server.ready).rejects.toThrow('Cannot use PostgreSQL');
    expect(server.output().match(/latchkey: Cannot use/g)).toHaveLength(1);
  });

  test.each([alone, withWorkers])(
    'of $name on a database that accepts no writes yet, it waits as long as configured',
    async ({ env }) => {
      const name = new URL(database.url).pathname.slice(1);
      await database.query(`alter database ${name} set default_transaction_read_only = on`);
      const server = await begin(env);
      await eventually(server.output, (output) => output.includes('Waiting for'));
      expect(server.output()).toMatch(/^Waiting for PostgreSQL at \S+, at most 30 seconds: it takes no writes\.$/m);
      expect(await answers()).toEqual(startingAnswers);
      await database.query(`begin read write; alter database ${name} reset default_transaction_read_only; commit`);
      await comesUp(server);
    },
  );

  test('on a database that accepts no writes in time, it exits with one sentence', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`alter database ${name} set default_transaction_read_only = on`);
    const server = await begin({ LATCHKEY_DATABASE_WAIT_SECONDS: '1' });
    await expect(server.ready).rejects.toThrow('it takes no writes. Check DATABASE_URL');
  });

  test.each(['a database of the version before', 'an empty database'])(
    'with the serving role on %s, it says to run "latchkey migrate"',
    async (what) => {
      if (what === 'an empty database') await onEmptyDatabase();
      const role = new URL(database.url).pathname.slice(1).replace('test', 'serving');
      await database.query(`create role ${role} login password 'only for this test'`);
      const serving = Object.assign(new URL(database.url), { username: role, password: 'only for this test' }).href;
      if (what !== 'an empty database') {
        await migrate(database.url, role);
        await database.query(`delete from kysely_migration where name like '0013%'`);
      }
      const server = await begin({ DATABASE_URL: serving });
      await expect(server.ready).rejects.toThrow(
        /latchkey: The database must be migrated first: the role "serving_\w+" may not do it \(.*\)\. Run "latchkey migrate" of this version/,
      );
      await database.query(`drop owned by ${role}; drop role ${role}`);
    },
  );
});
