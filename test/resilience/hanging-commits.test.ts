import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '../support/endpoint-calls.ts';
import { eventually } from '../support/eventually.ts';
import { api } from '../support/installation.ts';
import { basic, Latchkey } from '../support/latchkey.ts';
import { PrivatePostgres } from '../support/private-postgres.ts';
import { report } from '../support/report.ts';
import { defaultDatabaseTimeout, type ServerProcess } from '../support/server.ts';
import { withStalls } from '../support/stalls.ts';

const poolSize = 5;
/** docs/operations.md: the pool and eleven more connections. */
const mostConnections = poolSize + 11;
const stalledMs = 10_000;

/** `ms`: without waits for the CPU. */
type Outcome = { status: number; ms: number; retryAfter: string | null };

describe('while every commit hangs, because the synchronous standby is gone', () => {
  const latchkey = new Latchkey();
  let postgres: PrivatePostgres;
  let second: ServerProcess;
  let token: string;
  beforeAll(async () => {
    postgres = await PrivatePostgres.open();
    const env = { ...defaultDatabaseTimeout, LATCHKEY_DATABASE_POOL: String(poolSize) };
    await latchkey.start({ adminUrl: postgres.url, env, ownProcess: true });
    second = await latchkey.startAnother({
      env: { ...env, LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' },
    });
    token = (await latchkey.clientCredentials({ resource: api })).body.access_token;
  });
  afterAll(async () => {
    await setStandby('');
    await latchkey.stop();
    await postgres.close();
  });

  /** Makes each commit wait for a standby that does not exist. */
  async function setStandby(name: string): Promise<void> {
    await postgres.query(`alter system set synchronous_standby_names = '${name}'`, 'none');
    await postgres.query('select pg_reload_conf() as done', 'done');
  }

  const nodes = () => [latchkey.process, second];
  const readiness = async (node: ServerProcess) => {
    const answer = await fetch(`${node.address}/readyz`);
    const { reason } = (await answer.json()) as { reason?: string };
    return { status: answer.status, reason };
  };

  /** Requests with each way of writing: the token commit, a transaction, a single statement. */
  const writes = (node: ServerProcess) => {
    const headers = { 'x-forwarded-host': new URL(latchkey.issuer).host };
    const post = (path: string, body: Record<string, string>, authorization?: string) =>
      fetch(`${node.address}${path}`, {
        method: 'POST',
        body: new URLSearchParams(body),
        headers: { ...headers, ...(authorization && { authorization }) },
      });
    const service = basic('service', 'a secret of the service');
    return [
      () =>
        latchkey
          .clientCredentials({ resource: api }, 'service', node.address)
          .then(({ status, headers }) => ({ status, headers })),
      () => fetch(latchkey.authorizeUrl().replace(latchkey.issuer, node.address), { headers, redirect: 'manual' }),
      () => post('/oauth/token', { grant_type: 'client_credentials' }, `${service.slice(0, -6)}AAAA==`),
    ];
  };

  async function timed(ask: () => Promise<{ status: number; headers: Headers }>): Promise<Outcome> {
    const { result, ownMs } = await withStalls(ask);
    const { status, headers } = result;
    return { status, ms: ownMs, retryAfter: headers.get('retry-after') };
  }

  test('connections stay within the documented limit, /readyz reports it after ten seconds, and reads continue', async () => {
    const counts: number[] = [];
    const outcomes: Outcome[] = [];
    const reading: Outcome[] = [];
    const notReady: string[] = [];
    let isOver = false;
    const repeat = async (work: () => Promise<void>) => {
      while (!isOver) await work();
    };
    await setStandby('absent');
    const startedAt = performance.now();
    const work = nodes().flatMap((node) => [
      ...writes(node)
        .flatMap((ask) => [ask, ask, ask])
        .map((ask) => repeat(async () => void outcomes.push(await timed(ask)))),
      repeat(async () => {
        reading.push(await timed(() => latchkey.post('/oauth/introspect', { token }, 'service', node.address)));
        await sleep(100);
      }),
      repeat(async () => {
        const { status, reason } = await readiness(node);
        if (status === 503) notReady.push(`${Math.floor((performance.now() - startedAt) / 1000)} ${reason}`);
        await sleep(200);
      }),
    ]);
    work.push(
      repeat(async () => {
        counts.push((await postgres.backends()).length);
        await sleep(200);
      }),
    );
    await sleep(stalledMs + 5000);
    isOver = true;
    await Promise.all(work);
    const slowest = Math.round(Math.max(...outcomes.map(({ ms }) => ms)));
    const slowestRead = Math.round(Math.max(...reading.map(({ ms }) => ms)));
    report(
      `commits hang: at most ${Math.max(...counts)} connections of two nodes, ${outcomes.length} writes, slowest ${slowest} ms, ${reading.length} reads, slowest ${slowestRead} ms`,
    );
    expect(Math.max(...counts)).toBeLessThanOrEqual(2 * mostConnections);
    expect(outcomes.filter(({ status, retryAfter }) => status === 503 && !retryAfter)).toEqual([]);
    expect(outcomes.filter(({ status }) => status === 503).length).toBeGreaterThan(20);
    // Concurrent requests are slow on a busy machine: it only matters that none hangs.
    expect(slowest).toBeLessThan(2 * patienceMs);
    expect(reading.filter(({ status }) => status !== 200)).toEqual([]);
    const reasons = notReady.map((line) => line.split(/ (.*)/s));
    expect(new Set(reasons.map(([, reason]) => reason))).toEqual(
      new Set(['the database has committed nothing for 10 seconds, although commits are pending']),
    );
    expect(Math.min(...reasons.map(([second = 0]) => Number(second)))).toBeGreaterThanOrEqual(stalledMs / 1000 - 1);
  });

  test('when commits continue, every node is ready again without a restart and without a request', async () => {
    await setStandby('');
    for (const node of nodes())
      await eventually(
        () => readiness(node),
        ({ status }) => status === 200,
      );
    expect(await latchkey.clientCredentials({ resource: api })).toMatchObject({ status: 200 });
    await eventually(
      () => postgres.backends(),
      (pids) => pids.length <= 2 * mostConnections,
    );
  });

  test('servers that are stopped leave no waiting connection, except those of the job queue', async () => {
    await setStandby('absent');
    const asked = nodes().flatMap((node) => writes(node).flatMap((ask) => [ask(), ask()]));
    const waiting = `select pid from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'latchkey'`;
    await eventually(
      () => postgres.query(waiting, 'pid'),
      (pids) => pids.length > 0,
    );
    await Promise.all(nodes().map((node) => node.stop()));
    await Promise.allSettled(asked);
    await eventually(
      () => postgres.query(waiting, 'pid'),
      (pids) => pids.length === 0,
    );
  });
});
