import { randomUUID } from 'node:crypto';
import type { Context, Next } from 'koa';

/** Where a request came from, as the audit log keeps it. */
export type Origin = { address?: string | undefined; user_agent?: string | undefined; request_id?: string | undefined };

const origins = new WeakMap<object, Origin>();
const requestIdShape = /^[A-Za-z0-9._-]{8,64}$/;
const maxUserAgent = 256;

/** The origin of the request being answered. */
export function requestOrigin(ctx: Context): Origin {
  return origins.get(ctx.res) ?? {};
}

/** Gives each request an id (a well-formed `X-Request-Id` is kept) and remembers where it came from. */
export async function rememberOrigin(ctx: Context, next: Next): Promise<void> {
  const request_id = requestIdFor(ctx.get('X-Request-Id'));
  const user_agent = printable(ctx.get('User-Agent')).slice(0, maxUserAgent);
  origins.set(ctx.res, { address: ctx.ip, user_agent: user_agent || undefined, request_id });
  ctx.set('X-Request-Id', request_id);
  await next();
}

/** The id of a request that came with this one. */
export function requestIdFor(given: unknown): string {
  return typeof given === 'string' && requestIdShape.test(given) ? given : randomUUID();
}

function printable(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, '?');
}
