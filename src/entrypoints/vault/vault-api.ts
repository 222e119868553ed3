import type { IncomingMessage, ServerResponse } from 'node:http';
import { revokeVaultToken, takeTokenUse } from '../../domain/vault-tokens/index.ts';
import { digest } from '../../platform/crypto/index.ts';
import {
  type EdgeRules,
  headersForPrograms,
  hostRules,
  malformedChain,
  mustNameServer,
  type ObservedAnswer,
  type Problem,
  problemFor,
} from '../../platform/http/index.ts';
import { inServerSpan } from '../../platform/tracing/index.ts';
import { invalidToken, permissionDenied, unsupportedOperation, type VaultAnswer, VaultError } from './answers.ts';
import { appRoleRoutes } from './auth-approle.ts';
import { jwtRoutes } from './auth-jwt.ts';
import { kubernetesRoutes } from './auth-kubernetes.ts';
import { loginRoutes, otherLoginRoutes } from './auth-login.ts';
import { tokenRoutes } from './auth-token.ts';
import { accessorRoutes } from './auth-token-accessors.ts';
import { tokenCreationRoutes } from './auth-token-create.ts';
import { tokenRoleRoutes } from './auth-token-roles.ts';
import { type VaultCaller, vaultCallerOf } from './callers.ts';
import { kv1Routes } from './kv1.ts';
import { kv2Routes } from './kv2.ts';
import { mountRoutes } from './mounts.ts';
import type { Asked, VaultDeps, VaultRoute } from './routing.ts';
import { sysRoutes } from './sys.ts';
import { auditRoutes } from './sys-audit.ts';
import { authListRoutes } from './sys-auth.ts';
import { leaseRoutes } from './sys-leases.ts';
import { policyRoutes } from './sys-policies.ts';
import { rekeyRoutes } from './sys-rekey.ts';
import { type Operation, VaultRequest } from './vault-request.ts';
import { wrapped, wrappingRoutes, wrapSecondsOf } from './wrapping.ts';

/** The first match answers. */
const routes: readonly VaultRoute[] = [
  ...kv2Routes,
  ...kv1Routes,
  ...tokenRoutes,
  ...tokenCreationRoutes,
  ...tokenRoleRoutes,
  ...accessorRoutes,
  ...loginRoutes,
  ...appRoleRoutes,
  ...kubernetesRoutes,
  ...jwtRoutes,
  ...authListRoutes,
  ...auditRoutes,
  ...wrappingRoutes,
  ...mountRoutes,
  ...policyRoutes,
  ...leaseRoutes,
  ...sysRoutes,
  ...rekeyRoutes,
  ...otherLoginRoutes,
];

export type VaultApiDeps = VaultDeps & {
  edge: EdgeRules;
  isTraced: boolean;
  /** Responses that are not sent yet, so that a shutdown can wait for them. */
  inFlight: Set<ServerResponse>;
  /** Counts and logs each answer. */
  observe: (answer: ObservedAnswer) => void;
};

type UsingCaller = VaultCaller & { uses_left?: number };

const mergePatchType = 'application/merge-patch+json';

/** Vault's HTTP API, on plain Node HTTP. Its statuses, errors and types are exactly Vault's. */
export class VaultApi {
  readonly #deps: VaultApiDeps;
  readonly #host: ReturnType<typeof hostRules>;
  /** Headers of every answer, names and values in turn. */
  readonly #always: readonly string[];

  constructor(deps: VaultApiDeps) {
    this.#deps = deps;
    this.#host = hostRules(deps.issuer);
    this.#always = [...Object.entries(headersForPrograms(deps.issuer)).flat(), 'Cache-Control', 'no-store'];
  }

  /** Handles a request for Vault's API; false: it is not for Vault's API, and nothing was done. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { edge, inFlight, isTraced } = this.#deps;
    const asked = VaultRequest.from(request, edge);
    if (!asked) return false;
    inFlight.add(response);
    asked.response = response;
    const span = { method: asked.method, path: asked.path, route: '/v1', headers: request.headers };
    if (isTraced) void inServerSpan(span, () => this.#serve(asked, response));
    else void this.#serve(asked, response);
    return true;
  }

  /** Never rejects. @returns the status of the answer */
  async #serve(asked: VaultRequest, response: ServerResponse): Promise<number> {
    try {
      const answer = await this.#decide(asked).catch((error: unknown) => this.#refusal(asked, error));
      this.#send(asked, response, answer);
      return answer.status;
    } catch (failure) {
      this.#deps.log.error({ request_id: asked.request_id, err: failure }, 'an answer could not be sent');
      response.destroy();
      return 500;
    } finally {
      this.#deps.inFlight.delete(response);
    }
  }

  async #decide(request: VaultRequest): Promise<VaultAnswer> {
    if (request.address === undefined) throw malformedChain(this.#deps.edge);
    const found = routes.find(({ path }) => path.test(request.name));
    if (!found?.anyHost) mustNameServer(this.#host, request.req);
    request.mustBeInRoot();
    const { operation } = request;
    mustBePlain(request.path);
    if (!found) return this.#nothingThere(request);
    const wrapSeconds = wrapSecondsOf(request);
    const names = found.path.exec(request.name)?.slice(1) ?? [];
    const open = found.open?.[operation];
    const closed = found.closed?.[operation];
    if (!open && !found.closed) throw unsupportedOperation();
    // A caller without a token does not learn which operations exist.
    const caller = open ? undefined : await this.#callerUsing(request);
    if (operation === 'patch') mustBeMergePatch(request);
    const body = operation === 'write' || operation === 'patch' ? await request.body(found.bodyBytes) : {};
    const asked = { request, names, body };
    if (open && !found.wraps) mustNotWrap(operation, wrapSeconds);
    const answer = await (open ? open(this.#deps, asked) : this.#answerTo(caller, closed, asked));
    const sent = wrapSeconds ? await wrapped(this.#deps, request, { answer, ttl_seconds: wrapSeconds }) : answer;
    return { route: found.route, ...sent };
  }

  /** @throws VaultError 405 */
  async #answerTo(
    caller: UsingCaller | undefined,
    handler: NonNullable<VaultRoute['closed']>[Operation],
    asked: Asked,
  ): Promise<VaultAnswer> {
    if (!handler || !caller) throw unsupportedOperation();
    return handler(this.#deps, { ...asked, caller }).finally(() => this.#endIfUsedUp(caller));
  }

  /** The caller, by a token; this counts as one use of it. @throws VaultError 403 */
  async #callerUsing(request: VaultRequest): Promise<UsingCaller> {
    const caller = await vaultCallerOf(this.#deps, request);
    if (!caller.limits.vault_uses) return caller;
    const uses_left = await takeTokenUse(this.#deps, caller.token);
    if (uses_left === undefined) throw permissionDenied();
    return { ...caller, uses_left };
  }

  /** After the response to its last use, a token is revoked. */
  async #endIfUsedUp({ actor, token, uses_left }: UsingCaller): Promise<void> {
    if (uses_left === 0) await revokeVaultToken(this.#deps, actor, digest(token));
  }

  /** @throws VaultError 403, 404 */
  async #nothingThere(request: VaultRequest): Promise<VaultAnswer> {
    await this.#callerUsing(request);
    throw new VaultError(404, `no handler for route "${request.name}". route entry not found.`);
  }

  #refusal({ request_id }: VaultRequest, error: unknown): VaultAnswer {
    if (error instanceof VaultError) return { status: error.status, body: { errors: error.errors } };
    const problem = problemFor(error, this.#deps.log, request_id);
    const { status, errors } = inVaultsWords(problem);
    return { status, body: { errors }, headers: problem.options.headers };
  }

  #send(asked: VaultRequest, response: ServerResponse, answer: VaultAnswer): void {
    const { status, body, headers = {}, route = '/v1', whenSent } = answer;
    const { method, path, request_id, startedAt } = asked;
    const text = body === undefined || method === 'HEAD' ? '' : JSON.stringify(body);
    const length = Buffer.byteLength(text);
    // Exactly this text: clients compare the type (hvac).
    const type = body === undefined ? [] : ['Content-Type', 'application/json'];
    const size = status === 204 ? [] : ['Content-Length', String(length)];
    if (!asked.req.complete) response.shouldKeepAlive = false;
    if (whenSent)
      response.once('finish', () =>
        whenSent().catch((error: unknown) =>
          this.#deps.log.error({ request_id, err: error }, 'work after an answer failed'),
        ),
      );
    const more = Object.entries(headers).flat();
    response.writeHead(status, [...this.#always, ...size, 'X-Request-Id', request_id, ...type, ...more]);
    // Plain ASCII takes a faster path in Node.
    response.end(text, length === text.length ? 'latin1' : 'utf8');
    this.#deps.observe({ method, path, route, status, request_id, startedAt, isFromMemory: false });
  }
}

/** Other servers would read such a path as another one. @throws VaultError 400 */
function mustBePlain(path: string): void {
  const isTwisted = path.split('/').some((part) => /^(?:\.|%2e)+$/i.test(part)) || /%2f|%5c|\\|\/\//i.test(path);
  if (isTwisted) throw new VaultError(400, 'relative paths not supported');
}

/** If its response were sent unwrapped, it would show keys to others. Clients may ask for the state with the header. @throws VaultError 400 */
function mustNotWrap(operation: Operation, seconds: number | undefined): void {
  if (operation !== 'read' && seconds !== undefined)
    throw new VaultError(400, 'this response cannot be wrapped: leave X-Vault-Wrap-TTL out');
}

/** @throws VaultError 415 */
function mustBeMergePatch({ req: { headers } }: VaultRequest): void {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  if (type.trim() !== mergePatchType) throw new VaultError(415, `PATCH requires Content-Type of ${mergePatchType}`);
}

const words: Readonly<Record<string, VaultError>> = {
  sealed: new VaultError(503, 'Vault is sealed'),
  forbidden: permissionDenied(),
  revoked: invalidToken(),
  version_conflict: new VaultError(400, 'check-and-set parameter did not match the current version'),
  version_required: new VaultError(400, 'check-and-set parameter required for this call'),
  too_large: new VaultError(413, 'http: request body too large'),
};

/** A refusal of the domain, in Vault's form. */
function inVaultsWords({ type, status, message }: Problem): Pick<VaultError, 'status' | 'errors'> {
  return words[type] ?? { status, errors: [message] };
}
