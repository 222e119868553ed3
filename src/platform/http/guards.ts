import type { Context, Middleware, Next } from 'koa';
import { unknownAddress } from './addresses.ts';
import { headersForPages, headersForPrograms, hostRules, inOriginForm, judgeHost } from './edge.ts';
import { Problem } from './problems.ts';
import { clientAddress, type EdgeRules, malformedChain } from './proxy-trust.ts';

const longestAccept = 1000;
const hostless = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Disregards an `Accept` header that is longer than any meaningful one, which RFC 9110 §12.5.1 allows: the time in which it
 * is parsed grows with the square of its length.
 */
export function boundAccept({ req: { headers } }: Context, next: Next): Promise<void> {
  if (headers.accept !== undefined && headers.accept.length > longestAccept) headers.accept = '*/*';
  return next();
}

/**
 * Sets `ctx.ip` to the client's address, parsed, and removes headers that only a trusted proxy may send. Runs before anything that reads
 * the address or such a header.
 */
export function parseClientAddress(rules: EdgeRules): Middleware {
  return (ctx: Context, next: Next) => {
    const address = clientAddress(rules, ctx.req);
    ctx.request.ip = address ?? unknownAddress;
    if (address === undefined) ctx.state.malformedChain = malformedChain(rules);
    return next();
  };
}

/** Refuses a request whose trusted proxies do not state clearly where it comes from. Runs inside the error handling. */
export function refuseMalformedChain(ctx: Context, next: Next): Promise<void> {
  const { malformedChain: problem } = ctx.state;
  if (problem instanceof Problem) throw problem;
  return next();
}

/**
 * Refuses requests for another host than the issuer's (`judgeHost`); from here on every part sees the issuer's scheme and host,
 * and a target in origin form.
 */
export function pinHost(issuer: string): Middleware {
  const rules = hostRules(issuer);
  const scheme = new URL(issuer).protocol.slice(0, -1);
  return (ctx: Context, next: Next) => {
    const redirectTo = hostless.has(ctx.path) ? undefined : judgeHost(rules, ctx.req);
    useOriginForm(ctx);
    ctx.req.headers['x-forwarded-host'] = rules.host;
    ctx.req.headers['x-forwarded-proto'] = scheme;
    if (redirectTo === undefined) return next();
    ctx.redirect(redirectTo);
    return Promise.resolve();
  };
}

function useOriginForm(ctx: Context): void {
  const { url = '', headers } = ctx.req;
  const target = url.startsWith('/') ? null : URL.parse(url);
  if (!target) return;
  headers.host = target.host;
  ctx.url = inOriginForm(url);
  ctx.originalUrl = ctx.url;
  ctx.request.originalUrl = ctx.url;
}

/** Which paths need which headers. */
export type HeaderRules = {
  /** API endpoints: no headers for pages. */
  isForPrograms: (path: string) => boolean;
  /** Pages that no application opens in a popup: they drop the reference to the window that opened them. */
  isIsolated: (path: string) => boolean;
};

/**
 * Sets the security headers of every answer; those for pages are left out for API endpoints. A page that needs more
 * (a redirect to a client after a form, an inline script of the provider's) widens its own policy; none may be framed.
 * `Cross-Origin-Opener-Policy` is set on isolated pages only: applications open the authorization endpoint in a popup, and
 * their redirect page reads `window.opener` (Swagger UI does), which that header removes for good.
 */
export function securityHeaders(issuer: string, { isForPrograms, isIsolated }: HeaderRules): Middleware {
  const forPages = Object.entries(headersForPages(issuer));
  const forPrograms = Object.entries(headersForPrograms(issuer));
  return async (ctx: Context, next: Next) => {
    const isLean = isForPrograms(ctx.path);
    setAll(ctx, isLean ? forPrograms : forPages);
    if (isIsolated(ctx.path)) ctx.res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    await next();
    // A browser navigated here all the same, and shows the error.
    if (isLean && ctx.type === 'text/html') setAll(ctx, forPages);
  };
}

function setAll(ctx: Context, headers: readonly (readonly [string, string])[]): void {
  for (const [name, value] of headers) ctx.res.setHeader(name, value);
}
