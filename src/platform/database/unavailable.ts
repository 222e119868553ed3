/** The database cannot be reached, does not answer, or was lost during the request: whether anything took effect is unknown. */
export class DatabaseUnavailableError extends Error {
  override name = 'DatabaseUnavailableError';

  constructor(cause: unknown) {
    super('the database is unavailable', { cause });
  }
}

/**
 * Lost or refused connections, and a server that is starting, stopping, full or frozen (SQLSTATE classes 08, 53, 57, 58), or
 * that may only read, as the old primary after a failover (25006).
 */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    /^(080|25006|53|57|58)/.test(code) ||
    lostConnection.test(code) ||
    ('syscall' in error && error.syscall === 'connect') ||
    connectionMessage.test(error.message)
  );
}

/**
 * Whether the same request may succeed in a moment: the database is unavailable, its rows were locked by others (classes 40, 55), or a
 * table lacks the partition for a row, such as the audit log that of this month.
 */
export function isOutage(error: unknown): boolean {
  return isConnectionFailure(error) || isContention(error) || lacksPartition(error);
}

/** PostgreSQL reports it as a violated check without a constraint name. */
function lacksPartition(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === '23514' &&
    /^no partition of relation/.test(error.message)
  );
}

/**
 * Serialization failures, deadlocks and lock timeouts (SQLSTATE 40xxx, 55P03), and an audit event of a node whose clock has just
 * jumped and is not set right yet (LK001, 0020_guarded_audit_log.ts).
 */
export function isContention(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(40|55P03|LK001)/.test(error.code)
  );
}

// Errors of the system that a file can have too, such as ENOENT, count only if a connection was being opened.
const lostConnection =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|E(HOST|NET)(UNREACH|DOWN)|ENOTCONN|ENOTFOUND|ERR_STREAM_(DESTROYED|WRITE_AFTER_END))$/;

const connectionMessage =
  /^(Query read timeout|Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|The server does not support)/;
