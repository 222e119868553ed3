import type { Middleware } from 'koa';
import type { ChangeFeed } from '../../platform/database/index.ts';

/**
 * Delays the response to a change until the change feed has delivered it to this node, so that the next request here does not
 * read a cached earlier state. Applies to the admin API, the console, the account and leak reports.
 */
export function waitForOwnChanges(changes: ChangeFeed): Middleware {
  return async (ctx, next) => {
    await next();
    const isChange = !['GET', 'HEAD', 'OPTIONS'].includes(ctx.method) && ctx.status < 400;
    if (isChange && /^\/(admin\/|console\/|account\/|secret-scanning$)/.test(ctx.path)) await changes.catchUp();
  };
}
