import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { KeyVerifier } from '../api-keys/index.ts';
import { type EarlyAnswer, requestIdFor } from '../platform/http/index.ts';
import { credentialOf } from './credentials.ts';
import { forwardAuthPath, questionIn, verifyRequest } from './forward-auth.ts';
import { identityHeaders } from './proxy-answers.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import { askedOf, ofKey } from './verdicts.ts';

export type WarmKeysDeps = RecordDeps & {
  keys: KeyVerifier;
  /** Makes a context of a request, as the long way would see it. */
  contextOf: (request: IncomingMessage, response: ServerResponse) => Context;
  /** Headers of every answer. */
  headers: Readonly<Record<string, string>>;
  observe: (answer: EarlyAnswer) => void;
};

const emptyBody = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', '0'];

/**
 * Answers proxies about keys that this node has met and that may do what is asked, before anything else looks at the request: most
 * of what a gateway is asked. Whatever else it is (a refusal, a token, an unknown key) goes the long way, and nothing has happened.
 */
export class WarmKeys {
  readonly #deps: WarmKeysDeps;
  readonly #headers: readonly string[];

  constructor(deps: WarmKeysDeps) {
    this.#deps = deps;
    this.#headers = [...Object.entries(deps.headers).flat(), 'Cache-Control', 'no-store', ...emptyBody];
  }

  answer(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'GET' || !request.url?.startsWith(`${forwardAuthPath}?`)) return false;
    const startedAt = performance.now();
    const { contextOf, observe } = this.#deps;
    const request_id = requestIdFor(request.headers['x-request-id']);
    const identity = this.#admitted(contextOf(request, response), request_id);
    if (!identity) return false;
    response.writeHead(200, [...this.#headers, 'X-Request-Id', request_id, ...identity]);
    response.end();
    observe({ path: forwardAuthPath, request_id, startedAt });
    return true;
  }

  #admitted(ctx: Context, request_id: string): string[] | undefined {
    try {
      const question = questionIn(ctx);
      const credential = question && credentialOf(ctx);
      if (!credential || !('key' in credential)) return undefined;
      const request = verifyRequest(ctx, question, credential);
      const met = this.#deps.keys.admitMet(credential.key, askedOf(request));
      if (!met) return undefined;
      const verdict = ofKey(met, request.resource);
      recordUse(this.#deps, ctx, { request, verdict, request_id });
      return Object.entries(identityHeaders(verdict)).flat();
    } catch {
      // It is refused, and said why, on the long way.
      return undefined;
    }
  }
}
