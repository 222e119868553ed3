import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { isConnectionFailure, isOutage } from './unavailable.ts';

const attemptMs = 1500;
const pauseMs = 250;

/** How long a start waits for the database, and what ends the waiting before that. */
export type Patience = { seconds: number; signal?: AbortSignal | undefined };

/**
 * Waits for a database that does not answer yet, or takes no writes yet: in a deployment it often starts beside its servers, or
 * after them, and a failover takes a while.
 *
 * @param tell hears once why there is something to wait for
 * @throws what the last attempt failed with, when it is not there in time; at once what no waiting would mend, and the signal's reason
 */
export async function waitForDatabase(url: string, patience: Patience, tell: (reason: string) => void): Promise<void> {
  let isTold = false;
  await repeatedly(
    patience,
    () => knock(url),
    (error) => {
      if (!isLate(error)) return false;
      if (!isTold) tell(reasonOf(error));
      isTold = true;
      return true;
    },
  );
}

/**
 * What has to be done before a server can start, tried again while the database is away, slow or locked: a request would rather be
 * refused than wait, a start would not. `work` is done by transactions that may be repeated.
 *
 * @throws what the last attempt failed with, when it is not done in time; at once what no waiting would mend, and the signal's reason
 */
export async function persistently<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  return repeatedly(patience, work, isOutage);
}

async function repeatedly<T>(
  { seconds, signal }: Patience,
  work: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
): Promise<T> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await unlessAborted(signal, work);
    } catch (error) {
      if (signal?.aborted || performance.now() > until || !mayPass(error)) throw error;
    }
    await sleep(pauseMs, undefined, signal ? { signal } : {});
  }
}

/** An attempt may take as long as a lock is held; nobody waits for it once it is not wanted any more. */
async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (!signal) return work();
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** As PostgreSQL itself says it of a write: a replica that is about to be promoted, most often. */
class ReadOnlyError extends Error {
  readonly code = '25006';
}

async function knock(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: attemptMs, query_timeout: attemptMs });
  // connect() tells of a refused connection; unheard, the same told as an event would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(`select current_setting('transaction_read_only')::boolean as is_read_only`);
    if (rows[0].is_read_only) throw new ReadOnlyError('it takes no writes');
  } finally {
    client.connection.stream.destroy();
  }
}

/** Its name may be unknown until it starts. */
function isLate(error: unknown): boolean {
  return isConnectionFailure(error) || (error instanceof Error && 'code' in error && error.code === 'EAI_AGAIN');
}

/** What happened, in one line. */
export function reasonOf(error: unknown): string {
  const causes: unknown[] = error instanceof AggregateError ? error.errors : [error];
  return causes.map((cause) => (cause instanceof Error ? cause.message : String(cause))).join(', ');
}
