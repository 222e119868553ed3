import { randomBytes } from 'node:crypto';
import pg from 'pg';

export type TestDatabase = {
  url: string;
  query: (text: string, values?: unknown[]) => Promise<pg.QueryResult>;
  /** Another database with the same content, as a backup would restore it; connections to this one are cut for a moment. */
  copy: (suffix?: string) => Promise<TestDatabase>;
  /**
   * Moves the database's time. Work that is done meanwhile, such as moving the clocks of nodes, happens at the same moment: no node can
   * compare its clock with the database's in between.
   */
  advance: (seconds: number, meanwhile?: () => Promise<unknown>) => Promise<void>;
  drop: () => Promise<void>;
};

/** A new database: empty, or with the content of another one without connections. */
export async function createTestDatabase(
  adminUrl = process.env.LATCHKEY_TEST_ADMIN_URL ?? '',
  template = 'template1',
): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await queryOnce(adminUrl, `create database ${name} template ${template} strategy file_copy`);
  return databaseOf(adminUrl, name);
}

/** A new database in the state after a first start: migrated, with keys, and otherwise empty. */
export function createMigratedDatabase(): Promise<TestDatabase> {
  return createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
}

function databaseOf(adminUrl: string, name: string): TestDatabase {
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  // A test may stop a server that no other test uses, so each query to it opens a new connection.
  const pool = adminUrl === process.env.LATCHKEY_TEST_ADMIN_URL ? openPool(url) : undefined;
  return {
    url,
    query: (text, values) => (pool ? pool.query(text, values) : queryOnce(url, text, values)),
    copy: async (suffix = '_copy') => {
      const copy = `${name}${suffix}`;
      await queryOnce(adminUrl, `alter database ${name} allow_connections false`);
      await queryOnce(adminUrl, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      await queryOnce(adminUrl, `create database ${copy} template ${name} strategy file_copy`);
      await queryOnce(adminUrl, `alter database ${name} allow_connections true`);
      return databaseOf(adminUrl, copy);
    },
    advance: (seconds, meanwhile = async () => undefined) => advanceDatabase(url, seconds, meanwhile),
    drop: async () => {
      await pool?.end();
      await queryOnce(adminUrl, `drop database ${name} with (force)`);
    },
  };
}

function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, allowExitOnIdle: true, idleTimeoutMillis: 0 });
  // Tests also cut connections.
  pool.on('error', () => undefined);
  return pool;
}

async function advanceDatabase(url: string, seconds: number, meanwhile: () => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin; lock table change_counter in access exclusive mode');
    const { rows } = await client.query(
      'select extract(epoch from latchkey_now() - clock_timestamp())::float8 as offset',
    );
    await client.query(`create or replace function latchkey_now() returns timestamptz language sql volatile
      as $$ select clock_timestamp() + interval '${(Number(rows[0].offset) + seconds).toFixed(6)} seconds' $$`);
    await meanwhile();
    await client.query('commit');
  } finally {
    await client.end();
  }
}

export async function queryOnce(
  connectionString: string,
  text: string,
  values: unknown[] = [],
): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString });
  // A server that dies during a query also emits an event; the query fails anyway.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}

/** Runs a statement as a superuser without triggers, so that nothing is announced. */
export async function withoutTriggers({ url }: TestDatabase, statement: string, values: unknown[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("set session_replication_role = 'replica'");
    await client.query(statement, values);
  } finally {
    await client.end();
  }
}
