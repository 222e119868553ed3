import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import { plainlyNames, requestIdFor } from './edge.ts';

type Kept = { version: unknown; bytes: string; headers: readonly string[] };

/** A request that was answered with 200 by the fast path; its start is a value of `performance.now()`. */
export type EarlyAnswer = { method: 'GET' | 'POST'; path: string; request_id: string; startedAt: number };

export type RepeatedAnswersOptions = {
  /** The issuer; requests for another host take the normal path. */
  issuer: string;
  paths: readonly string[];
  /** The state that the answers depend on: when it changes, they are generated again. */
  version: () => unknown;
  /** Called for each answer from the cache. */
  observe: (answer: EarlyAnswer) => void;
};

/**
 * Documents that are the same for everyone, such as discovery and JWKS: created once by their handler, and from then on served from a
 * cache, before any middleware.
 */
export class RepeatedAnswers {
  readonly #options: RepeatedAnswersOptions;
  readonly #host: string;
  readonly #kept = new Map<string, Kept>();

  constructor(options: RepeatedAnswersOptions) {
    this.#options = options;
    this.#host = new URL(options.issuer).host;
  }

  /** Sets an ETag and caches the response; runs first, so that it sees a response with all its headers. */
  readonly keep: Middleware = async (ctx: Context, next: Next) => {
    const version = this.#options.version();
    await next();
    if (!this.#options.paths.includes(ctx.path) || ctx.status !== 200 || !ctx.body) return;
    const body = Buffer.from(JSON.stringify(ctx.body));
    ctx.body = body;
    ctx.set('ETag', `"${createHash('sha256').update(body).digest('base64url')}"`);
    if (this.#isPlain(ctx.req) && ctx.url === ctx.path) {
      // One character a byte: Node sends such a string together with the headers in one write.
      this.#kept.set(ctx.path, { version, bytes: body.toString('latin1'), headers: lastingHeaders(ctx) });
    }
    if (ctx.fresh) ctx.status = 304;
  };

  /** Answers at once if it can; otherwise it does nothing. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const startedAt = performance.now();
    const { url: path = '' } = request;
    const kept = this.#kept.get(path);
    if (!kept || kept.version !== this.#options.version() || !this.#isPlain(request)) return false;
    const request_id = requestIdFor(request.headers['x-request-id']);
    response.writeHead(200, [...kept.headers, 'X-Request-Id', request_id]);
    response.end(kept.bytes, 'latin1');
    this.#options.observe({ method: 'GET', path, request_id, startedAt });
    return true;
  }

  /** No header of the request changes the response. */
  #isPlain(request: IncomingMessage): boolean {
    const { method, headers } = request;
    const isUsual = method === 'GET' && headers.origin === undefined && headers['if-none-match'] === undefined;
    return isUsual && plainlyNames(this.#host, request);
  }
}

/** Names and values in turn. */
function lastingHeaders({ response }: Context): string[] {
  const lasting = Object.entries(response.headers).filter(([name]) => name !== 'x-request-id');
  return lasting.flatMap(([name, value]) => [name, String(value)]);
}
