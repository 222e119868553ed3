/** Structured logs. They name routes, statuses and request ids, never a query string, body, header or cookie. */
import type { Context, Middleware, Next } from 'koa';
import { type Logger, pino } from 'pino';
import { requestOrigin } from '../http/index.ts';

export type { Logger };

/** Opens the log on standard error (standard output belongs to the CLI's answers). */
export function openLog(level: string): Logger {
  return pino({ level, serializers: { err: withoutParameters } }, pino.destination({ dest: 2, sync: true }));
}

/** PostgreSQL's `detail` and `where` quote values; they stay out of the log. */
function withoutParameters(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: 'not an error' };
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause === undefined ? undefined : withoutParameters(error.cause);
  return { type: error.name, message: error.message, code, stack: error.stack, cause };
}

/** One line a request: method, path without its query, status, milliseconds, request id. */
export function logRequests(log: Logger): Middleware {
  return async (ctx: Context, next: Next) => {
    const started_at = performance.now();
    await next();
    const ms = Math.round(performance.now() - started_at);
    log.info(
      { method: ctx.method, path: pathOf(ctx), status: ctx.status, ms, request_id: requestOrigin(ctx).request_id },
      'request',
    );
  };
}

/** Interaction ids stand in paths; they are shortened so that a log holds none whole. */
function pathOf(ctx: Context): string {
  return ctx.path.replace(/^(\/(?:interaction|oauth\/authorize|device|setup|password)\/).+/, '$1…');
}
