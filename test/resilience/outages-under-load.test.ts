import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openEndpointCalls, patienceMs } from '../support/endpoint-calls.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { Load } from '../support/load.ts';
import { Network } from '../support/network.ts';
import { PrivatePostgres } from '../support/private-postgres.ts';
import { report } from '../support/report.ts';
import { defaultDatabaseTimeout } from '../support/server.ts';
import { tryAgain } from '../support/try-again.ts';

const recoveryMs = 10_000;
const families = 8;

describe('under load, PostgreSQL', () => {
  let postgres: PrivatePostgres;
  let network: Network;
  const latchkey = startLatchkey({
    env: defaultDatabaseTimeout,
    prepare: async () => {
      postgres = await PrivatePostgres.open({ max_connections: '60' });
      network = await Network.open(postgres.url);
      return { adminUrl: network.through(postgres.url), through: (url) => url };
    },
  });
  afterAll(async () => {
    await network.close();
    await postgres.close();
  });

  const restart = async () => {
    await postgres.start();
    network.lead(postgres.url);
  };
  const signal = async (name: NodeJS.Signals, pids: number[]) => {
    for (const pid of pids) process.kill(pid, name);
  };

  async function stopAndRestart(): Promise<void> {
    await postgres.stop();
    await sleep(500);
    await restart();
  }
  async function crashAndRestart(): Promise<void> {
    await postgres.crash();
    await sleep(500);
    await restart();
  }
  async function freeze(): Promise<void> {
    const pids = await postgres.backends();
    await signal('SIGSTOP', pids);
    await sleep(5000);
    await signal('SIGCONT', pids);
  }
  async function resetAgainAndAgain(): Promise<void> {
    for (let n = 0; n < 15; n += 1) {
      await sleep(100);
      network.reset();
    }
  }
  async function turnReadOnly(): Promise<void> {
    const name = new URL(latchkey.database.url).pathname.slice(1);
    const alter = (value: string) =>
      postgres.query(`alter database ${name} set default_transaction_read_only = ${value}`, '');
    await alter('on');
    network.reset();
    await sleep(1500);
    // The servers' connections are not closed: the servers have to detect the failover themselves.
    await alter('off');
  }
  async function useAllConnections(): Promise<void> {
    const clients: pg.Client[] = [];
    network.reset();
    for (let isFull = false; !isFull; ) {
      const client = new pg.Client({ connectionString: postgres.url });
      client.on('error', () => undefined);
      isFull = await client.connect().then(
        () => clients.push(client) > 60,
        () => true,
      );
    }
    network.reset();
    await sleep(1500);
    await Promise.all(clients.map((client) => client.end()));
  }

  // Connections that were opened while the database was read-only stay read-only.
  afterEach(async () => {
    network.reset();
    await sleep(500);
  });
  test.each([
    ['stops and comes back', stopAndRestart],
    ['crashes and comes back', crashAndRestart],
    ['is frozen for five seconds', freeze],
    ['resets every connection ten times a second', resetAgainAndAgain],
    ['takes no writes for a while', turnReadOnly],
    ['has no connection left', useAllConnections],
  ])('%s: only 503 in time, no family is lost, and everything works again without a restart', async (what, happen) => {
    const tokens = await Promise.all(
      Array.from({ length: families }, async () => (await tryAgain(() => latchkey.tokens())).refresh_token),
    );
    const load = new Load(latchkey, tokens);
    await load.successes(20);
    await happen();
    load.recovered();
    await load.successes(20);
    const { result, tokens: newest } = await load.stop();
    const { ok, unavailable, slowestMs, slowestOwnMs, recoveryMs: took = Number.NaN } = result;
    const rate = ((100 * unavailable) / (ok + unavailable)).toFixed(1);
    report(
      `PostgreSQL ${what}: ${ok} ok, ${unavailable} × 503 (${rate} %), slowest ${Math.round(slowestMs)} ms, back after ${took} ms`,
    );
    expect(result.wrong).toEqual({});
    expect(slowestOwnMs).toBeLessThan(patienceMs);
    expect(took).toBeLessThan(recoveryMs);
    const last = await Promise.all(newest.map((token) => latchkey.refresh(token)));
    expect(last.map(({ status }) => status)).toEqual(tokens.map(() => 200));
    expect(await brokenInvariants(latchkey.database)).toEqual({});
  });

  test('accepts no writes: every endpoint that writes returns 503, readiness too, and nothing is granted', async () => {
    const calls = await tryAgain(() => openEndpointCalls(latchkey));
    const name = new URL(latchkey.database.url).pathname.slice(1);
    await postgres.query(`alter database ${name} set default_transaction_read_only = on`, '');
    network.reset();
    const account = ['account page', 'connected apps', 'browsers signed in', 'what happened'];
    const readers = ['introspection', 'userinfo', ...account, 'interaction page', 'status list'];
    const answers = await Promise.all(calls.map(async ({ name, call }) => ({ name, ...(await call()) })));
    const writers = answers.filter(({ name }) => !readers.includes(name));
    expect(writers.map(({ name, status, headers }) => [name, status, headers.get('retry-after')])).toEqual(
      writers.map(({ name }) => [name, 503, '2']),
    );
    expect(answers.filter(({ status, ownMs }) => status >= 500 && (status !== 503 || ownMs > patienceMs))).toEqual([]);
    expect(writers.filter(({ headers }) => headers.has('set-cookie') || headers.has('location'))).toEqual([]);
    await postgres.query(`alter database ${name} set default_transaction_read_only = off`, '');
  });
});
