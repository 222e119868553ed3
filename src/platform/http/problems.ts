import type { Context, Middleware, Next } from 'koa';
import type { Logger } from 'pino';
import { isOutage } from '../database/index.ts';
import { requestOrigin } from './incoming-request.ts';

export type ProblemOptions = {
  title: string;
  detail: string;
  pointer?: string;
  headers?: Record<string, string>;
  /** More members of the answer (RFC 9457 §3.2). */
  members?: Record<string, unknown>;
};

/** A refusal, answered as RFC 9457 problem+json outside the OAuth endpoints. `detail` says what to do and quotes no secret. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly type: string;
  readonly options: ProblemOptions;

  constructor(status: number, type: string, options: ProblemOptions) {
    super(options.detail);
    this.status = status;
    this.type = type;
    this.options = options;
  }

  /** The members of the answer. */
  body(): Record<string, unknown> {
    const { title, detail, pointer, members } = this.options;
    return {
      type: `urn:latchkey:problem:${this.type}`,
      title,
      status: this.status,
      detail,
      // One invalid member or many: clients read them all from `errors`.
      ...(pointer ? { pointer, ...(this.status === 400 && { errors: [{ pointer, detail }] }) } : {}),
      ...members,
    };
  }
}

/** No record of this kind and id that the actor may know of. */
export function notFound(kind: string, id: string): Problem {
  return new Problem(404, 'not_found', { title: 'Not found', detail: `There is no ${kind} "${id}".` });
}

/** A field is invalid; the detail says why. */
export function invalid(pointer: string, detail: string): Problem {
  return new Problem(400, 'invalid', { title: 'Invalid input', detail, pointer });
}

/** The actor lacks a permission, which is named. (An id that the actor may not know of reads as unknown instead.) */
export function forbidden(permission: string, detail: string, pointer?: string): Problem {
  const at = pointer === undefined ? {} : { pointer };
  return new Problem(403, 'forbidden', { title: 'Not allowed', detail, ...at, members: { permission } });
}

/**
 * Ensures that the caller has read the version that is changed; without a version any is accepted (RFC 9110 §13.1.1).
 *
 * @throws Problem 412
 */
export function mustBeAt(version: number, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  const detail = 'The record was changed in the meantime. Read it again, and repeat the request with the new ETag.';
  throw new Problem(412, 'precondition_failed', { title: 'Changed meanwhile', detail });
}

/** The address accepts other methods (RFC 9110 §15.5.6). @param allowed their names, for the `Allow` header */
export function methodNotAllowed(method: string, allowed: string): Problem {
  const detail = `This path does not support ${method}. Use ${allowed}.`;
  return new Problem(405, 'method_not_allowed', { title: 'Method not allowed', detail, headers: { Allow: allowed } });
}

/** It conflicts with an existing record. */
export function conflict(detail: string): Problem {
  return new Problem(409, 'conflict', { title: 'Conflict', detail });
}

/** Too many attempts; `retryAfterSeconds` says when the next one is accepted. */
export function tooMany(detail: string, retryAfterSeconds: number): Problem {
  const headers = { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterSeconds))) };
  return new Problem(429, 'too_many_requests', { title: 'Too many requests', detail, headers });
}

/** The database is unavailable: the same request may succeed in a moment (promise 8). */
export function unavailable(): Problem {
  return new Problem(503, 'unavailable', {
    title: 'Temporarily unavailable',
    detail: 'The database cannot be reached. Try again in a moment.',
    headers: { 'Retry-After': '2' },
  });
}

/** How a refusal is shown to a browser; undefined leaves it as problem+json. */
export type ProblemPage = (ctx: Context, problem: Problem) => string | undefined;

export type ProblemAnswers = {
  log: Logger;
  page: ProblemPage;
  /** Where pages of other origins may read the answers, and so must be able to read refusals. */
  isForOtherOrigins: (path: string) => boolean;
};

/** Converts every exception into a response (`problemFor`). */
export function problems({ log, page, isForOtherOrigins }: ProblemAnswers): Middleware {
  return async (ctx: Context, next: Next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body == null) throw notFoundHere(ctx);
    } catch (error) {
      answer(ctx, problemFor(error, log, requestOrigin(ctx).request_id), page);
      if (isForOtherOrigins(ctx.path)) letOriginsRead(ctx);
    }
  };
}

/**
 * Lets the page that sent a request read why it is refused; without these headers its script only learns that something failed (Fetch
 * Standard §3.3.4). The edge refuses before the client of the page is known: the refusal contains nothing that any program could not learn,
 * and without `Access-Control-Allow-Credentials` a browser does not pass on a response to a request with cookies.
 */
export function letOriginsRead(ctx: Context): void {
  if (ctx.response.get('Access-Control-Allow-Origin')) return;
  ctx.vary('Origin');
  ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*');
  ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate, Retry-After');
}

/** The response to an exception: a Problem as it is, an outage as 503, anything else as a logged 500. */
export function problemFor(error: unknown, log: Logger, request_id: string | undefined): Problem {
  if (error instanceof Problem) return error;
  if (isOutage(error)) {
    log.warn({ request_id, cause: messageOf(error) }, 'database unavailable');
    return unavailable();
  }
  log.error({ request_id, err: error }, 'request failed');
  return new Problem(500, 'internal', {
    title: 'Internal error',
    detail: 'Something went wrong on our side. It was logged under the request id.',
  });
}

/** A problem as JSON (RFC 9457), with the request id that is in the log. */
export function problemJson(problem: Problem, request_id: string | undefined): string {
  return JSON.stringify({ ...problem.body(), request_id });
}

export const problemType = 'application/problem+json';

function messageOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function notFoundHere(ctx: Context): Problem {
  return new Problem(404, 'not_found', { title: 'Not found', detail: `There is nothing at ${ctx.path}.` });
}

/** Removes headers that were set for a commit that failed. */
export function withdrawAnswer(ctx: Context): void {
  ctx.remove('Set-Cookie');
  ctx.remove('Location');
}

function answer(ctx: Context, problem: Problem, page: ProblemPage): void {
  ctx.status = problem.status;
  if (problem.status >= 500) withdrawAnswer(ctx);
  ctx.set('Cache-Control', 'no-store');
  ctx.set(problem.options.headers ?? {});
  const html = ctx.accepts('json', 'html') === 'html' ? page(ctx, problem) : undefined;
  ctx.body = html ?? problemJson(problem, requestOrigin(ctx).request_id);
  ctx.type = html ? 'html' : problemType;
}
