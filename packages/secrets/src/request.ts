/** The refusal of the server, or that it cannot be reached (`status` undefined). */
export class SecretsError extends Error {
  override name = 'SecretsError';
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }

  /** Whether it may be temporary: the server cannot be reached, is overloaded or sealed. */
  get mayPass(): boolean {
    return this.status === undefined || this.status === 429 || this.status >= 500;
  }
}

export type Answer = { status: number; body: unknown };
export type Sending = (path: string, init: RequestInit) => Promise<Answer>;

const patienceMs = 40_000;

/** Sends requests to a server. @throws SecretsError: it refuses, or cannot be reached; the error of `fetch` if `signal` aborts it */
export function sender(url: string, signal: AbortSignal): Sending {
  const { protocol, hostname, origin, pathname } = new URL(url);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !isHere)
    throw new SecretsError('Tokens are sent only to https addresses, or to this machine.');
  const base = `${origin}${pathname.replace(/\/$/, '')}`;
  return async (path, init) => {
    const own = init.signal ? [init.signal] : [];
    const within = AbortSignal.any([signal, AbortSignal.timeout(patienceMs), ...own]);
    const response = await fetch(`${base}/v1/${path}`, { ...init, redirect: 'error', signal: within }).catch(() => {
      throw new SecretsError(signal.aborted ? 'The client was closed.' : `${origin} cannot be reached.`);
    });
    const text = await response.text();
    if (response.ok) return { status: response.status, body: text ? JSON.parse(text) : undefined };
    throw new SecretsError(`${origin} answered ${response.status} for ${path.split('?', 1)[0]}.`, response.status);
  };
}
