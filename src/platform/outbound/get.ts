import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { addressGuard } from './address-guard.ts';
import type { LookUpBounds } from './look-up.ts';
import { userAgent } from './user-agent.ts';
import { conditionsOf, isOtherAnswer, type Validators } from './validators.ts';

/** A body, and the headers that came with it. */
export type Got = { headers: IncomingHttpHeaders; body: Buffer };
export type Getting = (url: string) => Promise<Got>;

type Bounds = LookUpBounds & {
  allowLoopback: boolean;
  maxBytes: number;
  /** The media type that is asked for. */
  accept?: string;
};

/** What a server says of an answer that it gave earlier: it is still the answer. */
export type NotModified = { headers: IncomingHttpHeaders; body: undefined };
/** @param validators of the answer that is known; without any, the answer has a body */
export type Revalidating = (url: string, validators: Validators) => Promise<Got | NotModified>;

/**
 * Makes a GET from addresses that others chose: over TLS, without redirects, with a bound on time and size. `allowLoopback` is for
 * development, where plain http is read from this machine, too.
 *
 * @returns a function that resolves to the answer; it rejects with a TypeError for a refused address, with an Error for any status but
 *   200 (`UnexpectedStatus`), a body over the bound, and what went wrong on the way
 */
export function guardedGet(bounds: Bounds): Getting {
  const answer = guardedRequest(bounds);
  return async (url) => {
    const response = await answer(url, {});
    return { headers: response.headers, body: await bodyOf(response, bounds.maxBytes) };
  };
}

/**
 * The same, of an answer that may be known: the server is asked whether it is still the answer (RFC 9110 §13.1). One that means another
 * answer (RFC 9111 §4.3.4) is asked once more, for a body.
 */
export function guardedRevalidation(bounds: Bounds): Revalidating {
  const answer = guardedRequest(bounds);
  const get = guardedGet(bounds);
  return async (url, validators) => {
    const conditions = conditionsOf(validators);
    const response = await answer(url, conditions);
    const { headers, statusCode } = response;
    if (statusCode !== 304 || Object.keys(conditions).length === 0)
      return { headers, body: await bodyOf(response, bounds.maxBytes) };
    response.destroy();
    return isOtherAnswer(headers, validators) ? get(url) : { headers, body: undefined };
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
      // Bytes as they are: a compressed body could be far larger than what was received.
      const headers = { accept, 'accept-encoding': 'identity', 'user-agent': userAgent, ...more };
      const signal = AbortSignal.timeout(timeoutMs);
      request(url, { headers, lookup: guard.lookup, signal, agent: false }, resolve).on('error', reject).end();
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
