import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { KeyUse, KeyVerifier } from '../api-keys/index.ts';
import {
  type EarlyAnswer,
  mostBodyBytes,
  parseJson,
  plainlyNames,
  type RereadableRequest,
  requestIdFor,
} from '../platform/http/index.ts';
import type { Logger } from '../platform/logging/index.ts';
import { callerAsked } from './callers.ts';
import { credentialOf } from './credentials.ts';
import { forwardAuthPath, questionIn, verifyRequest } from './forward-auth.ts';
import { identityOf } from './proxy-answers.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import { VerifyRequest } from './schemas.ts';
import { askedOf, ofKey } from './verdicts.ts';
import { verifyPath } from './verify.ts';

export type WarmKeysDeps = RecordDeps & {
  keys: KeyVerifier;
  /** Of Latchkey's own API. */
  audience: string;
  /** Services ask under this name; proxies ask about hosts of others. */
  host: string;
  /** Makes a context of a request, as the long way would see it. */
  contextOf: (request: IncomingMessage, response: ServerResponse) => Context;
  /** Where everything goes that is not answered here. */
  longWay: RequestListener;
  /** Headers of every answer. */
  headers: Readonly<Record<string, string>>;
  observe: (answer: EarlyAnswer) => void;
  log: Logger;
};

type Answered = Omit<EarlyAnswer, 'method' | 'path'>;

/**
 * Answers proxies and services about keys that this node has met and that may do what is asked, before anything else looks at the
 * request: most of what a gateway is asked. Whatever else it is (a refusal, a token, an unknown key) goes the long way, and nothing
 * was counted.
 */
export class WarmKeys {
  readonly #deps: WarmKeysDeps;
  readonly #toProxies: readonly string[];
  readonly #toServices: readonly string[];

  constructor(deps: WarmKeysDeps) {
    this.#deps = deps;
    const always = [...Object.entries(deps.headers).flat(), 'Cache-Control', 'no-store'];
    this.#toProxies = [...always, 'Content-Length', '0'];
    this.#toServices = [...always, 'Content-Type', 'application/json; charset=utf-8'];
  }

  /** Takes the request if it may be one of these; otherwise nothing has happened. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url = '' } = request;
    if (method === 'GET' && url.startsWith(`${forwardAuthPath}?`)) return this.#answerProxy(request, response);
    return method === 'POST' && url === verifyPath && this.#answerService(request, response);
  }

  #answerProxy(request: IncomingMessage, response: ServerResponse): boolean {
    const answered = this.#begun(request);
    const ctx = this.#deps.contextOf(request, response);
    const asked = ifPlain(() => askedByProxy(ctx));
    const [met] = (asked && this.#deps.keys.admitMet([asked.use])) ?? [];
    if (!asked || !met) return false;
    this.#tell(response, () => {
      const verdict = ofKey(met, asked.request.resource);
      recordUse(this.#deps, ctx, { request: asked.request, verdict, request_id: answered.request_id });
      const headers = [...this.#toProxies, 'X-Request-Id', answered.request_id];
      for (const [name, value] of identityOf(verdict)) headers.push(name, value);
      response.writeHead(200, headers).end();
      this.#deps.observe({ method: 'GET', path: forwardAuthPath, ...answered });
    });
    return true;
  }

  #answerService(request: IncomingMessage, response: ServerResponse): boolean {
    const { contextOf, host, longWay } = this.#deps;
    const answered = this.#begun(request);
    const ctx = contextOf(request, response);
    const caller = ifPlain(() => credentialOf(ctx));
    if (!isShortJson(request) || !plainlyNames(host, request) || !caller || !('key' in caller)) return false;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (this.#answerBody(ctx, { caller: caller.key, body, ...answered })) return;
      (request as RereadableRequest).replaceBody(body);
      longWay(request, response);
    });
    return true;
  }

  #answerBody(ctx: Context, { caller, body, ...answered }: Answered & { caller: string; body: Buffer }): boolean {
    const { audience, keys, observe } = this.#deps;
    const asked = ifPlain(() => askedByService(body));
    if (!asked) return false;
    const [{ entry: asking } = {}, met] =
      keys.admitMet([{ key: caller, asked: callerAsked(audience, ctx) }, asked.use]) ?? [];
    if (!asking || !met) return false;
    this.#tell(ctx.res, () => {
      const { request } = asked;
      const verdict = ofKey(met, request.resource);
      recordUse(this.#deps, ctx, { request, verdict, caller: asking.id, request_id: answered.request_id });
      const said = JSON.stringify(verdict);
      const length = Buffer.byteLength(said);
      const headers = [...this.#toServices, 'Content-Length', String(length), 'X-Request-Id', answered.request_id];
      // Plain ASCII takes the shorter way through Node.
      ctx.res.writeHead(200, headers).end(said, length === said.length ? 'latin1' : 'utf8');
      observe({ method: 'POST', path: verifyPath, ...answered });
    });
    return true;
  }

  /** Whatever goes wrong from here on, the long way would count it again. */
  #tell(response: ServerResponse, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'a verdict could not be told');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  }

  #begun({ headers }: IncomingMessage): Answered {
    return { startedAt: performance.now(), request_id: requestIdFor(headers['x-request-id']) };
  }
}

type AskedKey = { request: VerifyRequest; use: KeyUse };

/** What a proxy asks of a key; undefined: it asks something else. @throws Problem */
function askedByProxy(ctx: Context): AskedKey | undefined {
  const question = questionIn(ctx);
  const credential = question && credentialOf(ctx);
  if (!credential || !('key' in credential)) return undefined;
  const request = verifyRequest(ctx, question, credential);
  return { request, use: { key: credential.key, asked: askedOf(request) } };
}

/** What a service asks of one key; undefined: it asks something else. @throws Problem */
function askedByService(body: Buffer): AskedKey | undefined {
  const { data: request } = VerifyRequest.safeParse(parseJson(body.toString()));
  if (request?.key === undefined) return undefined;
  return { request, use: { key: request.key, asked: askedOf(request) } };
}

/** Undefined for what is refused, or fails: it does so, and hears why, on the long way. */
function ifPlain<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** What the long way would read as JSON, of a length that is known and bounded. */
function isShortJson({ headers }: IncomingMessage): boolean {
  const { 'content-type': type, 'content-length': length = '', 'content-encoding': encoding } = headers;
  const isJson = type === 'application/json' || type === 'application/json; charset=utf-8';
  return isJson && encoding === undefined && /^\d{1,6}$/.test(length) && Number(length) <= mostBodyBytes;
}
