import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Guard, GuardedRequest } from './guard.ts';
import type { Identity, Need } from './identity.ts';
import type { Answer } from './refusals.ts';

/** Node's own server: sends refusals, and otherwise returns the caller. */
export function nodeGuard(guard: Guard) {
  return async (request: IncomingMessage, response: ServerResponse, need: Need = {}): Promise<Identity | undefined> => {
    const outcome = await guard.check(seen(request, { ip: request.socket.remoteAddress }), need);
    if (outcome.kind === 'allowed') return outcome.identity;
    send(response, outcome.refusal);
    return undefined;
  };
}

/** The members that Express adds to Node's request. */
export type ExpressRequest = IncomingMessage & { originalUrl?: string; ip?: string | undefined; latchkey?: Identity };

/** Express and Connect: `app.get('/products', guard({ permission: 'database:read:products' }), handler)`; the caller is in `req.latchkey`. */
export function expressGuard(guard: Guard) {
  return (need: Need = {}) =>
    (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void): void => {
      const { originalUrl: url, ip } = request;
      void guard.check(seen(request, { url, ip }), need).then((outcome) => {
        if (outcome.kind === 'refused') return send(response, outcome.refusal);
        request.latchkey = outcome.identity;
        return next();
      });
    };
}

export type KoaContext = {
  req: IncomingMessage;
  originalUrl: string;
  ip: string;
  state: Record<string, unknown>;
  status: number;
  body: unknown;
  set: (headers: Record<string, string>) => void;
};

/** Koa: `router.get('/products', guard({ permission: 'database:read:products' }), handler)`; the caller is in `ctx.state.latchkey`. */
export function koaGuard(guard: Guard) {
  return (need: Need = {}) =>
    async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
      const outcome = await guard.check(seen(ctx.req, { url: ctx.originalUrl, ip: ctx.ip }), need);
      if (outcome.kind === 'allowed') {
        ctx.state.latchkey = outcome.identity;
        await next();
        return;
      }
      sendKoa(ctx, outcome.refusal);
    };
}

export function sendKoa(ctx: KoaContext, { status, headers, body }: Answer): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
  // Koa has a separate type for strings.
  const type = headers['Content-Type'];
  if (type !== undefined) ctx.set({ 'Content-Type': type });
}

export type FastifyRequest = {
  raw: IncomingMessage;
  originalUrl?: string;
  url: string;
  ip: string;
  latchkey?: Identity;
};
export type FastifyReply = {
  code: (status: number) => FastifyReply;
  headers: (headers: Record<string, string>) => FastifyReply;
  send: (body: string) => unknown;
};

/** Fastify: `{ preHandler: guard({ permission: 'database:read:products' }) }`; the caller is in `request.latchkey`. */
export function fastifyGuard(guard: Guard) {
  return (need: Need = {}) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const { originalUrl: url = request.url, ip } = request;
      const outcome = await guard.check(seen(request.raw, { url, ip }), need);
      if (outcome.kind === 'allowed') {
        request.latchkey = outcome.identity;
        return undefined;
      }
      const { status, headers, body } = outcome.refusal;
      return reply.code(status).headers(headers).send(body);
    };
}

function seen(
  { method = 'GET', url: own = '/', headers, headersDistinct }: IncomingMessage,
  { url, ip }: { url?: string | undefined; ip?: string | undefined },
): GuardedRequest {
  return { method, url: url ?? own, headers: headersDistinct ?? headers, ip };
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}
