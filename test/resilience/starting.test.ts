import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Network } from '../support/network.ts';
import { type BeginningServer, beginServerProcess } from '../support/server.ts';

/** The lock under which Kysely migrates. */
const migrationLock = '3853314791062309107';

const alone = { name: 'one process', env: {} };
const withWorkers = { name: 'several workers', env: { WEB_CONCURRENCY: '2' } };

describe('while a server starts', () => {
  let database: TestDatabase;
  let network: Network;
  let port: number;
  beforeEach(async () => {
    database = await createTestDatabase();
    network = await Network.open(database.url);
    port = await freePort();
  });
  afterEach(async () => {
    await network.close();
    await database.drop();
  });

  const begin = (env: Record<string, string>) =>
    beginServerProcess({ databaseUrl: network.through(database.url), env: { PORT: String(port), ...env } });
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

  test.each([alone, withWorkers])('of $name and waits for the database, it lives and is not ready', async ({ env }) => {
    network.silence();
    const server = await begin(env);
    await eventually(answers, ({ lives }) => lives === 200);
    await network.knockedAt();
    expect(await answers()).toEqual(startingAnswers);
    await network.recover();
    await comesUp(server);
  });

  test.each([alone, withWorkers])('of $name and migrates, it lives and is not ready', async ({ env }) => {
    const holder = new pg.Client({ connectionString: database.url });
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

  test('a worker that is killed before it ever served is replaced, and the server comes up', async () => {
    network.silence();
    const server = await begin(withWorkers.env);
    await network.knockedAt();
    const [killed = 0] = server.children();
    process.kill(killed, 'SIGKILL');
    await eventually(server.children, (pids) => pids.length > 0 && !pids.includes(killed));
    await eventually(
      () => status('/healthz'),
      (lives) => lives === 200,
    );
    await network.recover();
    await comesUp(server);
    expect(server.output()).toContain('A worker ended (SIGKILL); another takes its place.');
  });

  test('a worker that says why it cannot start ends the server with that sentence, once', async () => {
    await network.refuse();
    const server = await begin({ ...withWorkers.env, LATCHKEY_DATABASE_WAIT_SECONDS: '0' });
    await expect(server.ready).rejects.toThrow('Cannot use PostgreSQL');
    expect(server.output().match(/latchkey: Cannot use/g)).toHaveLength(1);
  });
});
