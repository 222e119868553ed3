import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ExpressRequest,
  type FastifyReply,
  type FastifyRequest,
  type KoaContext,
  send,
  sendKoa,
} from './adapters.ts';
import type { Guard } from './guard.ts';
import type { Answer } from './refusals.ts';
import { metadataAnswer } from './resource-metadata.ts';

type Described = Pick<Guard, 'metadata'>;

/** Node's own server: answers a request for the metadata of the API. @returns whether it was one */
export function nodeMetadata(guard: Described) {
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const answer = answerTo(guard, request);
    if (answer) send(response, answer);
    return answer !== undefined;
  };
}

/** Express and Connect: `app.use(expressMetadata(guard))`, before anything that parses or refuses requests. */
export function expressMetadata(guard: Described) {
  return (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void): void => {
    const answer = answerTo(guard, { method: request.method, url: request.originalUrl ?? request.url });
    if (answer) send(response, answer);
    else next();
  };
}

/** Koa: `app.use(koaMetadata(guard))`. */
export function koaMetadata(guard: Described) {
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const answer = answerTo(guard, { method: ctx.req.method, url: ctx.originalUrl });
    if (answer) sendKoa(ctx, answer);
    else await next();
  };
}

/** Fastify: `app.addHook('onRequest', fastifyMetadata(guard))`. */
export function fastifyMetadata(guard: Described) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { raw, originalUrl = request.url } = request;
    const answer = answerTo(guard, { method: raw.method, url: originalUrl });
    return answer && reply.code(answer.status).headers(answer.headers).send(answer.body);
  };
}

type Asking = { method?: string | undefined; url?: string | undefined };

function answerTo({ metadata }: Described, { method = 'GET', url = '/' }: Asking): Answer | undefined {
  return metadata && metadataAnswer(metadata, { method, url });
}
