import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openEmbeddedPostgres } from '../../src/platform/embedded-postgres/index.ts';

/** One PostgreSQL cluster for the whole run; every test file gets its own database in it. */
export default async function setUp(): Promise<void> {
  if (process.env.LATCHKEY_TEST_DATABASE_URL) {
    process.env.LATCHKEY_TEST_ADMIN_URL = process.env.LATCHKEY_TEST_DATABASE_URL;
    return;
  }
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'latchkey-test-'));
  const postgres = await openEmbeddedPostgres({ dataDir, settings: { max_connections: '400', fsync: 'off' } });
  process.env.LATCHKEY_TEST_ADMIN_URL = postgres.url;
  (globalThis as { stopTestPostgres?: () => Promise<void> }).stopTestPostgres = async () => {
    await postgres.close();
    await rm(dataDir, { recursive: true, force: true });
  };
}
