import { randomUUID } from 'node:crypto';
import type { Context, Next } from 'koa';
import type { IncomingRequest, Origin } from './incoming-request.ts';

const requestIdShape = /^[A-Za-z0-9._-]{8,64}$/;
const maxUserAgent = 256;

/** The origin of the request being answered. */
export function requestOrigin(ctx: Context): Origin {
  return (ctx.req as IncomingRequest).origin ?? {};
}

/** Gives each request an id (a well-formed `X-Request-Id` is kept) and remembers where it came from. */
export function rememberOrigin(ctx: Context, next: Next): Promise<void> {
  const request_id = requestIdFor(ctx.get('X-Request-Id'));
  const user_agent = printable(ctx.get('User-Agent')).slice(0, maxUserAgent);
  (ctx.req as IncomingRequest).origin = { address: ctx.ip, user_agent: user_agent || undefined, request_id };
  ctx.res.setHeader('X-Request-Id', request_id);
  return next();
}

/** The id of a request that came with this one. */
export function requestIdFor(given: unknown): string {
  return typeof given === 'string' && requestIdShape.test(given) ? given : randomUUID();
}

function printable(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, '?');
}
