import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors } from 'oidc-provider';
import { isOutage } from '../../../platform/database/index.ts';
import { endOfTurn, headersForPrograms, type ObservedAnswer, unavailable } from '../../../platform/http/index.ts';
import { routes } from '../endpoints.ts';
import { errorBody } from '../provider/oauth-errors.ts';
import type { Answer, AnswerDeps, AnswerPlainly } from './answer.ts';
import { introspect } from './introspect.ts';
import { issue } from './issue.ts';
import { PlainClients } from './plain-client.ts';
import { PlainRequest, type PlainRules } from './plain-request.ts';

/** The headers of the library's responses that scripts can read, by endpoint. */
const exposed: Readonly<Record<string, string>> = {
  [routes.token]: 'DPoP-Nonce,WWW-Authenticate',
  [routes.introspection]: 'WWW-Authenticate',
};

type Taken = { asked: PlainRequest; response: ServerResponse; otherwise: () => void };

export type PlainDeps = AnswerDeps & {
  rules: PlainRules;
  /** Traced requests use Koa, whose steps are the spans. */
  isTraced: boolean;
  /** Responses that are not sent yet, this one among them. */
  inFlight: ReadonlySet<ServerResponse>;
  /** Counts and logs each answer. */
  observe: (answer: ObservedAnswer) => void;
};

/**
 * The token and introspection endpoints for requests in their usual form, on plain Node HTTP: no duplicate parameters, and a client that
 * authenticates with a secret or is public. The library's own handlers decide; only the middleware is skipped, which takes longer than they
 * do. Unusual and refused requests are passed to the provider, which alone writes refusals.
 */
export class PlainRequests {
  readonly #deps: PlainDeps;
  readonly #answers: ReadonlyMap<string, AnswerPlainly>;
  readonly #always: readonly string[];

  constructor(deps: PlainDeps) {
    const clients = new PlainClients(deps);
    this.#deps = deps;
    this.#answers = new Map([
      [routes.token, issue(deps, clients)],
      [routes.introspection, introspect(deps, clients)],
    ]);
    this.#always = [
      ...Object.entries(headersForPrograms(deps.issuer)).flat(),
      ...['Vary', 'Origin', 'Access-Control-Allow-Origin', '*'],
      ...['Cache-Control', 'no-store', 'Content-Type', 'application/json; charset=utf-8'],
    ];
  }

  /**
   * Handles a plain request; false: the request is not plain.
   *
   * @param otherwise answers the request when it turns out not to be plain
   */
  answer(request: IncomingMessage, response: ServerResponse, otherwise: () => void): boolean {
    if (this.#deps.isTraced) return false;
    const asked = PlainRequest.from(request, this.#deps.rules);
    const answer = asked && this.#answers.get(asked.path);
    if (!answer) return false;
    const taken = { asked, response, otherwise };
    void asked.read().then(
      (body) => this.#serve(taken, body, answer),
      // A client that closed the connection gets no answer.
      () => this.#observe(asked, 400),
    );
    return true;
  }

  /** Never rejects. */
  async #serve({ asked, response, otherwise }: Taken, body: Buffer, answer: AnswerPlainly): Promise<void> {
    // Aligned with others (`alignRequestsByTurn`); a single request does not wait.
    if (this.#deps.inFlight.size > 1) await endOfTurn();
    const answered = await answer(asked, body).catch((error: unknown) => this.#afterFailure(asked, error));
    try {
      if (answered) return this.#send(asked, response, answered);
      asked.req.replaceBody(body);
      otherwise();
    } catch (error) {
      this.#deps.log.error({ request_id: asked.request_id, err: error }, 'an answer could not be sent');
      response.destroy();
    }
  }

  /** The provider handles a refused request again and writes the refusal. It does not wait for the database a second time. */
  #afterFailure({ request_id }: PlainRequest, error: unknown): Answer | undefined {
    if (isOutage(error)) {
      const problem = unavailable();
      return { status: problem.status, body: errorBody(problem), headers: problem.options.headers };
    }
    if (!(error instanceof errors.OIDCProviderError))
      this.#deps.log.warn(
        { request_id, err: error },
        'a request failed on the fast path, and is handled by the provider',
      );
    return undefined;
  }

  #send(asked: PlainRequest, response: ServerResponse, answer: Answer): void {
    const { path, request_id } = asked;
    const { status, headers = {} } = answer;
    const body = JSON.stringify(answer.body);
    const length = Buffer.byteLength(body);
    response.writeHead(status, [
      ...[...this.#always, 'Access-Control-Expose-Headers', exposed[path] ?? ''],
      ...['X-Request-Id', request_id, 'Content-Length', String(length), ...Object.entries(headers).flat()],
    ]);
    // Plain ASCII takes a faster path in Node.
    response.end(body, length === body.length ? 'latin1' : 'utf8');
    this.#observe(asked, status);
  }

  #observe({ method, path, request_id, startedAt }: PlainRequest, status: number): void {
    this.#deps.observe({ ...{ method, path, route: path, status, request_id, startedAt }, isFromMemory: false });
  }
}
