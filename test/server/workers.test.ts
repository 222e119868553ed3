import { eventually } from '../support/eventually.ts';
import { api } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { type MetricsPage, openMetricsPage } from '../support/metrics-page.ts';

describe('with WEB_CONCURRENCY, one installation served by several processes', () => {
  let metrics: MetricsPage;
  const latchkey = startLatchkey({
    prepare: async () => {
      metrics = await openMetricsPage();
      return { env: { WEB_CONCURRENCY: '2', ...metrics.settings } };
    },
  });

  const workers = async (): Promise<number[]> => {
    const { rows } = await latchkey.database.query(
      "select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name = 'latchkey changes'",
    );
    return Array.from({ length: rows[0].count }, (_, n) => n);
  };

  test('issues tokens in all of them, and has one page of metrics for all', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => latchkey.clientCredentials({ resource: api })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(40);
    const { refresh_token } = await latchkey.tokens();
    const refreshed = await Promise.all(Array.from({ length: 20 }, () => latchkey.refresh(refresh_token)));
    expect(new Set(refreshed.map(({ body }) => body.refresh_token)).size).toBe(1);
    const shown = await metrics.read();
    expect(shown).toMatch(/latchkey_token_transactions_total\{verdict="won"\} 4[123]\n/);
    expect(shown).toMatch(/latchkey_token_transactions_total\{verdict="grace"\} 19\n/);
    expect(shown).toMatch(/_duration_seconds_count\{[^}]*route="\/oauth\/token",status="200"\} 6[123]\n/);
  });

  test('replaces a worker that exits, and the others continue: the new one accepts requests when it is ready', async () => {
    expect(await workers()).toHaveLength(2);
    const [killed = Number.NaN] = latchkey.process.children();
    process.kill(killed, 'SIGKILL');
    const statuses = new Set<number>();
    let isOver = false;
    const asking = Array.from({ length: 4 }, async () => {
      // Responses of the killed worker are cut off.
      while (!isOver)
        await latchkey.clientCredentials({ resource: api }).then(
          ({ status }) => statuses.add(status),
          () => 0,
        );
    });
    await eventually(latchkey.process.children, (pids) => !pids.includes(killed));
    const ask = async () => (await latchkey.clientCredentials({ resource: api })).status;
    // Its connections are closed with it: clients open a new one.
    const asked = async (left = 40): Promise<number> => ask().catch((error) => (left > 0 ? asked(left - 1) : error));
    const seen = async () => {
      expect(await asked()).toBe(200);
      return { processes: latchkey.process.children().length, listening: (await workers()).length };
    };
    await eventually(seen, ({ processes, listening }) => processes >= 2 && listening >= 2, { withinMs: 120_000 });
    isOver = true;
    await Promise.all(asking);
    expect([...statuses]).toEqual([200]);
  });

  test('exits with code 0, and leaves no process behind', async () => {
    const children = latchkey.process.children();
    expect(await latchkey.process.kill('SIGTERM')).toBe(0);
    for (const pid of children) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
