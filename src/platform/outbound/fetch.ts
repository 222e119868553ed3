import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { type AddressGuard, addressGuard } from './address-guard.ts';
import { userAgent } from './user-agent.ts';

export type Fetching = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const timeoutMs = 3000;
/** Responses with these statuses have no body (Fetch Standard, "null body status"). */
const withoutBody: readonly (number | undefined)[] = [204, 205, 304];

/**
 * Creates a `fetch` that connects to public addresses only, and to the address that was checked, however the name resolves a moment later.
 * `allowLoopback` is for development, where clients run on the same machine.
 *
 * The fetch rejects with TypeError for a refused address, with Error for a timeout; a redirect is a response.
 */
export function guardedFetch({ allowLoopback }: { allowLoopback: boolean }): Fetching {
  const guard = addressGuard({ allowLoopback, timeoutMs });
  return async (input, init = {}) => {
    const { protocol, hostname } = new URL(input instanceof Request ? input.url : input);
    if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError('only http and https addresses are fetched');
    guard.mustBeAllowed(hostname);
    // The dispatcher is chosen here, independent of the library's own.
    const { dispatcher: _, ...options } = init as RequestInit & { dispatcher?: unknown };
    const request = new Request(input, options);
    return send(guard, request, Buffer.from(await request.arrayBuffer()));
  };
}

function send(guard: AddressGuard, { url, method, headers }: Request, body: Buffer): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp;
    const length = body.length > 0 ? { 'content-length': String(body.length) } : {};
    // Uncompressed: a compressed body could be far larger than its transfer size.
    const sent = { 'user-agent': userAgent, ...Object.fromEntries(headers), 'accept-encoding': 'identity', ...length };
    const signal = AbortSignal.timeout(timeoutMs);
    request(url, { method, headers: sent, lookup: guard.lookup, signal, agent: false }, (message) => {
      try {
        resolve(responseOf(message));
      } catch (error) {
        message.destroy();
        reject(error);
      }
    })
      .on('error', reject)
      .end(body);
  });
}

function responseOf(message: IncomingMessage): Response {
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const status = message.statusCode ?? 0;
  if (!withoutBody.includes(status)) return new Response(stream(message), { status, headers });
  message.destroy();
  return new Response(null, { status, headers });
}

const stream = (message: IncomingMessage) => Readable.toWeb(message) as ReadableStream<Uint8Array<ArrayBuffer>>;
