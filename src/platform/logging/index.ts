/** Structured logs. They name routes, statuses and request ids, never a query string, body, header or cookie. */
import type { Context, Middleware, Next } from 'koa';
import { type Logger, pino } from 'pino';
import { requestOrigin } from '../http/index.ts';

export type { Logger };

/** Opens the log on standard error (standard output is for the results of commands). */
export function openLog(level: string): Logger {
  return pino({ level, serializers: { err: withoutParameters } }, pino.destination({ dest: 2, sync: true }));
}

/** PostgreSQL's `detail` and `where` quote values; they stay out of the log. */
function withoutParameters(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: 'not an error' };
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause === undefined ? undefined : withoutParameters(error.cause);
  const errors = error instanceof AggregateError ? error.errors.map(withoutParameters) : undefined;
  return { type: error.name, message: error.message, code, stack: error.stack, cause, errors };
}

type Answered = { method: string; path: string; status: number; startedAt: number; request_id: string | undefined };

/** The line of one request. */
export function logRequest(log: Logger, { startedAt, request_id, ...answered }: Answered): void {
  const ms = Math.round(performance.now() - startedAt);
  log.info({ ...answered, ms, request_id }, 'request');
}

/** One line a request: method, path without its query, status, milliseconds, request id. */
export function logRequests(log: Logger): Middleware {
  if (!log.isLevelEnabled('info')) return (_ctx, next) => next();
  return async (ctx: Context, next: Next) => {
    const startedAt = performance.now();
    await next();
    const { request_id } = requestOrigin(ctx);
    logRequest(log, { method: ctx.method, path: pathOf(ctx), status: ctx.status, startedAt, request_id });
  };
}

/** Paths contain interaction ids; they are shortened so that a log contains none completely. */
function pathOf(ctx: Context): string {
  return ctx.path.replace(/^(\/(?:interaction|oauth\/authorize|device|setup|password)\/).+/, '$1…');
}
