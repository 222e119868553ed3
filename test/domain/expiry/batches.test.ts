import { eventually } from '../../support/eventually.ts';
import { queueJob } from '../../support/jobs.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type MetricsPage, openMetricsPage } from '../../support/metrics-page.ts';
import { Statements } from '../../support/statements.ts';

describe('the removal of expired rows', () => {
  let page: MetricsPage;
  let statements: Statements;
  const latchkey = startLatchkey({
    prepare: async () => {
      page = await openMetricsPage();
      statements = await Statements.open();
      return { env: page.settings, through: statements.through };
    },
  });
  afterAll(() => statements.close());

  /** Runs the job once. @returns its result, with its output */
  async function run(): Promise<{ state: string; output: { message?: string } | null }> {
    const { query } = latchkey.database;
    const id = await queueJob({ query }, 'remove-expired');
    const ended = await eventually(
      () => query(`select state, output from pgboss.job where id = $1`, [id]),
      ({ rows: [job] }) => ['completed', 'failed'].includes(job.state),
      { withinMs: 120_000, pauseMs: 100 },
    );
    return ended.rows[0];
  }

  const addOldGrants = (count: number, id = 'gen_random_uuid()') =>
    latchkey.database.query(
      `insert into grants (id, user_id, client_id, offline, payload, created_at)
        select ${id}, u.id, c.id, true, '{}', now() - interval '3 days'
        from generate_series(1, $1::int), users u, clients c where u.username = 'alice' and c.client_id = 'web-app'`,
      [count],
    );
  const grants = async () => (await latchkey.database.query('select count(*)::int as n from grants')).rows[0].n;
  const onDelete = (table: string, body: string) =>
    latchkey.database.query(`create function hinder() returns trigger language plpgsql as $$ begin ${body} end $$;
      create trigger hinder before delete on ${table} for each row execute function hinder()`);
  const measured = async (line: string) =>
    Number(
      (await page.read())
        .split('\n')
        .find((one) => one.startsWith(line))
        ?.slice(line.length),
    );

  // The job also runs by itself every minute: the trigger exists before the rows, and either run may fire it.
  afterEach(() => latchkey.database.query('drop function if exists hinder cascade'));

  test('sends a deletion only to tables that have expired rows', async () => {
    const tables = async (deed: () => Promise<unknown>) => {
      const sent = await statements.of(/^delete from \S+ where ctid/, deed);
      return [...new Set(sent.map((text) => text.split(' ')[2]))];
    };
    await run();
    expect(await tables(run)).toEqual([]);
    const addExpired = "insert into throttles (key, points, expire) values ('expired', 1, 0)";
    expect(await tables(() => latchkey.database.query(addExpired).then(run))).toEqual(['"throttles"']);
  });

  test('deletes fewer rows at once where the database is slow, and still deletes them all', async () => {
    // A batch of 2,000 would take 5 s, and no statement may take more than 1.5 s.
    await onDelete('grants', 'perform pg_sleep(0.0025); return old;');
    await addOldGrants(1200);
    // What a run does not delete in its time, the next one does.
    do expect(await run()).toMatchObject({ state: 'completed' });
    while ((await grants()) > 0);
    expect(await measured('latchkey_expired_rows_removed_total{table="grants"} ')).toBe(1200);
    expect(await measured('latchkey_expiry_failures_total{table="grants"} ')).toBe(0);
  });

  test('skips rows that cannot be deleted in time, so that the next runs delete those behind them', async () => {
    const first = '00000000-0000-4000-8000-000000000000';
    await onDelete('grants', `if old.id = '${first}' then perform pg_sleep(30); end if; return old;`);
    await addOldGrants(1, `'${first}'`);
    await addOldGrants(30);
    await run();
    await run();
    expect(await grants()).toBeLessThanOrEqual(10);
    expect(await measured('latchkey_expiry_failures_total{table="grants"} ')).toBeGreaterThan(0);
  });

  test('names a table from which it cannot delete, with the cause, in the log, the job and the metrics; other tables are processed', async () => {
    await onDelete('replay_detection', "raise exception 'no room on the volume';");
    await latchkey.database.query(`insert into replay_detection values ('\\x01', now() - interval '1 day');
      insert into setup_links values ('\\x01', now() - interval '2 days', now() - interval '1 day')`);
    expect(await run()).toMatchObject({
      state: 'failed',
      output: { message: expect.stringContaining('replay_detection (no room on the volume)') },
    });
    const { rows } = await latchkey.database.query("select from setup_links where digest = '\\x01'");
    expect(rows).toEqual([]);
    const log = latchkey.server.output().split('\n');
    expect(log.find((line) => line.includes('"table":"replay_detection"'))).toContain('no room on the volume');
    expect(await measured('latchkey_expiry_failures_total{table="replay_detection"} ')).toBeGreaterThan(0);
    expect(await measured('latchkey_job_failures_total{job="remove-expired"} ')).toBeGreaterThan(0);
  });
});
