import type { Context, Middleware, Next } from 'koa';
import { form } from '../../platform/http/index.ts';
import { currentUnit } from '../token-transaction/index.ts';
import type { StoreDeps } from './models.ts';
import { findCode, findFamily } from './token-models.ts';

/**
 * Starts reading the presented code or refresh token before the provider authenticates the client: the client comes joined
 * with it, so the whole request needs this one read.
 */
export function prefetchToken(deps: StoreDeps): Middleware {
  return async (ctx: Context, next: Next) => {
    if (ctx.method === 'POST' && ctx.path === '/oauth/token') {
      const parameters = form(ctx);
      const refresh_token = parameters.get('refresh_token');
      const code = parameters.get('code');
      const readingCode = code ? findCode(deps, code) : undefined;
      const reading: Promise<unknown> | undefined = refresh_token ? findFamily(deps, refresh_token) : readingCode;
      currentUnit().prefetch = reading;
      // Whoever awaits it gets the error, instead of waiting for an outage a second time; here it would only be unheard.
      reading?.catch(() => undefined);
    }
    return next();
  };
}
