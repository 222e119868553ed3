import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { clusterName } from './cluster.ts';
import { EmbeddedPostgresError, systemCode } from './embedded-postgres-error.ts';

type Server = { port: number; password: string; hasEnded: () => Promise<boolean> };

// Recovery after a crash may take a while.
const patienceMs = 60_000;

/** The address of the database; the password needs no escaping. */
export function databaseUrl(port: number, password: string, database = clusterName): string {
  return `postgres://${clusterName}:${password}@127.0.0.1:${port}/${database}`;
}

/**
 * Waits until the server answers.
 *
 * @returns its version, or undefined when it exited instead
 * @throws EmbeddedPostgresError when it refuses the connection, or does not answer for a minute
 */
export async function untilReady({ port, password, hasEnded }: Server): Promise<string | undefined> {
  for (const until = performance.now() + patienceMs; ; await sleep(15)) {
    const isLastTry = performance.now() > until;
    try {
      return await askServer(port, password);
    } catch (error) {
      if (systemCode(error) === '28P01')
        throw new EmbeddedPostgresError('PostgreSQL does not take the password in postgres.json: restore that file.');
      if (await hasEnded()) return undefined;
      if (isLastTry)
        throw new EmbeddedPostgresError(
          `PostgreSQL runs but does not answer: ${error instanceof Error ? error.message : error}.`,
        );
    }
  }
}

async function askServer(port: number, password: string): Promise<string> {
  try {
    return await queryOne(databaseUrl(port, password), 'show server_version');
  } catch (error) {
    // A crash may have come between the cluster and its database.
    if (systemCode(error) !== '3D000') throw error;
    await queryOne(databaseUrl(port, password, 'postgres'), `create database ${clusterName}`);
    return queryOne(databaseUrl(port, password), 'show server_version');
  }
}

async function queryOne(connectionString: string, sql: string): Promise<string> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000, query_timeout: 30_000 });
  // connect() also reports a refused connection; the same error as an event without a listener would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, string>>(sql);
    return Object.values(rows[0] ?? {})[0] ?? '';
  } finally {
    await client.end();
  }
}
