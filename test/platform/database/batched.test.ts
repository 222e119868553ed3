import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Logger, pino } from 'pino';
import { Batched, DatabaseUnavailableError, Keyed } from '../../../src/platform/database/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { Network } from '../../support/network.ts';

type Use = { name: string; uses: number };

describe('a batch collected in memory', () => {
  let database: TestDatabase;
  let network: Network;
  let pool: pg.Pool;
  let logged: { msg: string; lost?: number }[] = [];
  const log: Logger = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) });

  beforeAll(async () => {
    database = await createTestDatabase();
    network = await Network.open(database.url);
    pool = new pg.Pool({ connectionString: network.through(database.url), max: 1 });
    pool.on('error', () => undefined);
    await database.query(`create table uses (name text primary key, uses int not null check (name <> 'refused'))`);
  });
  beforeEach(async () => {
    logged = [];
    await database.query('truncate uses');
  });
  afterAll(async () => {
    await pool.end();
    await network.close();
    await database.drop();
  });

  const add = `insert into uses as u select name, uses from json_populate_recordset(null::uses, $1)
    on conflict (name) do update set uses = u.uses + excluded.uses`;
  const open = (mostHeld = 100) =>
    new Batched<Use, Keyed<Use>>({
      ...{ log, what: 'uses', everyMs: 20, mostHeld, mostAtOnce: 10 },
      collect: () =>
        new Keyed(
          ({ name }) => name,
          (earlier, later) => ({ ...later, uses: earlier.uses + later.uses }),
        ),
      write: (uses) =>
        pool.query(add, [JSON.stringify(uses)]).catch((error: Error) => {
          // In Jest, errors of Node itself are not `instanceof Error`; those of PostgreSQL have a severity.
          throw 'severity' in error ? error : new DatabaseUnavailableError(error);
        }),
      usesOf: ({ uses }) => uses,
    });
  const written = async () =>
    Object.fromEntries(
      (await database.query('select name, uses from uses order by name')).rows.map((row) => [row.name, row.uses]),
    );
  const use = (batched: ReturnType<typeof open>, ...names: string[]) => {
    for (const name of names) batched.add({ name, uses: 1 });
  };

  test('is written soon, updates of one record as one row, and a limited number of rows at once', async () => {
    const batched = open();
    const names = Array.from({ length: 25 }, (_, n) => `key ${n}`);
    use(batched, ...names, ...names);
    await eventually(written, (rows) => Object.keys(rows).length === 25);
    expect(new Set(Object.values(await written()))).toEqual(new Set([2]));
    await batched.close();
  });

  test('waits while the database is unavailable, and is written when it is back', async () => {
    const batched = open();
    await network.refuse();
    use(batched, 'a', 'b');
    await eventually(
      () => logged,
      ({ length }) => length > 0,
    );
    use(batched, 'a');
    await network.recover();
    await eventually(written, ({ a }) => a === 2);
    expect(await written()).toEqual({ a: 2, b: 1 });
    expect(logged.filter(({ lost }) => lost)).toEqual([]);
    await batched.close();
  });

  test('is limited while the database is unavailable, and lost rows are counted', async () => {
    const batched = open(2);
    await network.refuse();
    use(batched, 'a', 'b', 'c', 'd', 'd', 'a');
    await sleep(100);
    use(batched, 'e', 'b');
    await network.recover();
    await eventually(written, ({ b }) => b === 2);
    expect(await written()).toEqual({ a: 2, b: 2 });
    await eventually(
      () => logged.find(({ lost }) => lost),
      (line) => line?.lost === 4,
    );
    await batched.close();
  });

  test('is written when the server stops, and rows that cannot be are reported', async () => {
    const stopped = open();
    use(stopped, 'a', 'b');
    await stopped.close();
    expect(await written()).toEqual({ a: 1, b: 1 });

    const away = open();
    await network.refuse();
    use(away, 'c', 'c');
    await away.close();
    expect(logged.at(-1)).toMatchObject({ lost: 2, msg: expect.stringContaining('before the server stopped') });
    await network.recover();
  });

  test('is not delayed by a row that the database refuses', async () => {
    const batched = open();
    use(batched, 'a', 'refused', 'b', 'c');
    await batched.close();
    expect(await written()).toEqual({ a: 1, b: 1, c: 1 });
    expect(logged.at(-1)).toMatchObject({ lost: 1 });
  });
});
