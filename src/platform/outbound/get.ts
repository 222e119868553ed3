import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { addressGuard } from './address-guard.ts';
import type { LookUpBounds } from './look-up.ts';
import { userAgent } from './user-agent.ts';
import { conditionsOf, isOtherAnswer, type Validators } from './validators.ts';

/** A body, and the headers of its response. */
export type Got = { headers: IncomingHttpHeaders; body: Buffer };
export type Getting = (url: string) => Promise<Got>;

type Bounds = LookUpBounds & {
  allowLoopback: boolean;
  maxBytes: number;
  /** The requested media type. */
  accept?: string;
};

/** The server confirmed that an earlier response is still current. */
export type NotModified = { headers: IncomingHttpHeaders; body: undefined };
/** @param validators of the known response; without any, the response has a body */
export type Revalidating = (url: string, validators: Validators) => Promise<Got | NotModified>;

/**
 * Sends a GET to addresses that others chose: over TLS, without redirects, limited in time and size. `allowLoopback` is for development,
 * where plain http is allowed to this machine, too.
 *
 * @returns a function that resolves to the response; it rejects with a TypeError for a refused address, with an Error for any status but
 *   200 (`UnexpectedStatus`), a body over the limit, and network failures
 */
export function guardedGet(bounds: Bounds): Getting {
  const answer = guardedRequest(bounds);
  return async (url) => read(await answer(url, {}), bounds);
}

async function read(response: IncomingMessage, { maxBytes }: Pick<Bounds, 'maxBytes'>): Promise<Got> {
  return { headers: response.headers, body: await bodyOf(response, maxBytes) };
}

/**
 * The same with revalidation: the server is asked whether a known response is still current (RFC 9110 §13.1). If it confirms another
 * response (RFC 9111 §4.3.4), it is asked once more, for a body.
 */
export function guardedRevalidation(bounds: Bounds): Revalidating {
  const answer = guardedRequest(bounds);
  return async (url, validators) => {
    const conditions = conditionsOf(validators);
    const response = await answer(url, conditions);
    const { headers, statusCode } = response;
    if (statusCode !== 304 || Object.keys(conditions).length === 0) return read(response, bounds);
    response.destroy();
    return isOtherAnswer(headers, validators) ? read(await answer(url, {}), bounds) : { headers, body: undefined };
  };
}

function guardedRequest({ allowLoopback, maxBytes: _, accept = '*/*', ...bounds }: Bounds) {
  const { timeoutMs } = bounds;
  const guard = addressGuard({ allowLoopback, ...bounds });
  return (url: string, more: Record<string, string>) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { protocol, hostname, username } = new URL(url);
      const isAllowed = protocol === 'https:' || (allowLoopback && protocol === 'http:');
      if (!isAllowed || username !== '') throw new TypeError('only https addresses without credentials are read');
      guard.mustBeAllowed(hostname);
      const request = protocol === 'https:' ? requestHttps : requestHttp;
      // Uncompressed: a compressed body could be far larger than its transfer size.
      const headers = { accept, 'accept-encoding': 'identity', 'user-agent': userAgent, ...more };
      const signal = AbortSignal.timeout(timeoutMs);
      request(url, { headers, lookup: guard.lookup, signal, agent: false }, resolve).on('error', reject).end();
    });
}

/** A response with another status than 200. */
export class UnexpectedStatus extends Error {
  override name = 'UnexpectedStatus';
  readonly status: number;

  constructor(status: number) {
    super(`answered ${status}`);
    this.status = status;
  }
}

/** A response over the limit. */
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
