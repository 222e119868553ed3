import { adminAudience } from '../../entrypoints/admin/index.ts';
import { Gateway } from '../../entrypoints/gateway/index.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Services } from '../services.ts';
import type { OAuth } from './oauth.ts';
import { observing } from './observing.ts';

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
