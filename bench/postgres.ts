import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres/index.ts';

export type BenchPostgres = {
  version: string;
  pid: number;
  /** Creates an empty database, unless it exists, and returns its URL. */
  createDatabase: (name: string) => Promise<string>;
  /** The number of transactions that have written so far, in all databases. */
  writingTransactions: () => Promise<number>;
  close: () => Promise<void>;
};

/** A separate PostgreSQL, durable by default; in a temporary folder, or in one that is kept with its databases. */
export async function openBenchPostgres(kept?: string): Promise<BenchPostgres> {
  const dataDir = kept ?? (await mkdtemp(path.join(os.tmpdir(), 'latchkey-bench-')));
  const server = await openEmbeddedPostgres({ dataDir });
  const pid = Number.parseInt(await readFile(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10);
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  return {
    version: server.version,
    pid,
    createDatabase: async (name) => {
      const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
      if (!rowCount) await client.query(`create database ${name}`);
      return Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
    },
    // Read-only transactions get no number; statistics (pg_stat_database) would be up to ten seconds late.
    writingTransactions: async () => {
      const next = await client.query('select pg_snapshot_xmax(pg_current_snapshot())::text as xid');
      return Number(next.rows[0].xid);
    },
    close: async () => {
      await client.end();
      await server.close();
      if (!kept) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
