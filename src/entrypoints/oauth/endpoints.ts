import type { Context, Middleware } from 'koa';
import { form, invalid, methodNotAllowed } from '../../platform/http/index.ts';

/** The paths of oidc-provider's endpoints. */
export const routes = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  userinfo: '/oauth/userinfo',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  end_session: '/oauth/logout',
  pushed_authorization_request: '/oauth/par',
  device_authorization: '/oauth/device_authorization',
  code_verification: '/device',
  jwks: '/oauth/jwks',
};

/** Where clients register themselves (RFC 7591). The provider does not serve it. */
export const registrationPath = '/oauth/register';

/** Constant for each provider. */
export const publishedDocuments = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  routes.jwks,
];

const programEndpoints = new Set<string>([
  routes.token,
  routes.userinfo,
  routes.introspection,
  routes.revocation,
  routes.pushed_authorization_request,
  routes.device_authorization,
  registrationPath,
  ...publishedDocuments,
]);

/** Whether the address is an API endpoint; all others are for browsers. */
export function isForPrograms(path: string): boolean {
  return programEndpoints.has(path);
}

const methods: Readonly<Record<string, string>> = {
  [routes.authorization]: 'GET, HEAD, POST',
  [routes.token]: 'POST, OPTIONS',
  [routes.userinfo]: 'GET, HEAD, POST, OPTIONS',
  [routes.introspection]: 'POST, OPTIONS',
  [routes.revocation]: 'POST, OPTIONS',
  [routes.end_session]: 'GET, HEAD, POST',
  [`${routes.end_session}/confirm`]: 'POST',
  [`${routes.end_session}/success`]: 'GET, HEAD',
  [routes.pushed_authorization_request]: 'POST, OPTIONS',
  [routes.device_authorization]: 'POST, OPTIONS',
  [routes.code_verification]: 'GET, HEAD, POST',
  [routes.jwks]: 'GET, HEAD, OPTIONS',
  '/.well-known/openid-configuration': 'GET, HEAD, OPTIONS',
  '/.well-known/oauth-authorization-server': 'GET, HEAD, OPTIONS',
};

const resumed = /^\/(oauth\/authorize|device)\/[^/]+$/;

/**
 * Whether oidc-provider answers this request. Its router accepts any case and a trailing slash; middleware that compares paths could be
 * bypassed so (RFC 3986 §6.2.2.1: paths are case-sensitive).
 *
 * @throws Problem 405: the path accepts other methods
 */
export function isEndpoint({ method, path }: Pick<Context, 'method' | 'path'>): boolean {
  const allowed = Object.hasOwn(methods, path) ? methods[path] : resumed.test(path) && 'GET, HEAD';
  if (!allowed) return false;
  if (!allowed.split(', ').includes(method)) throw methodNotAllowed(method, allowed);
  return true;
}

const visited = new Set<string>([routes.authorization, routes.end_session]);

// With cookies and the other headers, a longer address exceeds what this server and proxies accept.
const longestQuery = 12 * 1024;

/**
 * Clients may post an authorization or logout request through the browser (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2): it is
 * redirected to a GET, with which the browser also sends the Lax session cookie.
 *
 * @throws Problem 400: it is too long for an address
 */
export const visitPosted: Middleware = async (ctx, next) => {
  if (ctx.method !== 'POST' || !visited.has(ctx.path)) return next();
  const query = String(form(ctx));
  if (query.length > longestQuery)
    throw invalid('', `The parameters may have ${longestQuery} characters. A longer request can be pushed (RFC 9126).`);
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(`${ctx.path}?${query}`);
  return undefined;
};

/** The template of an endpoint's path, for metrics and traces; undefined for other paths. */
export function endpointTemplate(path: string): string | undefined {
  if (Object.hasOwn(methods, path) || path === registrationPath) return path;
  return resumed.test(path) ? path.replace(/[^/]+$/, ':uid') : undefined;
}
