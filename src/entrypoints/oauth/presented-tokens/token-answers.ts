import type { Middleware } from 'koa';
import { currentUnit } from '../unit-of-work/index.ts';

/**
 * A resource server's token is also accepted at userinfo if that was granted, so the response's `scope` names both (RFC 6749 §5.1): a
 * client that refreshes with the returned scope would otherwise lose the other one.
 */
export const nameIdentityScope: Middleware = async (ctx, next) => {
  await next();
  const { identity_scope, scope } = currentUnit().writes.access_token ?? {};
  if (!identity_scope || ctx.status >= 400) return;
  ctx.body = { ...(ctx.body as object), scope: [identity_scope, scope].filter(Boolean).join(' ') };
};
