/** The database cannot be reached, is silent, or went away in the middle: whether anything took effect is unknown. */
export class DatabaseUnavailableError extends Error {
  override name = 'DatabaseUnavailableError';

  constructor(cause: unknown) {
    super('the database is unavailable', { cause });
  }
}

/** Lost or refused connections, and a server that is starting, stopping, full or frozen (SQLSTATE classes 08, 53, 57, 58). */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^(080|53|57|58)/.test(code) || /^E[A-Z]+$/.test(code) || connectionMessage.test(error.message);
}

const connectionMessage =
  /^(Query read timeout|Connection terminated|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|The server does not support)/;
