import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { addressGuard } from './address-guard.ts';

export type Getting = (url: string) => Promise<Buffer>;

/**
 * Makes a GET from addresses that others chose: over TLS, without redirects, with a bound on time and size. `allowLoopback` is for
 * development, where plain http is read from this machine, too.
 *
 * @returns a function that resolves to the body; it rejects with a TypeError for a refused address, with an Error for any status but
 *   200, a body over the bound, and what went wrong on the way
 */
export function guardedGet({
  allowLoopback,
  timeoutMs,
  maxBytes,
}: {
  allowLoopback: boolean;
  timeoutMs: number;
  maxBytes: number;
}): Getting {
  const guard = addressGuard({ allowLoopback });
  return (url) =>
    new Promise((resolve, reject) => {
      const { protocol, hostname, username } = new URL(url);
      const isAllowed = protocol === 'https:' || (allowLoopback && protocol === 'http:');
      if (!isAllowed || username !== '') throw new TypeError('only https addresses without credentials are read');
      guard.mustBeAllowed(hostname);
      const request = protocol === 'https:' ? requestHttps : requestHttp;
      // Bytes as they are: a compressed body could be far larger than what was received.
      const headers = { accept: '*/*', 'accept-encoding': 'identity' };
      const signal = AbortSignal.timeout(timeoutMs);
      request(url, { headers, lookup: guard.lookup, signal, agent: false }, (response) => {
        bodyOf(response, maxBytes).then(resolve, reject);
      })
        .on('error', reject)
        .end();
    });
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`answered ${response.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    // Leaving the loop destroys the connection.
    if (bytes > maxBytes) throw new Error(`answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
