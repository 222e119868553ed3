import type { Context, Middleware, Next } from 'koa';
import { Problem } from '../platform/http/index.ts';

/**
 * On the OAuth endpoints refusals from the edge get the RFC 6749 §5.2 shape, and answers of oidc-provider's that the RFC
 * words otherwise are put right.
 */
export const oauthErrors: Middleware = async (ctx: Context, next: Next) => {
  if (!ctx.path.startsWith('/oauth/')) return next();
  try {
    await next();
  } catch (error) {
    if (!(error instanceof Problem) || ctx.accepts('json', 'html') === 'html') throw error;
    ctx.status = error.status;
    ctx.set({ ...error.options.headers, 'Cache-Control': 'no-store' });
    ctx.body = { error: errorCode(error), error_description: error.message };
  }
  useStandardCodes(ctx);
  return undefined;
};

function errorCode({ status }: Problem): string {
  if (status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

/** A grant the client is not registered for is `unauthorized_client` (RFC 6749 §5.2); the library says `invalid_request`. */
function useStandardCodes(ctx: Context): void {
  const body = ctx.body as { error?: string; error_description?: string } | null;
  if (
    body?.error === 'invalid_request' &&
    body.error_description === 'requested grant type is not allowed for this client'
  ) {
    ctx.body = { ...body, error: 'unauthorized_client' };
  }
  if (ctx.status === 503) ctx.set('Retry-After', '2');
}
