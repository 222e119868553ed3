import type { Context, Next } from 'koa';
import { requestIdFor } from './edge.ts';
import type { IncomingRequest } from './incoming-request.ts';

const maxUserAgent = 256;

/** Gives each request an id (a well-formed `X-Request-Id` is kept) and remembers where it came from. */
export function rememberOrigin(ctx: Context, next: Next): Promise<void> {
  const request_id = requestIdFor(ctx.get('X-Request-Id'));
  const user_agent = printable(ctx.get('User-Agent')).slice(0, maxUserAgent);
  (ctx.req as IncomingRequest).origin = { address: ctx.ip, user_agent: user_agent || undefined, request_id };
  ctx.res.setHeader('X-Request-Id', request_id);
  return next();
}

function printable(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, '?');
}
