import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { withoutTriggers } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { RunningServer } from '../support/hosted-server.ts';
import { api, standardInstallation } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { report } from '../support/report.ts';
import { withStalls } from '../support/stalls.ts';

/** One second, and another one for a busy machine. */
const boundMs = 2000;
/** Caches are not used after five seconds without the feed. */
const distrustMs = 7000;

const listeners = `application_name = 'latchkey changes' and datname = current_database()`;

describe('a change of a resource server', () => {
  const latchkey = startLatchkey();
  let other: RunningServer;
  let folder: string;
  beforeAll(async () => {
    other = await latchkey.startNode();
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-feed-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The other node's scopes for `read` at the API: from its cache, if it may use it. */
  const ask = async () => {
    const { status } = await latchkey.post(
      '/oauth/token',
      { grant_type: 'client_credentials', resource: api, scope: 'read' },
      'service',
      other.address,
    );
    return status;
  };
  /** The time until the other node answers so, without waits for the CPU. */
  const untilAnswered = async (status: number): Promise<number> => {
    const { ownMs } = await withStalls(() => eventually(ask, (each) => each === status, { pauseMs: 5 }));
    return Math.round(ownMs);
  };

  /** Disables or enables it as an operator would, with configuration as code through the first node's command line. */
  async function setEnabled(enabled: boolean): Promise<void> {
    const resource_servers = standardInstallation.resource_servers.map((server) =>
      server.identifier === api ? { ...server, enabled } : server,
    );
    const file = path.join(folder, `${enabled}.json`);
    await writeFile(file, JSON.stringify({ resource_servers }));
    const { code, stderr } = await latchkey.command(['apply', file]);
    if (code !== 0) throw new Error(stderr);
  }

  test('made by the command line is applied on every node within a second', async () => {
    expect(await ask()).toBe(200);
    await setEnabled(false);
    const disabledMs = await untilAnswered(400);
    await setEnabled(true);
    const enabledMs = await untilAnswered(200);
    report(`a resource server disabled elsewhere: ${disabledMs} ms, enabled: ${enabledMs} ms`);
    expect(Math.max(disabledMs, enabledMs)).toBeLessThan(boundMs);
  });

  test('is applied within a second also while no node can listen', async () => {
    expect(await ask()).toBe(200);
    let isOver = false;
    const cutting = (async () => {
      while (!isOver)
        await latchkey.database.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${listeners}`);
    })();
    await setEnabled(false);
    const disabledMs = await untilAnswered(400);
    isOver = true;
    await cutting;
    await setEnabled(true);
    await untilAnswered(200);
    report(`a resource server disabled elsewhere, without LISTEN: ${disabledMs} ms`);
    expect(disabledMs).toBeLessThan(boundMs);
  });

  test('is received again after the connection was cut', async () => {
    await latchkey.database.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${listeners}`);
    const count = async () =>
      (await latchkey.database.query(`select count(*)::int as n from pg_stat_activity where ${listeners}`)).rows[0].n;
    await eventually(count, (listening) => listening >= 2);
  });

  test('that the feed cannot deliver is missed for five seconds at most: then the cache is no longer used', async () => {
    expect(await ask()).toBe(200);
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    await client.query('begin');
    await client.query('lock table changes in access exclusive mode');
    await withoutTriggers(latchkey.database, 'update resource_servers set enabled = false where identifier = $1', [
      api,
    ]);
    const noticedMs = await untilAnswered(400);
    report(`feed cut: the cache was distrusted after ${noticedMs} ms`);
    expect(noticedMs).toBeLessThan(distrustMs);
    await client.end();
  });
});
