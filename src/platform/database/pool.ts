import pg from 'pg';

/**
 * A pool that outlives its connections: one that breaks is replaced at the next use. node-postgres also tells of it as an event,
 * on the pool for a connection that is idle and on the connection itself while it is lent out; unheard, that ends the process.
 * The user of the connection gets the error from the query.
 */
export function openPool(settings: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(settings);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
