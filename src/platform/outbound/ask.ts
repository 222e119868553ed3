import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { addressGuard } from './address-guard.ts';
import { TooLarge } from './get.ts';
import { userAgent } from './user-agent.ts';

export type Question = {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** The CA certificates for the server, in PEM; undefined: those of Node. */
  ca?: string;
};
export type Asked = { status: number; body: Buffer };
export type Asking = (question: Question) => Promise<Asked>;

type Bounds = {
  allowLoopback: boolean;
  timeoutMs: number;
  maxBytes: number;
  /** Origins that the operator names, which may have any address. */
  namedOrigins: readonly string[];
};

/**
 * Sends a POST to addresses that others chose, and reads the response: over TLS, without redirects, limited in time and size, to public
 * addresses or to origins that the operator names. `allowLoopback` is for development, where plain http is allowed to this machine, too.
 *
 * @returns a function that resolves to any response; it rejects with a TypeError for a refused address, with an Error for a failure
 */
export function guardedAsk({ allowLoopback, timeoutMs, maxBytes, namedOrigins }: Bounds): Asking {
  const guard = addressGuard({ allowLoopback, timeoutMs });
  return ({ url, headers, body, ca }) =>
    new Promise((resolve, reject) => {
      const { protocol, hostname, username, origin } = new URL(url);
      const isAllowed = protocol === 'https:' || (allowLoopback && protocol === 'http:');
      if (!isAllowed || username !== '') throw new TypeError('only https addresses without credentials are asked');
      const isNamed = protocol === 'https:' && namedOrigins.includes(origin);
      if (!isNamed) guard.mustBeAllowed(hostname);
      const request = protocol === 'https:' ? requestHttps : requestHttp;
      const options = {
        ...{ method: 'POST', agent: false as const, signal: AbortSignal.timeout(timeoutMs) },
        headers: {
          'user-agent': userAgent,
          ...headers,
          'accept-encoding': 'identity',
          'content-length': Buffer.byteLength(body),
        },
        ...(!isNamed && { lookup: guard.lookup }),
        ...(ca !== undefined && { ca }),
      };
      request(url, options, (response) => {
        bodyOf(response, maxBytes).then((read) => resolve({ status: response.statusCode ?? 0, body: read }), reject);
      })
        .on('error', reject)
        .end(body);
    });
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
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
