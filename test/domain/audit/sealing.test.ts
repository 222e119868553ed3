import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { Network } from '../../support/network.ts';
import { report, rounds } from '../../support/report.ts';
import type { ServerProcess } from '../../support/server.ts';
import { withStalls } from '../../support/stalls.ts';
import { sealed, unsealed, verified, writeEvents } from './support/log.ts';

const lagBoundMs = 1000;

describe('an event', () => {
  const latchkey = startLatchkey({ ownProcess: true });

  test('is sealed within a second of its response', async () => {
    // One connection for all: opening one is slow while many tests run.
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    const database = { query: (text: string) => client.query(text) };
    const lags: { ms: number; ownMs: number }[] = [];
    for (let n = 0; n < rounds(10); n += 1) {
      await latchkey.clientCredentials();
      lags.push(await withStalls(() => sealed(database)));
      await sleep(50);
    }
    await client.end();
    const longest = Math.max(...lags.map(({ ms }) => ms));
    report(`seal lag: at most ${Math.round(longest)} ms of ${lags.length}`);
    expect(lags.filter(({ ownMs }) => ownMs >= lagBoundMs)).toEqual([]);
  }, 1_200_000);

  test('is sealed although another transaction has been open for longer', async () => {
    const held = latchkey.database.query('select pg_current_xact_id(), pg_sleep(2)');
    await sleep(200);
    await latchkey.clientCredentials();
    const { ownMs } = await withStalls(() => sealed(latchkey.database));
    expect(ownMs).toBeLessThan(lagBoundMs);
    await held;
  });

  test('of a command without a server, or of a server killed before the seal, is sealed at the next start', async () => {
    const { events } = await verified(latchkey.database);
    for (let n = 0; n < rounds(1); n += 1) {
      const server = await latchkey.startNodeProcess();
      await latchkey.process.kill('SIGKILL');
      await latchkey.clientCredentials(undefined, undefined, server.address);
      await server.kill('SIGKILL');
      await writeEvents(latchkey.database.url, 3);
      expect(await unsealed(latchkey.database)).toBeGreaterThan(2);
      const next = await latchkey.startNodeProcess();
      await sealed(latchkey.database);
      await next.kill('SIGKILL');
    }
    const after = await verified(latchkey.database);
    expect(after).toMatchObject({ fault: undefined, unsealed: 0 });
    expect(after.events).toBeGreaterThanOrEqual(events + 4 * rounds(1));
  }, 3_600_000);
});

describe('two nodes', () => {
  const latchkey = startLatchkey({ ownProcess: true });
  let other: ServerProcess;
  beforeAll(async () => {
    other = await latchkey.startNodeProcess();
  });
  const sealedBy = (server: ServerProcess) =>
    [...server.output().matchAll(/"segment":(\d+)/g)].map(([, number]) => Number(number));

  test('write one chain, and no segment twice; when one is killed the other continues at once', async () => {
    const until = performance.now() + 3000;
    while (performance.now() < until) {
      await Promise.all([
        latchkey.clientCredentials(),
        latchkey.clientCredentials(undefined, undefined, other.address),
      ]);
    }
    const seals = await sealed(latchkey.database);
    await latchkey.process.kill('SIGKILL');
    await writeEvents(latchkey.database.url, 1);
    const { ownMs } = await withStalls(() => sealed(latchkey.database));
    expect(ownMs).toBeLessThan(lagBoundMs);

    expect(await verified(latchkey.database)).toMatchObject({ fault: undefined, unsealed: 0 });
    // A line of the log may arrive after the seal.
    const numbers = await eventually(
      () => [...sealedBy(latchkey.process), ...sealedBy(other)],
      (all) => Math.max(...all) > seals,
    );
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(other.output()).not.toContain('wait to be sealed');
  });
});

describe('during a database outage', () => {
  let network: Network;
  const latchkey = startLatchkey({
    prepare: async () => {
      network = await Network.open(process.env.LATCHKEY_TEST_ADMIN_URL ?? '');
      return { through: network.through };
    },
  });
  afterAll(() => network.close());

  test('the server logs once that events wait, and seals them when the database is back', async () => {
    await network.refuse();
    await writeEvents(latchkey.database.url, 20);
    const told = () => latchkey.server.output().match(/wait to be sealed/g) ?? [];
    await eventually(told, ({ length }) => length > 0);
    await sleep(1500);
    expect(told()).toHaveLength(1);
    await network.recover();
    await sealed(latchkey.database);
    expect(await verified(latchkey.database)).toMatchObject({ fault: undefined, unsealed: 0 });
  });
});

describe('a database restored elsewhere, where transaction numbers start again', () => {
  const latchkey = startLatchkey({ ownProcess: true });

  test('continues its chain', async () => {
    const setOffset = (offset: number) => latchkey.database.query('select audit_number_from($1)', [offset]);
    await sealed(latchkey.database);
    await latchkey.process.kill('SIGKILL');
    // As if the transaction numbers of this cluster were far ahead.
    await setOffset(1_000_000);
    const far = await latchkey.startNodeProcess();
    await writeEvents(latchkey.database.url, 5);
    await sealed(latchkey.database);
    await far.kill('SIGKILL');
    await writeEvents(latchkey.database.url, 5);
    await setOffset(0);

    const restored = await latchkey.startNodeProcess();
    await writeEvents(latchkey.database.url, 5);
    await sealed(latchkey.database);
    expect(await verified(latchkey.database)).toMatchObject({ fault: undefined, unsealed: 0 });
    expect(restored.output()).not.toContain('wait to be sealed');
  });
});
