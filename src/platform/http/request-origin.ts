import type { IncomingHttpHeaders } from 'node:http';
import type { Context, Next } from 'koa';
import { requestIdFor } from './edge.ts';
import type { IncomingRequest, Origin } from './incoming-request.ts';

const maxUserAgent = 256;

/** Gives each request an id (a valid `X-Request-Id` is kept) and records where it came from. */
export function rememberOrigin(ctx: Context, next: Next): Promise<void> {
  const request = ctx.req as IncomingRequest;
  // A request that the fast path has seen already has its id.
  request.origin ??= originOf(request.headers, ctx.ip);
  ctx.res.setHeader('X-Request-Id', request.origin.request_id ?? '');
  return next();
}

/** The origin of a request from this address, with a new id unless its headers contain one. */
export function originOf(headers: IncomingHttpHeaders, address: string): Origin & { request_id: string } {
  const user_agent = printable(headers['user-agent'] ?? '').slice(0, maxUserAgent);
  return { address, user_agent: user_agent || undefined, request_id: requestIdFor(headers['x-request-id']) };
}

function printable(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, '?');
}
