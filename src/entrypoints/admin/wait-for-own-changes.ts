import type { Middleware } from 'koa';
import type { ChangeFeed } from '../../platform/database/index.ts';

/**
 * What an answer says is done (to an administrator, to a person of their own, to a secret scanner), the next request here meets,
 * also where this node remembers what was before: an answer waits until the change feed has told of it.
 */
export function waitForOwnChanges(changes: ChangeFeed): Middleware {
  return async (ctx, next) => {
    await next();
    const isDeed = !['GET', 'HEAD', 'OPTIONS'].includes(ctx.method) && ctx.status < 400;
    if (isDeed && /^\/(admin\/|console\/|account\/|secret-scanning$)/.test(ctx.path)) await changes.catchUp();
  };
}
