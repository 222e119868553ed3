import pg from 'pg';
import { asOwner } from '../../support/admin.ts';
import { withoutTriggers } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { Network } from '../../support/network.ts';
import { report } from '../../support/report.ts';
import { defaultDatabaseTimeout } from '../../support/server.ts';
import { withStalls } from '../../support/stalls.ts';
import { tryAgain } from '../../support/try-again.ts';

/** A node's cache is used for five seconds; two more for a busy machine. */
const distrustMs = 7000;

describe('a node that is cut off', () => {
  let network: Network;
  const latchkey = startLatchkey({
    env: defaultDatabaseTimeout,
    prepare: async () => {
      network = await Network.open(process.env.LATCHKEY_TEST_ADMIN_URL ?? '');
      return { through: network.through };
    },
  });
  afterAll(() => network.close());
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await tryAgain(async () => Gateway.open(latchkey, await asOwner(latchkey)));
  });

  /** The time until it is so, without waits for the CPU. */
  const until = async (isReached: () => Promise<boolean>): Promise<number> => {
    const { ownMs } = await withStalls(() => eventually(isReached, Boolean, { pauseMs: 20 }));
    return Math.round(ownMs);
  };

  test('from the change feed no longer uses its cache of keys after five seconds', async () => {
    const { id, key } = await gateway.mint();
    expect(await gateway.verify({ key })).toMatchObject({ code: 'valid' });
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    await client.query('begin; lock table changes in access exclusive mode');
    await withoutTriggers(latchkey.database, 'update api_keys set enabled = false where id = $1', [id]);
    const noticedMs = await until(async () => (await gateway.verify({ key })).code === 'disabled');
    report(`feed cut: a key was distrusted after ${noticedMs} ms`);
    expect(noticedMs).toBeLessThan(distrustMs);
    await client.end();
  });

  test('from the database continues for five seconds, then refuses, and recovers', async () => {
    const { key } = await gateway.mint();
    expect(await gateway.verify({ key })).toMatchObject({ code: 'valid' });
    await network.refuse();
    expect((await gateway.post({ key })).status).toBe(200);
    const refusedMs = await until(async () => (await gateway.post({ key })).status === 503);
    report(`database away: keys were refused with 503 after ${refusedMs} ms`);
    expect(refusedMs).toBeLessThan(distrustMs);
    expect((await gateway.forwardAuth('', { 'x-api-key': key })).status).toBe(503);
    await network.recover();
    await until(async () => (await gateway.post({ key })).status === 200);
  });
});
