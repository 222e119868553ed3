import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import Koa, { type Context, type Middleware } from 'koa';
import compose from 'koa-compose';
import { permissionsAt } from './access/index.ts';
import { AccessRecords } from './access-records/index.ts';
import { adminApi, adminAudience, adminRoutes, knownHere } from './admin/index.ts';
import { KeyVerifier } from './api-keys/index.ts';
import { Refusals, Sealer } from './audit/index.ts';
import { SecretGuesses } from './clients/index.ts';
import type { Config } from './config.ts';
import { Expiry } from './expiry/index.ts';
import { gateway as gatewayOf, gatewayTemplate } from './gateway/index.ts';
import { healthPaths, healthRoutes } from './health.ts';
import { secretScanning, secretScanningPath } from './incidents/index.ts';
import type { Installation } from './installation.ts';
import { mailLinks, Notifier, sendMail } from './notifications/index.ts';
import {
  type BearerDeps,
  bearerOf,
  Committer,
  clientCertificates,
  clientMetadataRules,
  deliverLogout,
  endpointTemplate,
  isFirstUse,
  isForPrograms,
  oauthErrors,
  openProvider,
  type ProviderDeps,
  prefetchToken,
  publishedDocuments,
  Reader,
  recordUses,
  resolveStructuredTokens,
  unitOfWork,
} from './oidc/index.ts';
import {
  type PagesDeps,
  pageRoutes,
  problemPage,
  providerForms,
  providerPagePolicy,
  providerPages,
  serveAssets,
  userCodeEntry,
} from './pages/index.ts';
import {
  believeProxies,
  disbelieveProxies,
  type EarlyAnswer,
  headersForPrograms,
  pinHost,
  problems,
  RepeatedAnswers,
  readForm,
  rememberOrigin,
  securityHeaders,
} from './platform/http/index.ts';
import { Jobs } from './platform/jobs/index.ts';
import { type Logger, logRequest, logRequests } from './platform/logging/index.ts';
import { type Metrics, measureRequests } from './platform/metrics/index.ts';
import { guardedFetch, guardedPost } from './platform/outbound/index.ts';
import { traceRequests } from './platform/tracing/index.ts';
import { ResourceServers } from './resource-servers/index.ts';
import { StatusIndexes, StatusLists, statusListRoutes, statusListTemplate } from './status-lists/index.ts';
import { hashingLoad, Throttles } from './users/index.ts';

export type App = { answer: RequestListener; close: () => Promise<void> };
export type AppDeps = {
  config: Config;
  issuer: string;
  version: string;
  installation: Installation;
  log: Logger;
  metrics: Metrics;
  demo?: Middleware | undefined;
};

const webhookTimeoutMs = 10_000;

/** Composes the entrances. What is opened here is closed here, in reverse order. */
export async function createApp({ config, issuer, version, installation, log, metrics, demo }: AppDeps): Promise<App> {
  const { changes, database, databaseUrl, keys, now, rootKey } = installation;
  const { db } = database;
  const allowLoopback = config.environment === 'development';
  const reader = new Reader(database, now);
  const committer = new Committer(database, now, metrics);
  const jobs = new Jobs(databaseUrl, log);
  const store = { db, database, reader, keys, now };
  const throttles = new Throttles(database.pool);
  const refusals = new Refusals({ db, now, log });
  refusals.start();
  const accessRecords = new AccessRecords({ db, now, log });
  const { apiKeyEnvironments: environments, apiKeyLimits: limits } = config;
  const apiKeys = new KeyVerifier({ db, changes, now, log, environments, limits });
  const providerDeps: ProviderDeps = {
    ...store,
    apiKeys,
    refusals,
    secretGuesses: new SecretGuesses((attempt) => throttles.countWrongSecret(attempt), now),
    jobs,
    issuer,
    lifetimes: config,
    resourceServers: new ResourceServers(db, changes),
    statusIndexes: new StatusIndexes(db, now),
    clientCertificates: clientCertificates(
      { header: config.clientCertificateHeader, caFile: config.clientCaFile },
      now,
    ),
    permissionsOf: (user_id, resource) => permissionsAt(db, user_id, resource, now()),
    pages: providerPages({ db, now, config }),
    fetch: guardedFetch({ allowLoopback }),
    log,
  };
  const provider = await openProvider({ ...providerDeps, rootKey, changes });
  const { keyActivationSeconds } = config;
  const admin = {
    db,
    jobs,
    refusals,
    keys,
    now,
    rootKey,
    issuer,
    version,
    keyActivationSeconds,
    environments,
    allowHttp: allowLoopback,
    mailLink: config.mail && mailLinks({ jobs, keys }),
    validateMetadata: clientMetadataRules(),
  };
  const routes = adminRoutes(admin);
  const pages: PagesDeps = {
    ...store,
    jobs,
    throttles,
    refusals,
    provider: () => provider,
    issuer,
    version,
    config,
    demo: demo !== undefined,
    admin: { routes, audience: adminAudience(issuer) },
  };

  const observe = ({ method, path, request_id, startedAt }: EarlyAnswer) => {
    metrics.request({ method, route: path, status: 200 }, (performance.now() - startedAt) / 1000);
    logRequest(log, { method, path, status: 200, request_id, startedAt });
  };
  const documents = new RepeatedAnswers({
    issuer,
    paths: publishedDocuments,
    version: provider.current,
    observe,
  });
  const koa = new Koa({ proxy: true, maxIpsCount: config.trustedProxyHops });
  koa.keys = keys.all('cookie').map(({ key }) => key.toString('base64url'));
  koa.silent = true;
  koa.use(documents.keep);
  const bearers: BearerDeps = {
    ...providerDeps,
    signingKeys: provider.keys,
    isFirstUse: (iss, jti, exp) => isFirstUse(db, iss, jti, exp),
  };
  const audience = adminAudience(issuer);
  const warm = {
    contextOf: (request: IncomingMessage, response: ServerResponse) => {
      if (!config.trustProxy) disbelieveProxies(request);
      return koa.createContext(request, response) as Context;
    },
    headers: headersForPrograms(issuer),
    host: new URL(issuer).host,
    longWay: (request: IncomingMessage, response: ServerResponse) => listener(request, response),
    observe,
  };
  const gateway = gatewayOf({ db, now, keys: apiKeys, bearers, audience, records: accessRecords, warm });
  koa.use(everyRequest({ config, issuer, log, metrics, now, beforeHostCheck: gateway.forProxies }));
  koa.use(gateway.forServices);
  const { secretScanningKeys, leakPolicy: policy } = config;
  if (secretScanningKeys) {
    const scanner = { url: secretScanningKeys, fetch: guardedFetch({ allowLoopback }) };
    koa.use(secretScanning({ db, now, jobs, keys, policy, scanner, log }));
  }
  koa.use(statusListRoutes(new StatusLists({ db, issuer, now, signingKeys: provider.keys })));
  const unit = unitOfWork({ log, db, committer, keys, metrics, now, refreshGraceSeconds: config.refreshGraceSeconds });
  const forPrograms = compose([
    oauthErrors,
    readForm,
    unit,
    prefetchToken(store),
    resolveStructuredTokens(issuer, provider.keys),
    recordUses(accessRecords),
    provider.middleware,
  ]);
  const forBrowsers = compose([
    healthRoutes(installation),
    serveAssets,
    oauthErrors,
    readForm,
    ...(demo ? [demo] : []),
    providerPagePolicy,
    knownHere(changes),
    adminApi({ ...admin, routes, bearerOf: (ctx, audience) => bearerOf(bearers, ctx, audience) }),
    unit,
    providerForms(issuer),
    userCodeEntry(pages),
    pageRoutes(pages),
    provider.middleware,
  ]);
  koa.use((ctx, next) => (isForPrograms(ctx.path) ? forPrograms : forBrowsers)(ctx, next));
  jobs.handle('backchannel-logout', deliverLogout(provider.current, store));
  const expiry = new Expiry(store);
  if (config.mail) jobs.handle('mail', sendMail({ keys, now }, config.mail));
  jobs.handle('remove-expired', async () => {
    log.info({ removed: await expiry.removeExpired() }, 'removed what has expired');
  });
  const post = guardedPost({ allowLoopback, timeoutMs: webhookTimeoutMs });
  const notifier = new Notifier({ db, keys, now, log, jobs, post, write: config.auditToStdout ? writeOut : undefined });
  const sealer = new Sealer({ db, keys, log, onHead: () => notifier.look() });
  measureResources(metrics, installation, sealer);
  await jobs.start();
  await notifier.start();
  sealer.start();
  const listener: RequestListener = koa.callback();
  return {
    answer: (request, response) => {
      if (documents.answer(request, response)) return;
      // Whoever traces wants to see everything.
      if (!config.traceEndpoint && gateway.answer(request, response)) return;
      listener(request, response);
    },
    close: async () => {
      provider.close();
      await notifier.close();
      await jobs.close();
      await apiKeys.close();
      await refusals.close();
      await accessRecords.close();
      await sealer.close();
    },
  };
}

type EveryRequestDeps = Pick<AppDeps, 'config' | 'issuer' | 'log' | 'metrics'> & {
  now: () => Date;
  /** Answers what proxies ask about hosts of others. */
  beforeHostCheck: Middleware;
};

/** What each request meets before it is known what it is for. */
function everyRequest({ config, issuer, log, metrics, now, beforeHostCheck }: EveryRequestDeps): Middleware {
  return compose([
    believeProxies(config.trustProxy),
    rememberOrigin,
    measureRequests(metrics, routeTemplate),
    ...(config.traceEndpoint ? [traceRequests(routeTemplate)] : []),
    logRequests(log),
    securityHeaders(issuer, (path) => isForPrograms(path) || gatewayTemplate(path) !== undefined),
    problems(log, problemPage({ now, config })),
    beforeHostCheck,
    pinHost(issuer),
  ]);
}

const routeTemplate = (path: string) =>
  healthPaths.has(path)
    ? path
    : (statusListTemplate(path) ??
      gatewayTemplate(path) ??
      (path === secretScanningPath ? path : undefined) ??
      endpointTemplate(path));

/** Resolves when whoever reads standard output has it, as far as the system tells. */
function writeOut(lines: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(lines, (error) => (error ? reject(error) : resolve()));
  });
}

/** What only shows when it is looked at. */
function measureResources(metrics: Metrics, { changes, database: { pool } }: Installation, sealer: Sealer): void {
  metrics.gauge(
    'audit_seal_lag_seconds',
    'Since when not every audit event is known to be sealed',
    () => sealer.lagMs() / 1000,
  );
  metrics.gauge(
    'change_feed_lag_seconds',
    'Since when changes of other nodes are not known here',
    () => changes.lagMs() / 1000,
  );
  metrics.gauge('database_pool_connections', 'Connections of the pool', () => pool.totalCount);
  metrics.gauge('database_pool_idle', 'Connections of the pool that nobody uses', () => pool.idleCount);
  metrics.gauge('database_pool_waiting', 'Requests that wait for a connection', () => pool.waitingCount);
  metrics.gauge('password_hashes_running', 'Passwords being hashed', () => hashingLoad().running);
  metrics.gauge('password_hashes_waiting', 'Sign-ins that wait for their turn', () => hashingLoad().waiting);
}
