import type { Context, Middleware } from 'koa';
import { LRUCache } from 'lru-cache';
import { ambiguous, type Credential, credentialOf, single } from './credentials.ts';
import { describe, type OriginalRequest, originalRequest } from './original-request.ts';
import { admit, challengeFor, notPermitted, refuse } from './proxy-answers.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import type { VerifyRequest } from './schemas.ts';
import { type Filled, permissionTemplate, type Template, template } from './templates.ts';
import { judge, type VerdictDeps } from './verdicts.ts';
import { verifyPath } from './verify.ts';

export const forwardAuthPath = '/gateway/forward-auth';

const extAuthzShape = /^\/gateway\/ext-authz\/([^/]+)\/([^/]+)(\/.*)?$/;
const none = '-';

/** The path of a request to the gateway as metrics name it. */
export function gatewayTemplate(path: string): string | undefined {
  if (path === verifyPath || path === forwardAuthPath) return path;
  return extAuthzShape.test(path) ? '/gateway/ext-authz' : undefined;
}

/** What a proxy was told to ask for, and of which request. */
export type Question = {
  request: OriginalRequest;
  permissions: readonly Template[];
  resource: string | undefined;
  cost: string | undefined;
  parameters: Readonly<Record<string, Template>>;
};

// Proxies ask with the same few queries all the time. Anybody may send others: what is kept of one is small.
const queries = new LRUCache<string, Omit<Question, 'request'>>({ max: 1000, memoMethod: queryIn });
const longestKept = 1000;
const mostTemplates = 20;

/**
 * Answers proxies that ask before they let a request through: `/gateway/forward-auth?permission=…` (nginx `auth_request`,
 * Traefik ForwardAuth, Caddy `forward_auth`, HAProxy), and `/gateway/ext-authz/PERMISSION/RESOURCE/…` (Envoy, which appends the
 * path of the request). What is asked for comes from the proxy's configuration; whatever a client sends can only add to it.
 */
export function forwardAuth(deps: VerdictDeps & RecordDeps): Middleware {
  return async (ctx, next) => {
    const question = questionIn(ctx);
    if (!question) return next();
    ctx.set('Cache-Control', 'no-store');
    // A browser's request it may be, but a proxy asks.
    ctx.req.headers.accept = 'application/json';
    const credential = credentialOf(ctx);
    if (!credential) throw challengeFor(question.resource);
    const request = verifyRequest(ctx, question, credential);
    const verdict = await judge(deps, request, ctx.ip);
    recordUse(deps, ctx, { request, verdict });
    if (!verdict.valid) throw refuse(verdict, question.resource);
    admit(ctx, verdict);
    return undefined;
  };
}

/** What a proxy asks; undefined: it is no request of one. @throws Problem 400 */
export function questionIn(ctx: Context): Question | undefined {
  if (ctx.path === forwardAuthPath) return fromQuery(ctx);
  const [, permission, resource, path = '/'] = extAuthzShape.exec(ctx.path) ?? [];
  if (permission === undefined || resource === undefined) return undefined;
  // The query is the client's here.
  return {
    request: describe(ctx.method, path),
    permissions: [...(permission === none ? [] : [permissionTemplate(decoded(permission))]), ...fromHeader(ctx)],
    resource: resource === none ? undefined : decoded(resource),
    cost: undefined,
    parameters: {},
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw ambiguous('The address is not percent-encoded UTF-8.');
  }
}

function fromQuery(ctx: Context): Question {
  const { querystring } = ctx;
  const asked = querystring.length <= longestKept ? queries.memo(querystring) : queryIn(querystring);
  return { ...asked, request: originalRequest(ctx), permissions: [...asked.permissions, ...fromHeader(ctx)] };
}

/** @throws Problem 400: it asks for too much */
function queryIn(querystring: string): Omit<Question, 'request'> {
  const query = new URLSearchParams(querystring);
  const named = [...query].filter(([name]) => name.startsWith('parameter.'));
  const permissions = query.getAll('permission');
  if (named.length + permissions.length > mostTemplates) throw tooMuch();
  return {
    permissions: permissions.map(permissionTemplate),
    resource: query.get('resource') ?? undefined,
    cost: query.get('cost') ?? undefined,
    parameters: Object.fromEntries(named.map(([name, value]) => [name.slice('parameter.'.length), template(value)])),
  };
}

/** A proxy may add permissions in a header; a client that sends it makes its own way narrower. */
function fromHeader(ctx: Context): Template[] {
  const given = single(ctx, 'x-latchkey-permission');
  const permissions = given === undefined ? [] : given.split(' ').filter(Boolean);
  if (permissions.length > mostTemplates) throw tooMuch();
  return permissions.map(permissionTemplate);
}

const tooMuch = () => ambiguous(`Ask for ${mostTemplates} permissions and parameters at most.`);

/** @throws Problem 400, 403: the question leads to no permission */
export function verifyRequest(ctx: Context, question: Question, credential: Credential): VerifyRequest {
  const { request, resource } = question;
  const permissions = question.permissions.map((fill) => filled(fill(request)));
  const entries = Object.entries(question.parameters);
  const parameters = Object.fromEntries(entries.map(([name, fill]) => [name, filled(fill(request))]));
  const origin = single(ctx, 'origin');
  const asked = { resource, ip: ctx.ip, origin, cost: costOf(question.cost), parameters };
  const [permission] = permissions;
  const needs = permissions.length > 1 ? { permissions: { and: permissions } } : { permission };
  if ('key' in credential) return { ...asked, ...needs, key: credential.key };
  const proof = credential.scheme === 'dpop' ? single(ctx, 'dpop') : undefined;
  return { ...asked, ...needs, token: credential.token, method: request.method, url: urlOf(ctx, question), proof };
}

function filled(result: Filled): string {
  if ('problem' in result) throw notPermitted(result.problem);
  return result.text;
}

function costOf(text = '1'): number {
  if (!/^\d{1,6}$/.test(text)) throw ambiguous('The cost must be a whole number.');
  return Number(text);
}

/** The address that the client called, for which a DPoP proof was made; an API's identifier is more certain than a header. */
function urlOf(ctx: Context, { resource, request }: Question): string {
  const known = resource === undefined ? null : URL.parse(resource);
  const isWeb = known !== null && /^https?:$/.test(known.protocol);
  const scheme = single(ctx, 'x-forwarded-proto') ?? 'https';
  const origin = isWeb ? known.origin : `${scheme}://${single(ctx, 'x-forwarded-host') ?? ctx.host}`;
  return `${origin}${request.path}`;
}
