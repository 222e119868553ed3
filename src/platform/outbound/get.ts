import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { addressGuard } from './address-guard.ts';
import type { LookUpBounds } from './look-up.ts';
import { userAgent } from './user-agent.ts';

/** A body, and the headers that came with it. */
export type Got = { headers: IncomingHttpHeaders; body: Buffer };
export type Getting = (url: string) => Promise<Got>;

type Bounds = LookUpBounds & {
  allowLoopback: boolean;
  maxBytes: number;
  /** The media type that is asked for. */
  accept?: string;
};

/**
 * Makes a GET from addresses that others chose: over TLS, without redirects, with a bound on time and size. `allowLoopback` is for
 * development, where plain http is read from this machine, too.
 *
 * @returns a function that resolves to the answer; it rejects with a TypeError for a refused address, with an Error for any status but
 *   200 (`UnexpectedStatus`), a body over the bound, and what went wrong on the way
 */
export function guardedGet({ allowLoopback, maxBytes, accept = '*/*', ...bounds }: Bounds): Getting {
  const { timeoutMs } = bounds;
  const guard = addressGuard({ allowLoopback, ...bounds });
  return (url) =>
    new Promise((resolve, reject) => {
      const { protocol, hostname, username } = new URL(url);
      const isAllowed = protocol === 'https:' || (allowLoopback && protocol === 'http:');
      if (!isAllowed || username !== '') throw new TypeError('only https addresses without credentials are read');
      guard.mustBeAllowed(hostname);
      const request = protocol === 'https:' ? requestHttps : requestHttp;
      // Bytes as they are: a compressed body could be far larger than what was received.
      const headers = { accept, 'accept-encoding': 'identity', 'user-agent': userAgent };
      const signal = AbortSignal.timeout(timeoutMs);
      request(url, { headers, lookup: guard.lookup, signal, agent: false }, (response) => {
        bodyOf(response, maxBytes).then((body) => resolve({ headers: response.headers, body }), reject);
      })
        .on('error', reject)
        .end();
    });
}

/** An answer with another status than 200. */
export class UnexpectedStatus extends Error {
  override name = 'UnexpectedStatus';
  readonly status: number;

  constructor(status: number) {
    super(`answered ${status}`);
    this.status = status;
  }
}

/** An answer over the bound. */
export class TooLarge extends Error {
  override name = 'TooLarge';
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new UnexpectedStatus(response.statusCode ?? 0);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    // Leaving the loop destroys the connection.
    if (bytes > maxBytes) throw new TooLarge(`answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
