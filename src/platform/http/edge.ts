import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isLoopbackName } from './addresses.ts';
import { Problem } from './problems.ts';

// Rules for every request: Koa's middleware (`guards.ts`) and the gateway on plain Node HTTP both call these functions.
// The client's address is in `proxy-trust.ts`, bodies are in `form-body.ts` and `json-body.ts`, refusals in `problems.ts`.

const requestIdShape = /^[A-Za-z0-9._-]{8,64}$/;

/** The id of a request: the one that came with it if it is well-formed, otherwise a new one. */
export function requestIdFor(given: unknown): string {
  return typeof given === 'string' && requestIdShape.test(given) ? given : randomUUID();
}

/** How often a header was sent; Node joins some duplicates and drops others. `name` is in lower case. */
export function timesSent(rawHeaders: readonly string[], name: string): number {
  let times = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const written = rawHeaders[n] ?? '';
    if (written.length === name.length && (written === name || written.toLowerCase() === name)) times += 1;
  }
  return times;
}

const absoluteForm = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i;

/** The request target in origin form, unchanged; one in absolute form loses its scheme and host (RFC 9112 §3.2.2). */
export function inOriginForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(absoluteForm, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The issuer in the form in which hosts are compared. */
export type HostRules = { issuer: string; host: string; hostname: string; port: string; withPort: string };

const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443' };

export function hostRules(issuer: string): HostRules {
  const { host, hostname, port, protocol } = new URL(issuer);
  return { issuer, host, hostname, port, withPort: `${hostname}:${port || defaultPorts[protocol]}` };
}

/** Whether a request names this host and no other, in the usual form; other spellings may name it, too. */
export function plainlyNames(
  host: string,
  { headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
): boolean {
  const { host: named, 'x-forwarded-host': forwarded = named } = headers;
  return named === host && forwarded === host && timesSent(rawHeaders, 'host') === 1;
}

type Named = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'url' | 'method'>;

/**
 * Checks the host that a request names. Endpoint URLs, redirects and audiences follow the request's host inside oidc-provider, so
 * only the issuer's is accepted.
 *
 * @returns where to redirect: a GET under another loopback name goes to the right one; undefined: it names the issuer
 * @throws Problem 400: several Host headers; 421: another host
 */
export function judgeHost(rules: HostRules, request: Named): string | undefined {
  if (!namesLoopbackAlias(rules, request)) return undefined;
  if (request.method !== 'GET') throw misdirected(rules.issuer);
  return `${new URL(rules.issuer).origin}${inOriginForm(request.url ?? '')}`;
}

/**
 * The same check for an API whose responses do not depend on the request's host: it accepts every loopback name of an issuer on this
 * machine. An address that another site chose still names another host, so that its pages cannot call the API.
 *
 * @throws Problem 400, 421
 */
export function mustNameServer(rules: HostRules, request: Named): void {
  namesLoopbackAlias(rules, request);
}

/** A target in absolute form outweighs the Host header (RFC 9112 §3.2.2). @throws Problem 400, 421 */
function namesLoopbackAlias(rules: HostRules, request: Named): boolean {
  const { url = '' } = request;
  if (url.startsWith('/') && plainlyNames(rules.host, request)) return false;
  // Two parties on the path could each read a different one.
  if (timesSent(request.rawHeaders, 'host') > 1)
    throw new Problem(400, 'invalid_request', { title: 'Invalid request', detail: 'Send one Host header.' });
  const named = namedHost(request);
  if (named === rules.host || named === rules.withPort) return false;
  const { hostname, port } = splitHost(named);
  if (isLoopbackName(hostname) && isLoopbackName(rules.hostname) && port === rules.port) return true;
  throw misdirected(rules.issuer);
}

function namedHost({ headers, url = '' }: Named): string {
  const forwarded = String(headers['x-forwarded-host'] ?? '')
    .split(',')[0]
    ?.trim();
  const target = url.startsWith('/') ? null : URL.parse(url);
  return (forwarded || (target ? target.host : headers.host) || '').toLowerCase();
}

function splitHost(host: string): { hostname: string; port: string } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(host);
  return { hostname: match?.[1] ?? '', port: match?.[2] ?? '' };
}

function misdirected(issuer: string): Problem {
  return new Problem(421, 'misdirected', {
    title: 'Misdirected request',
    detail: `This server answers as ${issuer} only.`,
  });
}

/** Headers of responses that are not pages: a browser that displays one all the same shows and runs nothing. */
export function headersForPrograms(issuer: string): Record<string, string> {
  return {
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    ...(issuer.startsWith('https:') ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  };
}

/** Headers of pages. */
export function headersForPages(issuer: string): Record<string, string> {
  return {
    ...headersForPrograms(issuer),
    'Content-Security-Policy': contentSecurityPolicy(["'self'"]),
    'X-Frame-Options': 'DENY',
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    'Referrer-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  };
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
