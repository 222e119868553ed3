import { randomBytes } from 'node:crypto';
import pg from 'pg';

export type TestDatabase = {
  url: string;
  query: (text: string, values?: unknown[]) => Promise<pg.QueryResult>;
  drop: () => Promise<void>;
};

/** A new, empty database. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = process.env.LATCHKEY_TEST_ADMIN_URL ?? '';
  const name = `test_${randomBytes(8).toString('hex')}`;
  await once(adminUrl, `create database ${name}`);
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  return {
    url,
    query: (text, values) => once(url, text, values),
    drop: async () => void (await once(adminUrl, `drop database ${name} with (force)`)),
  };
}

async function once(connectionString: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}
