import { once } from 'node:events';
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import type pg from 'pg';
import type { Database as Tables } from '../../../db/schema.ts';
import { AbandonedConnections } from './abandoned-connections.ts';
import { atMost } from './at-most.ts';
import { Commits } from './commits.ts';
import { HotConnection } from './hot-connection.ts';
import { openPool } from './pool.ts';
import { isConnectionFailure } from './unavailable.ts';

export type Db = Kysely<Tables>;
export type Trx = Transaction<Tables>;

export type Database = {
  /** Typed queries for everything but the hot statements. */
  db: Db;
  /** The same connections, for libraries that bring their own SQL. */
  pool: pg.Pool;
  /** Reads that must not wait behind writes: for readiness and the change feed. It is never used to write. */
  watch: HotConnection;
  /** Whether writes take effect. */
  commits: Commits;
  /** The number of abandoned connections that PostgreSQL still holds. */
  abandoned: () => number;
  /** Opens one more pipelining connection, closed with the rest. */
  openHotConnection: () => HotConnection;
  close: () => Promise<void>;
};

export type DatabaseOptions = {
  url: string;
  poolSize: number;
  preparedStatements: boolean;
  /** Milliseconds that a connection or a response may take: short for requests, which are refused rather than kept waiting. */
  timeoutMs?: number;
  /** The same for the typed queries alone. */
  poolTimeoutMs?: number;
};

const defaultTimeoutMs = 1500;
const farewellMs = 1000;
const readOnly = '25006';

/** Opens the connections to PostgreSQL; nothing is sent before the first query. */
export function openDatabase({
  url,
  poolSize,
  preparedStatements,
  timeoutMs = defaultTimeoutMs,
  poolTimeoutMs = timeoutMs,
}: DatabaseOptions): Database {
  const openHot = (waitsForRelease: boolean) =>
    new HotConnection({
      url,
      prepared: preparedStatements,
      queryTimeoutMs: timeoutMs,
      abandoned: () => abandoned,
      waitsForRelease,
    });
  const watch = openHot(false);
  const abandoned = new AbandonedConnections(async (statement) => firstOf(await watch.run([statement])));
  const pool = openPool({
    connectionString: url,
    max: poolSize,
    application_name: 'latchkey',
    connectionTimeoutMillis: poolTimeoutMs,
    query_timeout: poolTimeoutMs,
    // A query that waits for a row returns its connection before others time out waiting for one.
    // A pooler refuses start-up options; there it is set on the role (docs/operations.md).
    ...(preparedStatements ? { options: `-c lock_timeout=${Math.ceil((timeoutMs * 2) / 3)}` } : {}),
    keepAlive: true,
  });
  const commits = new Commits(() => pool.query(probe));
  const leaving = leavingPool(pool, abandoned);
  pool.on('connect', (client) => watchOver(client, commits, leaving.abandon));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const hot: HotConnection[] = [];
  return {
    ...{ db, pool, watch, commits },
    abandoned: () => abandoned.count(),
    openHotConnection: () => {
      const connection = openHot(true);
      hot.push(connection);
      return connection;
    },
    close: async () => {
      commits.close();
      await Promise.all(hot.map((connection) => connection.close()));
      await atMost(farewellMs, db.destroy().then(leaving.ended));
      leaving.abandonAll();
      await atMost(farewellMs, abandoned.settled());
      abandoned.close();
      await watch.close();
    },
  };
}

/** Writes to the log of changes alone, and waits as every commit does. */
const probe = `select pg_logical_emit_message(true, 'latchkey', 'are writes committed?')`;

function firstOf<Value>([first]: Value[]): Value {
  if (first === undefined) throw new Error('no answer');
  return first;
}

/**
 * A connection that left a statement unanswered is closed: in the pool it would be handed out again and again, and if the peer disappeared
 * without closing it (a failover, a cut cable) nothing else closes it for many minutes. So is one to a server that may only read: the
 * primary is elsewhere by now. Until PostgreSQL has released it the pool is smaller by one, so that there are never more connections than
 * were allowed.
 */
function leavingPool(pool: pg.Pool, abandoned: AbandonedConnections) {
  const open = new Set<pg.PoolClient>();
  const abandon = (client: pg.PoolClient) => {
    breakOff(client);
    if (!open.delete(client)) return;
    pool.options.max -= 1;
    void abandoned.released(client).then(() => {
      pool.options.max += 1;
      // The pool notices a free place only at the next request for a connection; waiting requests came before.
      if (pool.waitingCount > 0) void pool.connect().then((other) => other.release(), ignored);
    });
  };
  pool.on('connect', (client) => {
    open.add(client);
    abandoned.opened(client);
  });
  // Errors of `pool.query` are reported only here.
  pool.on('release', (error: unknown, client) => isUseless(error) && abandon(client));
  pool.on('remove', (client) => open.delete(client));
  return {
    abandon,
    /** Resolves once no connection is left; the pool reports its end before its connections are closed. */
    ended: async () => {
      while (open.size > 0) await once(pool, 'remove');
    },
    abandonAll: () => {
      for (const client of [...open]) abandon(client);
    },
  };
}

const ignored = () => undefined;

/** Observes the responses on a connection of the pool. */
function watchOver(client: pg.PoolClient, commits: Commits, abandon: (client: pg.PoolClient) => void): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const observed = (...given: unknown[]) => {
    const answer = query(...given);
    if (!(answer instanceof Promise)) return answer;
    answer.then(
      (result: pg.QueryResult) => commits.observe(client, given[0], result),
      (error: unknown) => {
        commits.observe(client, given[0], { error });
        if (isUseless(error)) abandon(client);
      },
    );
    return answer;
  };
  client.query = observed as typeof client.query;
}

/** An error that the server reports leaves the connection usable, unless it is fatal. */
function isUseless(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!('severity' in error)) return isConnectionFailure(error);
  return error.severity !== 'ERROR' || ('code' in error && error.code === readOnly);
}

function breakOff(client: pg.PoolClient): void {
  (client as pg.PoolClient & { connection: pg.Connection }).connection.stream.destroy();
}
