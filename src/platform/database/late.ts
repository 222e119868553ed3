import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { isConnectionFailure, isOutage } from './unavailable.ts';

const attemptMs = 1500;
const pauseMs = 250;

/** How long a start waits for the database, and the signal that cancels the wait. */
export type Patience = { seconds: number; signal?: AbortSignal | undefined };

/**
 * Waits for a database that does not answer yet, or accepts no writes yet: in a deployment it often starts beside its servers, or after
 * them, and a failover takes a while.
 *
 * @param report is called once with the reason for the wait
 * @throws the error of the last attempt, when the time is over; at once an error that waiting cannot fix, and the signal's reason
 */
export async function waitForDatabase(
  url: string,
  patience: Patience,
  report: (reason: string) => void,
): Promise<void> {
  let isReported = false;
  await repeatedly(
    patience,
    () => knock(url),
    (error) => {
      if (!isLate(error)) return false;
      if (!isReported) report(reasonOf(error));
      isReported = true;
      return true;
    },
  );
}

/**
 * Work that must be done before a server can start, retried while the database is unavailable, slow or locked: a request should be refused
 * rather than wait, a start should wait. `work` uses transactions that may be repeated.
 *
 * @throws the error of the last attempt, when the time is over; at once an error that waiting cannot fix, and the signal's reason
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

/** An attempt may take as long as a lock is held; it is not awaited after a cancellation. */
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

/** PostgreSQL's own words for a refused write: most often a replica that is about to be promoted. */
class ReadOnlyError extends Error {
  readonly code = '25006';
}

async function knock(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: attemptMs, query_timeout: attemptMs });
  // connect() also reports a refused connection; the same error as an event without a listener would end the process.
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

/** The cause, in one line. */
export function reasonOf(error: unknown): string {
  const causes: unknown[] = error instanceof AggregateError ? error.errors : [error];
  return causes.map((cause) => (cause instanceof Error ? cause.message : String(cause))).join(', ');
}
