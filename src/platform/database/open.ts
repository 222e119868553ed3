import { type Kysely, PostgresDialect, type Transaction } from 'kysely';
import type pg from 'pg';
import type { Database as Tables } from '../../../db/schema.ts';
import { atMost } from './at-most.ts';
import { HotConnection } from './hot-connection.ts';
import { JoiningKysely } from './joined.ts';
import { openPool } from './pool.ts';

export type Db = Kysely<Tables>;
export type Trx = Transaction<Tables>;

export type Database = {
  /** Typed queries for everything but the hot statements. */
  db: Db;
  /** The same connections, for libraries that bring their own SQL. */
  pool: pg.Pool;
  /** Opens one more pipelining connection, closed with the rest. */
  openHotConnection: () => HotConnection;
  close: () => Promise<void>;
};

export type DatabaseOptions = {
  url: string;
  poolSize: number;
  preparedStatements: boolean;
  /** Milliseconds that a connection or an answer may take: little for requests, which are refused rather than kept waiting. */
  patienceMs?: number;
};

const queryTimeoutMs = 1500;
const lockTimeoutMs = 1000;
const farewellMs = 1000;
const readTimeout = 'Query read timeout';
const readOnly = '25006';

/** Opens the connections to PostgreSQL; nothing is sent before the first query. */
export function openDatabase({
  url,
  poolSize,
  preparedStatements,
  patienceMs = queryTimeoutMs,
}: DatabaseOptions): Database {
  const pool = openPool({
    connectionString: url,
    max: poolSize,
    application_name: 'latchkey',
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
    // Whoever waits for a row gives its connection back before the others, which need no such row, run out of patience.
    // A pooler refuses start-up options; there it is set on the role (docs/operations.md).
    ...(preparedStatements ? { options: `-c lock_timeout=${lockTimeoutMs}` } : {}),
    keepAlive: true,
  });
  const open = new Set<pg.PoolClient>();
  pool.on('connect', (client) => open.add(leavingWhenSilent(client)));
  pool.on('remove', (client) => open.delete(client));
  const db = new JoiningKysely({ dialect: new PostgresDialect({ pool }) });
  const hot: HotConnection[] = [];
  return {
    db,
    pool,
    openHotConnection: () => {
      const connection = new HotConnection({ url, prepared: preparedStatements, queryTimeoutMs });
      hot.push(connection);
      return connection;
    },
    close: async () => {
      await Promise.all(hot.map((connection) => connection.close()));
      await atMost(farewellMs, db.destroy());
      for (const client of open) breakOff(client);
    },
  };
}

/**
 * A connection that left a statement unanswered is closed: in the pool it would be handed out again and again, and where the
 * other end is gone without a word (a failover, a cut cable) nothing else ends it for many minutes. So is one to a server that
 * may only read: the primary is elsewhere by now.
 */
function leavingWhenSilent(client: pg.PoolClient): pg.PoolClient {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const impatient = (...given: unknown[]) => {
    const answer = query(...given);
    if (answer instanceof Promise) answer.catch((error: unknown) => isUseless(error) && breakOff(client));
    return answer;
  };
  client.query = impatient as typeof client.query;
  return client;
}

function isUseless(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message === readTimeout || ('code' in error && error.code === readOnly);
}

function breakOff(client: pg.PoolClient): void {
  (client as pg.PoolClient & { connection: pg.Connection }).connection.stream.destroy();
}
