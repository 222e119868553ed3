import type { Context, Middleware, Next } from 'koa';
import { form } from '../../platform/http/index.ts';
import { routes } from '../endpoints.ts';
import { currentUnit } from '../token-transaction/index.ts';
import type { StoreDeps } from './models.ts';
import { findAccessToken, findCode, findFamily } from './token-models.ts';

const aboutTokens: readonly string[] = [routes.introspection, routes.revocation];

/**
 * Starts reading the presented credential before the provider authenticates the client. At the token endpoint the client
 * comes joined with it, so the whole request needs this one read; at introspection, where another client asks than the
 * token's, both reads leave in one packet.
 */
export function prefetchToken(deps: StoreDeps): Middleware {
  return (ctx: Context, next: Next) => {
    if (ctx.method === 'POST' && ctx.path === routes.token) {
      const parameters = form(ctx);
      const refresh_token = parameters.get('refresh_token');
      const code = parameters.get('code');
      const readingCode = code ? findCode(deps, code) : undefined;
      const reading: Promise<unknown> | undefined = refresh_token ? findFamily(deps, refresh_token) : readingCode;
      currentUnit().prefetch = reading;
      unheard(reading);
    }
    if (ctx.method === 'POST' && aboutTokens.includes(ctx.path)) {
      const token = form(ctx).get('token') ?? '';
      unheard(Promise.all([findAccessToken(deps, token), findFamily(deps, token)]));
    }
    return next();
  };
}

/** Whoever asks for it next gets the error, instead of waiting for an outage a second time; here it would only be unheard. */
function unheard(reading: Promise<unknown> | undefined): void {
  reading?.catch(() => undefined);
}
