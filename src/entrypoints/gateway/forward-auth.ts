import type { Context, Middleware } from 'koa';
import { LRUCache } from 'lru-cache';
import { type Problem, requestOrigin } from '../../platform/http/index.ts';
import { ambiguous, type Credential, credentialOf, single } from './credentials.ts';
import type { Inquiry } from './gateway-request.ts';
import { type DescribedBy, OriginalRequest, originalRequest } from './original-request.ts';
import { isPreflight } from './preflights.ts';
import { admit, admitPreflight, challengeFor, notPermitted, refuse } from './proxy-answers.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import type { VerifyRequest } from './schemas.ts';
import { type Filled, permissionTemplate, type Template, template } from './templates.ts';
import { judge, type VerdictDeps } from './verdicts.ts';
import { verifyPath } from './verify.ts';

export const forwardAuthPath = '/gateway/forward-auth';

type Deps = VerdictDeps & RecordDeps & { now: () => Date; issuer: string };

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
  describedBy: DescribedBy | undefined;
  /** Whether CORS preflights pass without a credential. */
  admitsPreflight: boolean;
  /** Names and values. */
  parameters: readonly (readonly [string, Template])[];
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
export function forwardAuth(deps: Deps): Middleware {
  return (ctx, next) => {
    const question = questionIn(ctx);
    return question ? answer(deps, ctx, question) : next();
  };
}

async function answer(deps: Deps, ctx: Context, question: Question): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  // A browser's request it may be, but a proxy asks.
  ctx.req.headers.accept = 'application/json';
  const credential = credentialOf(ctx, deps.issuer);
  if (!credential && question.admitsPreflight && isPreflight(ctx, question.request)) return admitPreflight(ctx);
  if (!credential) throw challengeFor(question.resource);
  const request = verifyRequest(ctx, question, credential);
  const verdict = await judge(deps, request, deps.keys.senderAt(ctx.ip));
  recordUse(deps, { request, verdict, from: ctx.ip, request_id: requestOrigin(ctx).request_id });
  if (!verdict.valid) throw refuse(verdict, question.resource, deps.now());
  admit(ctx, verdict, deps.now());
}

/** What a proxy asks; undefined: it is no request of one. @throws Problem 400 */
export function questionIn(inquiry: Inquiry): Question | undefined {
  if (inquiry.path === forwardAuthPath) return fromQuery(inquiry);
  const [, permission, resource, path = '/'] = extAuthzShape.exec(inquiry.path) ?? [];
  if (permission === undefined || resource === undefined) return undefined;
  // The query is the client's here.
  return {
    request: new OriginalRequest(inquiry.req.headers, { method: inquiry.method, uri: path }),
    permissions: [...(permission === none ? [] : [permissionTemplate(decoded(permission))]), ...fromHeader(inquiry)],
    resource: resource === none ? undefined : decoded(resource),
    cost: undefined,
    describedBy: undefined,
    // Envoy answers or forwards preflights itself, and here the method is the client's word.
    admitsPreflight: false,
    parameters: [],
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw ambiguous('The address is not percent-encoded UTF-8.');
  }
}

function fromQuery(inquiry: Inquiry): Question {
  const { querystring } = inquiry;
  const asked = querystring.length <= longestKept ? queries.memo(querystring) : queryIn(querystring);
  const { permissions, describedBy } = asked;
  const added = fromHeader(inquiry);
  const all = added.length === 0 ? permissions : [...permissions, ...added];
  return { ...asked, request: originalRequest(inquiry, describedBy), permissions: all };
}

/** @throws Problem 400: it asks for too much, or for something that is not known */
function queryIn(querystring: string): Omit<Question, 'request'> {
  const query = new URLSearchParams(querystring);
  const parameters: [string, Template][] = [];
  for (const [name, value] of query) {
    if (name.startsWith(parameterPrefix) && name !== parameterPrefix)
      parameters.push([name.slice(parameterPrefix.length), template(value)]);
    else if (!queryNames.has(name)) throw unknownName(name);
    if (name !== 'permission' && query.getAll(name).length > 1)
      throw ambiguous(`Give ${shown(name)} once in the query.`);
    if (value === '' && !name.startsWith(parameterPrefix)) throw ambiguous(`${shown(name)} in the query has no value.`);
  }
  const permissions = query.getAll('permission');
  if (parameters.length + permissions.length > mostTemplates) throw tooMuch();
  return {
    permissions: permissions.map(permissionTemplate),
    resource: query.get('resource') ?? undefined,
    cost: query.get('cost') ?? undefined,
    admitsPreflight: oneOf(query, 'preflight', ['allow']) === 'allow',
    describedBy: oneOf(query, 'described-by', ['x-original', 'x-forwarded']),
    parameters,
  };
}

const parameterPrefix = 'parameter.';
const queryNames: ReadonlySet<string> = new Set(['permission', 'resource', 'cost', 'preflight', 'described-by']);

/** The query is the proxy's configuration: one that is mistyped would ask for less than its operator means. */
function unknownName(name: string): Problem {
  const known = [...queryNames, `${parameterPrefix}NAME`].join(', ');
  return ambiguous(`The query names ${shown(name)}, which is not known. It may name ${known}.`);
}

const longestShown = 64;
const shown = (name: string) => `"${name.slice(0, longestShown)}"`;

/** @throws Problem 400: it says something else */
function oneOf<Value extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const said = query.get(name);
  const value = values.find((each) => each === said);
  if (said !== null && value === undefined)
    throw ambiguous(`${name} must be ${values.map(shown).join(' or ')}, or be left out.`);
  return value;
}

/** A proxy may add permissions in a header; a client that sends it makes its own way narrower. */
function fromHeader(inquiry: Inquiry): readonly Template[] {
  const given = single(inquiry, 'x-latchkey-permission');
  if (given === undefined) return [];
  const permissions = given.split(' ').filter(Boolean);
  if (permissions.length > mostTemplates) throw tooMuch();
  return permissions.map(permissionTemplate);
}

const tooMuch = () => ambiguous(`Ask for ${mostTemplates} permissions and parameters at most.`);

/** @throws Problem 400, 403: the question leads to no permission */
export function verifyRequest(inquiry: Inquiry, question: Question, credential: Credential): VerifyRequest {
  const { request, resource } = question;
  const filledIn = question.permissions.map((fill) => filled(fill(request)));
  const isOne = filledIn.length <= 1;
  const [permission, permissions] = isOne ? [filledIn[0], undefined] : [undefined, { and: filledIn }];
  const named = question.parameters.map(([name, fill]) => [name, filled(fill(request))] as const);
  const parameters = named.length === 0 ? undefined : Object.fromEntries(named);
  const asked = { permission, permissions, resource, ip: inquiry.ip, origin: single(inquiry, 'origin') };
  const counted = { cost: costOf(question.cost), parameters };
  if ('key' in credential) return { key: credential.key, ...asked, ...counted };
  const { token, scheme } = credential;
  const proof = scheme === 'dpop' ? single(inquiry, 'dpop') : undefined;
  return { token, ...asked, ...counted, method: request.method, url: urlOf(inquiry, question), proof };
}

function filled(result: Filled): string {
  if ('problem' in result) throw notPermitted(result.problem);
  return result.text;
}

function costOf(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^\d{1,6}$/.test(text)) throw ambiguous('The cost must be a whole number.');
  return Number(text);
}

/** The address that the client called, for which a DPoP proof was made; an API's identifier is more certain than a header. */
function urlOf(inquiry: Inquiry, { resource, request }: Question): string {
  const known = resource === undefined ? null : URL.parse(resource);
  const isWeb = known !== null && /^https?:$/.test(known.protocol);
  const scheme = single(inquiry, 'x-forwarded-proto') ?? 'https';
  const origin = isWeb ? known.origin : `${scheme}://${single(inquiry, 'x-forwarded-host') ?? inquiry.host}`;
  return `${origin}${request.path}`;
}
