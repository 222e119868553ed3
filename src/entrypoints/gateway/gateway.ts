import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessRecords } from '../../domain/access-records/index.ts';
import type { KeyVerifier } from '../../domain/api-keys/index.ts';
import type { Db } from '../../platform/database/index.ts';
import {
  type EdgeRules,
  headersForPrograms,
  hostRules,
  malformedChain,
  type ObservedAnswer,
  problemFor,
} from '../../platform/http/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { inServerSpan } from '../../platform/tracing/index.ts';
import { type BearerDeps, bearerOf, judgeToken } from '../oauth/index.ts';
import { type Answer, refusal } from './answers.ts';
import { type ForwardAuthDeps, forwardAuth } from './forward-auth.ts';
import { GatewayRequest, verifyPath } from './gateway-request.ts';
import { type VerifyDeps, verify } from './verify.ts';

export type GatewayDeps = {
  db: Db;
  now: () => Date;
  /** Verifies keys, from the cache if possible, and counts them. */
  keys: KeyVerifier;
  /** Records which credential was used. */
  records: AccessRecords;
  /** The dependencies for verifying access tokens. */
  bearers: BearerDeps;
  /** The identifier of Latchkey's own API: services that ask need a permission there. */
  audience: string;
  log: Logger;
  edge: EdgeRules;
  isTraced: boolean;
  /** Responses that are not sent yet, so that a shutdown can wait for them. */
  inFlight: Set<ServerResponse>;
  /** Counts and logs each answer. */
  observe: (answer: ObservedAnswer) => void;
};

/**
 * The gateway's server on plain Node HTTP: one path, cached or not, traced or not. A request is parsed, judged from the cache or after a
 * lookup, and answered; every exception becomes a problem+json response.
 */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #decisions: ForwardAuthDeps & VerifyDeps;
  /** Headers of every answer, names and values in turn. */
  readonly #always: readonly string[];

  constructor(deps: GatewayDeps) {
    const { bearers } = deps;
    const { issuer } = bearers;
    this.#deps = deps;
    this.#always = [...Object.entries(headersForPrograms(issuer)).flat(), 'Cache-Control', 'no-store'];
    this.#decisions = {
      ...deps,
      issuer,
      host: hostRules(issuer),
      judgeToken: (shown) => judgeToken(bearers, shown),
      bearerOf: (request, audience) => bearerOf(bearers, request, audience),
    };
  }

  /** Handles a request for the gateway; false: it is not for the gateway, and nothing was done. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { edge, inFlight, isTraced } = this.#deps;
    const asked = GatewayRequest.from(request, edge);
    if (!asked) return false;
    inFlight.add(response);
    if (isTraced) void inServerSpan(asked, () => this.#serve(asked, response));
    else void this.#serve(asked, response);
    return true;
  }

  /** Never rejects. @returns the status of the answer */
  async #serve(asked: GatewayRequest, response: ServerResponse): Promise<number> {
    try {
      return this.#send(asked, response, await this.#decide(asked));
    } catch (error) {
      return this.#refuse(asked, response, error);
    } finally {
      this.#deps.inFlight.delete(response);
    }
  }

  #refuse(asked: GatewayRequest, response: ServerResponse, error: unknown): number {
    const { log } = this.#deps;
    const problem = problemFor(error, log, asked.request_id);
    try {
      return this.#send(asked, response, refusal(problem, asked.request_id));
    } catch (failure) {
      log.error({ request_id: asked.request_id, err: failure }, 'a refusal could not be sent');
      response.destroy();
      return problem.status;
    }
  }

  #decide(asked: GatewayRequest): Promise<Answer> {
    if (asked.address === undefined) throw malformedChain(this.#deps.edge);
    return asked.route === verifyPath ? verify(this.#decisions, asked) : forwardAuth(this.#decisions, asked);
  }

  #send(asked: GatewayRequest, response: ServerResponse, answer: Answer): number {
    const { method, path, route, request_id, startedAt } = asked;
    const { status, headers, body, isFromMemory } = answer;
    const length = Buffer.byteLength(body);
    const sent = [...this.#always, 'Content-Length', String(length), 'X-Request-Id', request_id, ...headers];
    response.writeHead(status, sent);
    if (length === 0) response.end();
    // Plain ASCII takes a faster path in Node.
    else response.end(body, length === body.length ? 'latin1' : 'utf8');
    this.#deps.observe({ method, path, route, status, request_id, startedAt, isFromMemory });
    return status;
  }
}
