import type { ObservedAnswer } from '../../platform/http/index.ts';
import { type Logger, logRequest } from '../../platform/logging/index.ts';
import type { Metrics } from '../../platform/metrics/index.ts';

/** Counts and logs responses that are sent before Koa, as Koa's middleware does. */
export function observing(log: Logger, metrics: Metrics) {
  return ({ method, path, route, status, request_id, startedAt, isFromMemory }: ObservedAnswer): void => {
    const seconds = (performance.now() - startedAt) / 1000;
    if (isFromMemory) metrics.earlyAnswer({ method, route }, seconds);
    else metrics.request({ method, route, status }, seconds);
    if (log.isLevelEnabled('info')) logRequest(log, { method, path, status, request_id, startedAt });
  };
}
