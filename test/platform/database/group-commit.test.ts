import pg from 'pg';
import {
  type Database,
  DatabaseUnavailableError,
  GroupCommit,
  openDatabase,
} from '../../../src/platform/database/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { withStalls } from '../../support/stalls.ts';

type Withdrawal = { account: number; amount: number };

const lockStatement = `select set_config('test.held', coalesce(string_agg(id::text, ','), ''), true)
  from (select id from accounts where id = any($1::int[]) order by id for no key update skip locked) held`;

// Division by zero represents any error of PostgreSQL for one row.
const judgeStatement = `
  with w as (select * from json_to_recordset($1::json) as w(n int, account int, amount int)),
    judged as materialized (select w.*, 100 / w.amount, case
        when a.id <> all (string_to_array(current_setting('test.held'), ',')::int[]) then 'locked'
        when a.balance >= w.amount then 'paid' else 'refused' end as verdict
      from w join accounts a on a.id = w.account),
    paid as (update accounts a set balance = a.balance - j.amount from judged j where j.account = a.id and j.verdict = 'paid')
  select n, verdict from judged`;

describe('units that are committed together', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let batches: number[] = [];
  let group: GroupCommit<Withdrawal, string>;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    await testDatabase.query(`create table accounts (id int primary key, balance int not null);
      insert into accounts select id, 10 from generate_series(1, 1000) id`);
    database = openDatabase({ url: testDatabase.url, poolSize: 2, preparedStatements: true });
    group = new GroupCommit(database, {
      statements: (rows) => [
        { name: 'lock accounts', text: lockStatement, values: [rows.map(({ account }) => account)] },
        { name: 'withdraw', text: judgeStatement, values: [JSON.stringify(rows.map((row, n) => ({ ...row, n })))] },
      ],
      verdicts: ([, judged]) =>
        new Map(
          (judged?.rows ?? [])
            .filter(({ verdict }) => verdict !== 'locked')
            .map(({ n, verdict }) => [n as number, verdict as string]),
        ),
      keyOf: ({ account }) => String(account),
      hasWritten: (verdict) => verdict === 'paid',
      observer: { sent: (size) => batches.push(size), retried: () => undefined },
    });
  });
  beforeEach(() => {
    batches = [];
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const withdraw = (account: number, amount = 1) => group.commit({ account, amount });
  const balance = async (account: number) =>
    (await testDatabase.query('select balance from accounts where id = $1', [account])).rows[0].balance;

  /** Keeps the row of an account locked during the work. */
  async function whileLocked<T>(account: number, work: (unlock: () => Promise<unknown>) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: testDatabase.url });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select from accounts where id = $1 for update', [account]);
      return await work(() => client.query('rollback'));
    } finally {
      await client.end();
    }
  }

  test('share transactions of at most 64 units', async () => {
    const verdicts = await Promise.all(Array.from({ length: 200 }, (_, n) => withdraw(n + 1)));
    expect(new Set(verdicts)).toEqual(new Set(['paid']));
    expect(Math.max(...batches)).toBe(64);
    expect(batches.length).toBeLessThan(10);
  });

  test('are decided one after the other if they have the same key', async () => {
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => withdraw(300)));
    expect(verdicts).toEqual([...Array(10).fill('paid'), ...Array(20).fill('refused')]);
    expect(await balance(300)).toBe(0);
  });

  test('are not affected by one that PostgreSQL refuses', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, n) => withdraw(400 + n, n === 17 ? 0 : 1)),
    );
    const failed = outcomes.flatMap((outcome, n) => (outcome.status === 'rejected' ? [[n, outcome.reason.code]] : []));
    expect(failed).toEqual([[17, '22012']]);
    expect(await balance(459)).toBe(9);
  });

  test('are not delayed by one whose row is locked, which is written once it is free', async () => {
    await whileLocked(500, async (unlock) => {
      const locked = withdraw(500);
      expect(await Promise.all([withdraw(501), withdraw(502)])).toEqual(['paid', 'paid']);
      await unlock();
      expect(await locked).toBe('paid');
    });
    expect(await balance(500)).toBe(9);
  });

  test('are given up within two seconds when their row stays locked, and write nothing later', async () => {
    await whileLocked(510, async () => {
      const givenUp = () => expect(withdraw(510)).rejects.toThrow(DatabaseUnavailableError);
      const { ms, ownMs } = await withStalls(givenUp);
      expect(ms).toBeGreaterThan(900);
      expect(ownMs).toBeLessThan(2000);
    });
    expect(await withdraw(511)).toBe('paid');
    expect(await balance(510)).toBe(10);
  });

  test('are refused when their connection is lost, and the next ones get another connection', async () => {
    await withdraw(520);
    const terminate = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'latchkey' and wait_event_type = 'Lock'`;
    const holder = new pg.Client({ connectionString: testDatabase.url });
    await holder.connect();
    try {
      // A locked table stops the transaction in the middle of a statement, where the connection is cut.
      await holder.query('begin; lock table accounts in access exclusive mode');
      const lost = expect(withdraw(521)).rejects.toThrow(DatabaseUnavailableError);
      await eventually(
        async () => (await holder.query(terminate)).rowCount ?? 0,
        (terminated) => terminated > 0,
        { pauseMs: 10 },
      );
      await lost;
    } finally {
      await holder.end();
    }
    expect(await withdraw(522).catch(() => withdraw(523))).toBe('paid');
    expect(await balance(521)).toBe(10);
  });
});
