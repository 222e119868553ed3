import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import type { Database as Tables } from '../../../db/schema.ts';
import { HotConnection } from './hot-connection.ts';

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

export type DatabaseOptions = { url: string; poolSize: number; preparedStatements: boolean };

const queryTimeoutMs = 1500;

/** Opens the connections to PostgreSQL; nothing is sent before the first query. */
export function openDatabase({ url, poolSize, preparedStatements }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    application_name: 'latchkey',
    connectionTimeoutMillis: queryTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced at the next use; unheard, its error would end the process.
  pool.on('error', () => undefined);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
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
      await db.destroy();
    },
  };
}
