import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type { Config } from '../config.ts';
import { secretScanningPath } from '../domain/incidents/index.ts';
import { statusListTemplate } from '../domain/status-lists/index.ts';
import { descriptionPath } from '../entrypoints/admin/index.ts';
import { endpointTemplate, isForPrograms } from '../entrypoints/oauth/index.ts';
import { isIsolatedPage, problemPage } from '../entrypoints/pages/index.ts';
import {
  boundAccept,
  parseClientAddress,
  pinHost,
  problems,
  refuseMalformedChain,
  rememberOrigin,
  securityHeaders,
} from '../platform/http/index.ts';
import { type Logger, logRequests } from '../platform/logging/index.ts';
import { type Metrics, measureRequests } from '../platform/metrics/index.ts';
import { traceRequests } from '../platform/tracing/index.ts';
import { healthPaths } from './health.ts';

export type EveryRequestDeps = {
  config: Config;
  issuer: string;
  log: Logger;
  metrics: Metrics;
  now: () => Date;
};

/** The middleware of each request before its routing. */
export function everyRequest({ config, issuer, log, metrics, now }: EveryRequestDeps): Middleware {
  return compose([
    parseClientAddress(config.edge),
    boundAccept,
    rememberOrigin,
    measureRequests(metrics, routeTemplate),
    ...(config.traceEndpoint ? [traceRequests(routeTemplate)] : []),
    logRequests(log),
    securityHeaders(issuer, {
      isForPrograms,
      isIsolated: isIsolatedPage,
    }),
    problems({ log, page: problemPage({ now, config }), isForOtherOrigins }),
    refuseMalformedChain,
    pinHost(issuer),
  ]);
}

const routeTemplate = (path: string) =>
  endpointTemplate(path) ??
  statusListTemplate(path) ??
  (healthPaths.has(path) || path === secretScanningPath ? path : undefined);

const isForOtherOrigins = (path: string) =>
  isForPrograms(path) || statusListTemplate(path) !== undefined || path === descriptionPath;
