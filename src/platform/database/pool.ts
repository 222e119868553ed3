import pg from 'pg';

/**
 * How long a connection may be idle. Longer than node-postgres's ten seconds: a new one costs PostgreSQL and us as much as many requests,
 * and a server with few requests would open one for most of them.
 */
export const idleConnectionMs = 300_000;

/**
 * A pool that outlives its connections: a broken one is replaced at the next use. node-postgres also emits the error as an event, on the
 * pool for an idle connection and on the connection itself while it is in use; without a listener that ends the process. The user of the
 * connection gets the error from the query.
 */
export function openPool(settings: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ idleTimeoutMillis: idleConnectionMs, ...settings });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
