import { randomBytes } from 'node:crypto';
import pg from 'pg';

export type TestDatabase = {
  url: string;
  query: (text: string, values?: unknown[]) => Promise<pg.QueryResult>;
  /** Another database with the same content, as a backup would restore it; connections to this one are cut for a moment. */
  copy: () => Promise<TestDatabase>;
  drop: () => Promise<void>;
};

/** A new database: empty, or with the content of another that nobody is connected to. */
export async function createTestDatabase(
  adminUrl = process.env.LATCHKEY_TEST_ADMIN_URL ?? '',
  template = 'template1',
): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await once(adminUrl, `create database ${name} template ${template}`);
  return databaseOf(adminUrl, name);
}

function databaseOf(adminUrl: string, name: string): TestDatabase {
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  return {
    url,
    query: (text, values) => once(url, text, values),
    copy: async () => {
      const copy = `${name}_copy`;
      await once(adminUrl, `alter database ${name} allow_connections false`);
      await once(adminUrl, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      await once(adminUrl, `create database ${copy} template ${name}`);
      await once(adminUrl, `alter database ${name} allow_connections true`);
      return databaseOf(adminUrl, copy);
    },
    drop: async () => void (await once(adminUrl, `drop database ${name} with (force)`)),
  };
}

async function once(connectionString: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString });
  // A server that dies in the middle tells it as an event, too; the query fails anyway.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}

/** What nobody but a superuser can do, and nobody hears of. */
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
