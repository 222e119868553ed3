import type { Context } from 'koa';
import * as client from 'openid-client';
import type { App } from './app.ts';
import { isProviderFailure } from './provider.ts';

const orders = [
  { number: 'A-1042', what: 'Reading lamp', state: 'on its way' },
  { number: 'A-1017', what: 'Desk, oak', state: 'delivered' },
];

/**
 * A protected API (RFC 6750). It keeps no list of tokens: it introspects each token at the issuer (RFC 7662), so a revoked token is refused
 * at once. It authenticates as this app; a separate API has its own client, whose `introspects` names it.
 */
export async function answerOrders(app: App, ctx: Context): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(ctx.get('Authorization'))?.[1];
  if (!token) return refuse(ctx, 401);
  const found = await introspect(app, token);
  if (!found) return refuse(ctx, 503, 'temporarily_unavailable');
  // Active is not enough: a token for another API, or a refresh token, is active too.
  if (!found.active || ![found.aud].flat().includes(`${app.url}/api`)) return refuse(ctx, 401, 'invalid_token');
  const scopes = (found.scope ?? '').split(' ');
  if (!scopes.includes('orders:read')) return refuse(ctx, 403, 'insufficient_scope');
  ctx.body = { customer: found.sub, may_cancel: scopes.includes('orders:cancel'), orders };
  return undefined;
}

/** undefined: the issuer cannot be reached. */
async function introspect(app: App, token: string): Promise<client.IntrospectionResponse | undefined> {
  try {
    return await client.tokenIntrospection(await app.provider(), token);
  } catch (error) {
    if (isProviderFailure(error)) return undefined;
    throw error;
  }
}

/** RFC 6750 §3: a request without a token learns only how to authenticate, one with a bad token what is wrong with it. */
function refuse(ctx: Context, status: 401 | 403 | 503, error?: string): void {
  const details = [error && `error="${error}"`, status === 403 && 'scope="orders:read"'].filter(Boolean);
  if (status === 503) ctx.set('Retry-After', '2');
  else ctx.set('WWW-Authenticate', ['Bearer realm="orders"', ...details].join(', '));
  ctx.status = status;
  ctx.body = { error: error ?? 'unauthorized' };
}
