import { adminAudience } from '../../entrypoints/admin/index.ts';
import { type Answered, Gateway } from '../../entrypoints/gateway/index.ts';
import { type Logger, logRequest } from '../../platform/logging/index.ts';
import type { Metrics } from '../../platform/metrics/index.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Services } from '../services.ts';
import type { OAuth } from './oauth.ts';

type Deps = Pick<AppDeps, 'config' | 'inFlight' | 'issuer' | 'log' | 'metrics'>;
type Needs = Pick<Services, 'accessRecords' | 'apiKeys' | 'db' | 'now'>;

/** The gateway, which answers on plain Node HTTP, before Koa. */
export function openGateway(
  { config, inFlight, issuer, log, metrics }: Deps,
  { accessRecords: records, apiKeys: keys, db, now }: Needs,
  { bearers }: Pick<OAuth, 'bearers'>,
): Gateway {
  return new Gateway({
    ...{ db, now, log, keys, records, bearers, inFlight, edge: config.edge },
    observe: observing(log, metrics),
    audience: adminAudience(issuer),
    isTraced: Boolean(config.traceEndpoint),
  });
}

/** Counts and logs what is answered before Koa, as Koa's middleware does. */
export function observing(log: Logger, metrics: Metrics) {
  return ({ method, path, route, status, request_id, startedAt, isFromMemory }: Answered): void => {
    const seconds = (performance.now() - startedAt) / 1000;
    if (isFromMemory) metrics.earlyAnswer({ method, route }, seconds);
    else metrics.request({ method, route, status }, seconds);
    if (log.isLevelEnabled('info')) logRequest(log, { method, path, status, request_id, startedAt });
  };
}
