import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { HeldStatement } from '../support/held-statement.ts';
import { api, clientSecrets, standardInstallation } from '../support/installation.ts';
import { basic } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';
import { beginServerProcess, runCommand, type ServerProcess, startServerProcess } from '../support/server.ts';

/** The number of tested positions among all definitions of a migration; the soak test covers many more. */
const steps = Math.min(rounds(2), 45);
const parts = Array.from({ length: steps }, (_, n) => ({
  percent: Math.round((100 * (n + 0.5)) / steps),
  isRolledBack: n % 2 === 0,
}));

const turns = Math.min(rounds(2), 60);
const timeoutMs = 240_000 + turns * 5000;

describe('a migration of an empty database whose server is killed', () => {
  let database: TestDatabase;
  let definitions = 0;
  let whole: string[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    const held = await HeldStatement.holdDefinition(database.url, 0);
    await (await start()).stop();
    definitions = await held.definitions();
    await held.release();
    whole = await schemaOf(database);
    await database.drop();
  });
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  const options = () => ({ databaseUrl: database.url, apply: standardInstallation });
  const start = () => startServerProcess(options());

  /** Kills a server at its nth definition while a second one is starting, which then has to complete its start alone. */
  async function killAt(nth: number, { isRolledBack }: { isRolledBack: boolean }): Promise<ServerProcess> {
    const held = await HeldStatement.holdDefinition(database.url, nth);
    const first = await beginServerProcess(options());
    await Promise.race([held.reached(), first.ready]);
    const second = await beginServerProcess(options());
    await isMigrating(database, 2);
    await first.kill('SIGKILL');
    if (isRolledBack) await held.rollBack();
    await held.release();
    return second.ready;
  }

  test.each(parts)('with $percent % of its definitions applied is completed by the other node', async (at) => {
    const nth = Math.max(1, Math.round((at.percent * definitions) / 100));
    const beside = await killAt(nth, at);
    expect(await faultsOf(beside)).toEqual([]);
    expect(await schemaOf(database)).toEqual(whole);
    await beside.stop();
    report(`migration killed at ${nth} of ${definitions} definitions, finished by the node beside it`);
  });

  test(
    'at any moment after its spawn is completed by the next start',
    async () => {
      const moments = Array.from({ length: turns }, (_, n) => 300 + (n * 1500) / turns + Math.random() * 300);
      for (const moment of moments) {
        const server = await beginServerProcess(options());
        await new Promise((resolve) => setTimeout(resolve, moment));
        await server.kill('SIGKILL');
      }
      const next = await start();
      expect(await faultsOf(next)).toEqual([]);
      expect(await schemaOf(database)).toEqual(whole);
      await next.stop();
      report(`migration killed ${moments.length} times in a row at moments of chance, finished by the next start`);
    },
    timeoutMs,
  );

  test.each(['server_keys', 'signing_keys', 'clients'])(
    'while its follow-up is written to %s, is completed by the next start',
    async (table) => {
      await runCommand(['migrate'], { env: { DATABASE_URL: database.url } });
      const held = await HeldStatement.hold(database.url, 'insert', table);
      const server = await beginServerProcess(options());
      await Promise.race([held.reached(), server.ready]);
      await server.kill('SIGKILL');
      await held.release();
      const next = await start();
      expect(await faultsOf(next)).toEqual([]);
      expect(await schemaOf(database)).toEqual([...whole, 'function test_hold()'].sort());
      await next.stop();
    },
  );
});

/** Resolves when this number of connections migrates. */
async function isMigrating({ query }: TestDatabase, count: number): Promise<void> {
  const text = `select from pg_stat_activity where datname = current_database() and application_name = 'latchkey migrate'`;
  await eventually(
    () => query(text),
    ({ rowCount }) => (rowCount ?? 0) >= count,
    { pauseMs: 10 },
  );
}

/** Defects of a server that has started. */
async function faultsOf({ issuer }: ServerProcess): Promise<string[]> {
  const ready = await fetch(`${issuer}/readyz`);
  const headers = { authorization: basic('service', clientSecrets.service) };
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource: api });
  const token = await fetch(`${issuer}/oauth/token`, { method: 'POST', headers, body });
  const found = { readyz: ready.status, token: token.status };
  return Object.entries(found).flatMap(([what, status]) => (status === 200 ? [] : [`${what} ${status}`]));
}

/** Everything that is defined in the database, one a line, and its recorded migrations and queues. */
async function schemaOf({ query }: TestDatabase): Promise<string[]> {
  const { rows } = await query(`
    select format('%s.%s %s %s %s', n.nspname, c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod)) as line
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'pgboss') and a.attnum > 0 and not a.attisdropped
    union all select format('%s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace in ('public'::regnamespace, 'pgboss'::regnamespace)
    union all select indexdef from pg_indexes where schemaname in ('public', 'pgboss')
    union all select format('function %s', oid::regprocedure) from pg_proc
      where pronamespace in ('public'::regnamespace, 'pgboss'::regnamespace)
    union all select format('migration %s', name) from kysely_migration
    union all select format('queue %s', name) from pgboss.queue
    union all select format('key for %s', purpose) from server_keys
    union all select format('signing key %s', alg) from signing_keys`);
  return rows.map(({ line }) => line).sort();
}
