import type { Context, Middleware, Next } from 'koa';
import type { Metrics } from './metrics.ts';

/**
 * Measures every request. The label is the template of the route that answered, never the path itself: paths contain ids, and a client that
 * sends arbitrary paths must not create new time series.
 *
 * @param templateOf the template of a path that no router of ours matched
 */
export function measureRequests(metrics: Metrics, templateOf: (path: string) => string | undefined): Middleware {
  return async (ctx: Context, next: Next) => {
    const startedAt = performance.now();
    try {
      await next();
    } finally {
      const matched = typeof ctx._matchedRoute === 'string' ? ctx._matchedRoute : templateOf(ctx.path);
      const route = matched ?? 'other';
      metrics.request({ method: ctx.method, route, status: ctx.status }, (performance.now() - startedAt) / 1000);
    }
  };
}
