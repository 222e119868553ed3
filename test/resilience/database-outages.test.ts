import { setTimeout as sleep } from 'node:timers/promises';
import {
  type EndpointCall,
  openEndpointCalls,
  patienceMs,
  servedFromMemory,
  type TimedAnswer,
} from '../support/endpoint-calls.ts';
import { eventually } from '../support/eventually.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { Network } from '../support/network.ts';
import { report } from '../support/report.ts';
import { defaultDatabaseTimeout } from '../support/server.ts';
import { withStalls } from '../support/stalls.ts';
import { tryAgain } from '../support/try-again.ts';

/** A broken connection costs one more timeout before it is replaced. */
const recoveryMs = 10_000;

const all200 = {
  '/healthz': 200,
  '/.well-known/openid-configuration': 200,
  '/oauth/jwks': 200,
  '/.well-known/oauth-authorization-server': 200,
};

describe('while the database', () => {
  let network: Network;
  const latchkey = startLatchkey({
    env: defaultDatabaseTimeout,
    prepare: async () => {
      network = await Network.open(process.env.LATCHKEY_TEST_ADMIN_URL ?? '');
      return { through: network.through };
    },
  });
  afterAll(() => network.close());

  test.each([
    ['refuses connections', { away: () => network.refuse(), dead: false }],
    ['is silent and goes on later', { away: async () => network.silence(), dead: false }],
    ['is silent and its connections stay dead', { away: async () => network.silence(), dead: true }],
  ])(
    '%s, every endpoint returns 503 with Retry-After in time, and works again without a restart',
    async (how, { away, dead }) => {
      const calls = await tryAgain(() => openEndpointCalls(latchkey));
      // A status list is served from memory for a second.
      await sleep(1100);
      await away();
      // Twice: connections that the first request found broken must not delay the second.
      for (const visit of [1, 2]) {
        const answers = await callAll(calls);
        report(`database ${how}, visit ${visit}: slowest answer ${slowest(answers)}`);
        expect(answers.map(([name, call]) => [name, faultsOf(call)])).toEqual(answers.map(([name]) => [name, []]));
      }
      expect(await servedFromMemory(latchkey)).toEqual(all200);

      const { rows } = await latchkey.database.query('select clock_timestamp() as recovered_at');
      await network.recover({ dead });
      const reopened = await Promise.all(calls.map(untilOpen));
      report(`database ${how}: all calls open ${Math.max(...reopened.map(({ ms }) => ms))} ms after its return`);
      expect(reopened.filter(({ status, ownMs }) => status >= 400 || ownMs > recoveryMs)).toEqual([]);
      await eventually(() => jobsAskedSince(rows[0].recovered_at), Boolean, { pauseMs: 500 });
    },
  );

  /** Whether the server has polled for jobs since a time. */
  async function jobsAskedSince(moment: Date): Promise<boolean> {
    const query = `select from pg_stat_activity
      where datname = current_database() and application_name = 'latchkey jobs' and query_start > $1`;
    return (await latchkey.database.query(query, [moment])).rowCount !== 0;
  }
});

function callAll(calls: EndpointCall[]): Promise<[string, TimedAnswer][]> {
  return Promise.all(calls.map(async ({ name, call }): Promise<[string, TimedAnswer]> => [name, await call()]));
}

/** The errors in a response of a server without a database. */
function faultsOf({ status, headers, ownMs, text }: TimedAnswer): string[] {
  const faults = {
    [`status ${status}`]: status !== 503,
    'no Retry-After': !(Number(headers.get('retry-after')) > 0),
    [`after ${Math.round(ownMs)} ms`]: ownMs > patienceMs,
    'sets a cookie': headers.has('set-cookie'),
    'leads elsewhere': headers.has('location'),
    'shows a credential': /lk_(at|rt|ac)_/.test(text),
  };
  return Object.keys(faults).filter((fault) => faults[fault]);
}

function slowest(answers: [string, TimedAnswer][]): string {
  const [name, { ms }] = answers.reduce((a, b) => (a[1].ms > b[1].ms ? a : b));
  return `${Math.round(ms)} ms (${name})`;
}

/** Retries until the response is no longer a 503. */
async function untilOpen({
  name,
  call,
}: EndpointCall): Promise<{ name: string; status: number; ms: number; ownMs: number }> {
  const opened = () => eventually(call, (answer) => answer.status !== 503, { pauseMs: 20 });
  const { result, ms, ownMs } = await withStalls(opened);
  return { name, status: result.status, ms: Math.round(ms), ownMs };
}
