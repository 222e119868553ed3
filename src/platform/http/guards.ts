import type { IncomingMessage } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import { isLoopbackName, unknownAddress } from './addresses.ts';
import { Problem } from './problems.ts';
import { clientAddress, type EdgeRules, malformedChain } from './proxy-trust.ts';

const longestAccept = 1000;
const hostless = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Disregards an `Accept` header that is longer than any that means something, which RFC 9110 §12.5.1 allows: the time in which it
 * is parsed grows with the square of its length.
 */
export function boundAccept({ req: { headers } }: Context, next: Next): Promise<void> {
  if (headers.accept !== undefined && headers.accept.length > longestAccept) headers.accept = '*/*';
  return next();
}

/**
 * Makes `ctx.ip` the client's address, parsed, and removes what only a trusted proxy may say. Comes before whatever asks for
 * the address or reads such a header.
 */
export function parseClientAddress(rules: EdgeRules): Middleware {
  return (ctx: Context, next: Next) => {
    const address = clientAddress(rules, ctx.req);
    ctx.request.ip = address ?? unknownAddress;
    if (address === undefined) ctx.state.malformedChain = malformedChain(rules);
    return next();
  };
}

/** Refuses a request whose trusted proxies do not say clearly where it comes from. Comes where a refusal is answered. */
export function refuseMalformedChain(ctx: Context, next: Next): Promise<void> {
  const { malformedChain: problem } = ctx.state;
  if (problem instanceof Problem) throw problem;
  return next();
}

/**
 * Refuses requests for another host than the issuer's (421): endpoint URLs, redirects and audiences follow the request's
 * Host inside oidc-provider. A loopback GET under another loopback name is sent to the right one. From here on every part
 * sees the issuer's scheme and host.
 */
export function pinHost(issuer: string): Middleware {
  const { host, hostname, origin, port, protocol } = new URL(issuer);
  return (ctx: Context, next: Next) => {
    const { headers } = ctx.req;
    const asked = askedHost(ctx);
    headers['x-forwarded-host'] = host;
    headers['x-forwarded-proto'] = protocol.slice(0, -1);
    if (hostless.has(ctx.path) || asked === host || asked === `${hostname}:${port || defaultPorts[protocol]}`)
      return next();
    const { hostname: askedName, port: askedPort } = splitHost(asked);
    const isLoopbackAlias = isLoopbackName(askedName) && isLoopbackName(hostname) && askedPort === port;
    if (!isLoopbackAlias || ctx.method !== 'GET') throw misdirected(issuer);
    ctx.redirect(`${origin}${ctx.url}`);
    return Promise.resolve();
  };
}

/** The host a request names. A target in absolute form outweighs the Host header (RFC 9112 §3.2.2), and is made relative here. */
function askedHost(ctx: Context): string {
  const { headers, rawHeaders, url = '' } = ctx.req;
  if (timesSent(rawHeaders, 'host') > 1) throw ambiguousHost();
  const target = url.startsWith('/') ? null : URL.parse(url);
  if (target) {
    headers.host = target.host;
    ctx.url = `${target.pathname}${target.search}`;
    ctx.originalUrl = ctx.url;
    ctx.request.originalUrl = ctx.url;
  }
  const forwarded = ctx.get('X-Forwarded-Host').split(',')[0]?.trim();
  return (forwarded || headers.host || '').toLowerCase();
}

// RFC 9112 §3.2: of two parties on the way each could believe another one.
function ambiguousHost(): Problem {
  return new Problem(400, 'invalid_request', { title: 'Invalid request', detail: 'Send one Host header.' });
}

const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443' };

function splitHost(host: string): { hostname: string; port: string } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(host.toLowerCase());
  return { hostname: match?.[1] ?? '', port: match?.[2] ?? '' };
}

function misdirected(issuer: string): Problem {
  return new Problem(421, 'misdirected', {
    title: 'Misdirected request',
    detail: `This server answers as ${issuer} only.`,
  });
}

/** Which addresses need which headers. */
export type HeaderRules = {
  /** Only programs call there: the headers for pages are left out. */
  isForPrograms: (path: string) => boolean;
  /** Pages that no application opens in a popup: they drop the reference to the window that opened them. */
  isIsolated: (path: string) => boolean;
};

/**
 * Sets the security headers of every answer; those for pages are left out where only programs call. A page that needs more
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
    // A browser came here all the same, and is shown why that is wrong.
    if (isLean && ctx.type === 'text/html') setAll(ctx, forPages);
  };
}

function setAll(ctx: Context, headers: readonly (readonly [string, string])[]): void {
  for (const [name, value] of headers) ctx.res.setHeader(name, value);
}

/** Of what no browser shows: enough that one which does shows nothing and runs nothing. */
export function headersForPrograms(issuer: string): Record<string, string> {
  return {
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    ...(issuer.startsWith('https:') ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  };
}

function headersForPages(issuer: string): Record<string, string> {
  return {
    ...headersForPrograms(issuer),
    'Content-Security-Policy': contentSecurityPolicy(["'self'"]),
    'X-Frame-Options': 'DENY',
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    'Referrer-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  };
}

/** Whether a request names this host and no other, in the usual form; what is written otherwise may still be meant for it. */
export function plainlyNames(host: string, { headers, rawHeaders }: IncomingMessage): boolean {
  const { host: named, 'x-forwarded-host': forwarded = named } = headers;
  return named === host && forwarded === host && timesSent(rawHeaders, 'host') === 1;
}

/** How often a header came, of which Node joins some and drops others; by names and values in turn, and its name in lower case. */
export function timesSent(rawHeaders: readonly string[], name: string): number {
  let times = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const written = rawHeaders[n] ?? '';
    if (written.length === name.length && (written === name || written.toLowerCase() === name)) times += 1;
  }
  return times;
}

/**
 * The policy with these targets for forms, redirects after them included (Chrome checks both); without targets, where the
 * provider's own forms lead to clients' addresses.
 */
export function contentSecurityPolicy(formAction?: readonly string[]): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "script-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(formAction ? [`form-action ${formAction.join(' ')}`] : []),
  ].join('; ');
}
