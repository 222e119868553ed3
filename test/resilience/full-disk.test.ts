import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs, servedFromMemory } from '../support/endpoint-calls.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { Latchkey } from '../support/latchkey.ts';
import { Load, type LoadResult } from '../support/load.ts';
import { Network } from '../support/network.ts';
import { PrivatePostgres } from '../support/private-postgres.ts';
import { report } from '../support/report.ts';
import { SmallDisk } from '../support/small-disk.ts';

const diskMegabytes = 160;
const walSettings = { max_wal_size: '32MB', min_wal_size: '32MB' };
const recoveryMs = 10_000;
const fullMs = 3000;

describe('on a full disk', () => {
  const latchkey = new Latchkey();
  let disk: SmallDisk | undefined;
  let postgres: PrivatePostgres;
  let network: Network;
  beforeAll(async () => {
    disk = await SmallDisk.mount(diskMegabytes);
    if (!disk) return report('full disk: this machine does not allow mounting one, so nothing is tested here');
    postgres = await PrivatePostgres.open(walSettings, disk.folder);
    network = await Network.open(postgres.url);
    await latchkey.start({ adminUrl: network.through(postgres.url) });
  });
  afterAll(async () => {
    if (!disk) return;
    await disk.free();
    await latchkey.stop();
    await network.close();
    await postgres.close();
    await disk.unmount();
  });

  /** Like an operator's supervisor: restarts PostgreSQL when it has exited. */
  async function supervise(): Promise<boolean> {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      if (await postgres.query('select 1 as n', 'n').catch(() => false)) return false;
      await sleep(100);
    }
    await postgres.stop();
    await postgres.start();
    network.lead(postgres.url);
    return true;
  }

  /** Requests one access token after another, and stores them. */
  async function issue(isOver: () => boolean): Promise<{ tokens: string[]; wrong: string[] }> {
    const tokens: string[] = [];
    const wrong: string[] = [];
    while (!isOver()) {
      const { status, headers, body } = await latchkey.clientCredentials();
      if (status === 200) tokens.push(body.access_token);
      else if (status !== 503 || !(Number(headers.get('retry-after')) > 0)) wrong.push(`${status} ${body.error}`);
    }
    return { tokens, wrong };
  }

  /** Fills WAL until it has no room for its next file, so that PostgreSQL panics. */
  async function fillWal(): Promise<void> {
    const write = `select pg_logical_emit_message(false, 'full', repeat('x', 8000)), pg_switch_wal()::text as at`;
    for (let n = 0; n < 50; n += 1) {
      if ((await postgres.query(write, 'at').catch(() => [])).length === 0) return;
    }
    throw new Error('WAL found room for everything');
  }

  test.each([
    ['no table can grow', async () => undefined],
    ['WAL cannot grow and PostgreSQL panics', fillWal],
  ])('%s: 503 in time or a durable success, and everything works when there is space again', async (what, worsen) => {
    if (!disk) return;
    const families = await Promise.all(Array.from({ length: 4 }, async () => (await latchkey.tokens()).refresh_token));
    const load = new Load(latchkey, families);
    let isOver = false;
    const issuing = [issue(() => isOver), issue(() => isOver)];
    let memory = {};
    let isRestarted = false;
    try {
      await load.successes(10);
      await disk.fill();
      await worsen();
      await sleep(fullMs);
      memory = await servedFromMemory(latchkey);
      await disk.free();
      isRestarted = await supervise();
      load.recovered();
      await load.successes(20);
    } finally {
      isOver = true;
      await load.stop();
    }
    const { result, tokens } = await load.stop();
    const issued = await Promise.all(issuing);
    report(`disk full, ${what}${isRestarted ? ' and ends' : ''}: ${figures(result)}`);

    expect(result.unavailable).toBeGreaterThan(0);
    expect({ refreshing: result.wrong, issuing: issued.flatMap(({ wrong }) => wrong) }).toEqual({
      refreshing: {},
      issuing: [],
    });
    expect(result.slowestOwnMs).toBeLessThan(patienceMs);
    expect(result.recoveryMs).toBeLessThan(recoveryMs);
    expect(Object.values(memory)).toEqual([200, 200, 200, 200]);
    const last = await Promise.all(tokens.map((token) => latchkey.refresh(token)));
    expect(last.map(({ status }) => status)).toEqual(families.map(() => 200));
    expect(await inactive(issued.flatMap((each) => each.tokens))).toEqual([]);
    expect(await brokenInvariants(latchkey.database)).toEqual({});
  });

  /** The issued tokens that are not active. */
  async function inactive(tokens: string[]): Promise<string[]> {
    const dead: string[] = [];
    for (const token of tokens) if (!(await latchkey.isActive(token, 'service'))) dead.push(token);
    report(`disk full: ${tokens.length - dead.length} of ${tokens.length} access tokens that were answered work`);
    return dead;
  }
});

function figures({ ok, unavailable, slowestMs, recoveryMs: back }: LoadResult): string {
  return `${ok} ok, ${unavailable} × 503, slowest ${Math.round(slowestMs)} ms, back after ${back} ms`;
}
