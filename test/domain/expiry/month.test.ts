import { eventually } from '../../support/eventually.ts';
import { queueJob } from '../../support/jobs.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { report, rounds } from '../../support/report.ts';

const daySeconds = 86_400;
/** An unused family or session expires after a day, and its rows are deleted two days later. */
const settledDay = 4;
const days = Math.min(settledDay + rounds(2), 30);
const perDay = 3;

const tables = [
  ...['access_tokens', 'jwt_access_tokens', 'authorization_codes', 'device_codes', 'pushed_requests', 'interactions'],
  ...['session_ids', 'sessions', 'session_clients', 'refresh_families', 'grants', 'consents', 'replay_detection'],
];

describe('use over many days', () => {
  const env = {
    LATCHKEY_REFRESH_TOKEN_IDLE_SECONDS: String(daySeconds / 2),
    LATCHKEY_REFRESH_TOKEN_ABSOLUTE_SECONDS: String(daySeconds),
    LATCHKEY_SESSION_SECONDS: String(daySeconds / 2),
  };
  const latchkey = startLatchkey({ env });

  async function useFor(times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      const { refresh_token } = await latchkey.tokens({ scope: 'openid profile offline_access read' });
      await latchkey.refresh(refresh_token);
      await latchkey.code({}, latchkey.browser(), 'bob');
      await latchkey.clientCredentials();
      await latchkey.clientCredentials({ resource: 'https://jwt.example' });
      await latchkey.post('/oauth/device_authorization', { scope: 'openid' }, 'television');
      await latchkey.post('/oauth/par', new URL(latchkey.authorizeUrl()).searchParams, 'web-app');
      await latchkey.browser().get(latchkey.authorizeUrl());
    }
  }

  /** Runs the removal of expired rows, and resolves when it is done. */
  async function removeExpired(): Promise<void> {
    const { query } = latchkey.database;
    const id = await queueJob({ query }, 'remove-expired');
    const done = `select from pgboss.job where id = $1 and state = 'completed'`;
    await eventually(
      () => query(done, [id]),
      ({ rowCount }) => rowCount === 1,
      { withinMs: 120_000 },
    );
    // Autovacuum would run many times on a real day.
    await query(`vacuum ${tables.join(', ')}`);
  }

  async function measured(): Promise<{ rows: Record<string, number>; bytes: number }> {
    const counts = tables.map((table) => `'${table}', (select count(*) from ${table})`).join(', ');
    const sizes = tables.map((table) => `pg_total_relation_size('${table}')`).join(' + ');
    const { rows } = await latchkey.database.query(
      `select json_build_object(${counts}) as rows, (${sizes})::int as bytes`,
    );
    return rows[0];
  }

  test(
    'leaves no more rows and no larger tables than the days before',
    async () => {
      const evenings: Awaited<ReturnType<typeof measured>>[] = [];
      for (let day = 1; day <= days; day += 1) {
        await useFor(perDay);
        await latchkey.advance(daySeconds);
        await removeExpired();
        evenings.push(await measured());
      }
      const [settled, last] = [evenings[settledDay - 1], evenings.at(-1)];
      const total = (rows = {}) => Object.values<number>(rows).reduce((sum, count) => sum + count, 0);
      report(`${days} days: ${evenings.map(({ rows }) => total(rows)).join(', ')} rows in the evenings`);
      report(
        `${days} days: tables of ${settled?.bytes} bytes after day ${settledDay}, of ${last?.bytes} after the last`,
      );
      expect(last?.rows).toEqual(settled?.rows);
      expect(last?.bytes).toBeLessThanOrEqual(1.2 * (settled?.bytes ?? 0));
    },
    240_000 + days * 10_000,
  );
});
