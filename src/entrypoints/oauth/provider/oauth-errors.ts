import type { Context, Middleware, Next } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { isOutage } from '../../../platform/database/index.ts';
import { form, letOriginsRead, Problem, unavailable, withdrawAnswer } from '../../../platform/http/index.ts';
import { isForPrograms } from '../endpoints.ts';
import { hiddenContext } from './library-seams.ts';

const forBrowsers = /^\/oauth\/(authorize|logout)(\/|$)/;

/**
 * On the OAuth endpoints refusals from the edge get the RFC 6749 §5.2 shape, and answers of oidc-provider's that differ from the RFC are
 * corrected. API endpoints answer in JSON, whatever `Accept` says: some HTTP clients prefer HTML by default.
 */
export const oauthErrors: Middleware = async (ctx: Context, next: Next) => {
  if (!ctx.path.startsWith('/oauth/')) return next();
  if (!forBrowsers.test(ctx.path)) ctx.request.headers.accept = 'application/json';
  try {
    await next();
  } catch (error) {
    const problem = isOutage(error) ? unavailable() : error;
    if (!(problem instanceof Problem) || ctx.accepts('json', 'html') === 'html') throw error;
    ctx.status = problem.status;
    if (problem.status >= 500) withdrawAnswer(ctx);
    ctx.set({ ...problem.options.headers, 'Cache-Control': 'no-store' });
    if (isForPrograms(ctx.path)) letOriginsRead(ctx);
    ctx.body = errorBody(problem);
  }
  useStandardCodes(ctx);
  return undefined;
};

/** A refusal of the edge in the shape of RFC 6749 §5.2. */
export function errorBody(problem: Problem): { error: string; error_description: string } {
  return { error: errorCode(problem), error_description: inPrintableAscii(problem.message) };
}

function errorCode({ status }: Problem): string {
  if (status === 503 || status === 429) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

/** The characters that RFC 6749 §5.2 allows in a description. */
export function inPrintableAscii(text: string): string {
  return text.replaceAll(/["\\]/g, "'").replaceAll(/[^\u0020-\u007e]/g, '?');
}

const authenticatingRoutes: ReadonlySet<string> = new Set([
  'token',
  'introspection',
  'revocation',
  'pushed_authorization_request',
  'device_authorization',
]);

/** The RFC 6749 §5.2 code of a request that the library calls `invalid_request`; undefined: the same. */
function standardCode(ctx: KoaContextWithOIDC): { status: number; error: string } | undefined {
  const { oidc } = ctx;
  if (!oidc?.params || !authenticatingRoutes.has(oidc.route)) return undefined;
  const { client, params } = oidc;
  if (!client && !namesClient(ctx)) return { status: 401, error: 'invalid_client' };
  const { grant_type } = params;
  const isForeignGrant = oidc.route === 'token' && typeof grant_type === 'string' && grant_type !== '';
  if (client && isForeignGrant && !client.grantTypeAllowed(grant_type))
    return { status: 400, error: 'unauthorized_client' };
  return undefined;
}

/** Whether a request names its client. The library's parsed parameters omit duplicates. */
function namesClient(ctx: KoaContextWithOIDC): boolean {
  const sent = form(ctx);
  return ctx.headers.authorization !== undefined || sent.has('client_id') || sent.has('client_assertion');
}

/** Cases in which the library says `invalid_request` and RFC 6749 §5.2 another code. A 401 names a scheme (RFC 9110 §15.5.2). */
function useStandardCodes(ctx: Context): void {
  const body = ctx.body as { error?: string; error_description?: string } | null;
  const standard = body?.error === 'invalid_request' ? standardCode(hiddenContext(ctx)) : undefined;
  if (standard) {
    ctx.status = standard.status;
    ctx.body = { ...body, error: standard.error };
  }
  if (ctx.status === 401 && !ctx.response.get('WWW-Authenticate')) {
    // Libraries that find a challenge do not read the body: the challenge repeats it.
    const { error } = (ctx.body ?? {}) as { error?: string };
    // Not `ctx.origin`: Koa answers with the request's Origin header there. Scheme and host are the issuer's (`pinHost`).
    const realm = `${ctx.protocol}://${ctx.host}`;
    ctx.set('WWW-Authenticate', `Basic realm="${realm}"${error ? `, error="${error}"` : ''}`);
  }
  if (ctx.status === 503) ctx.set('Retry-After', '2');
  // An empty response must not be declared as text: oidc-client-ts then refuses the answer to a revocation (RFC 7009 §2.2).
  if (ctx.body === '') ctx.remove('Content-Type');
}
