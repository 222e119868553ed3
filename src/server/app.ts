import type { RequestListener, ServerResponse } from 'node:http';
import Koa, { type Context, type Middleware } from 'koa';
import compose from 'koa-compose';
import { type Config, isDevelopment } from '../config.ts';
import { permissionsAt } from '../domain/access/index.ts';
import { SecretGuesses } from '../domain/clients/index.ts';
import { secretScanning } from '../domain/incidents/index.ts';
import { ResourceServers } from '../domain/resource-servers/index.ts';
import { StatusIndexes, StatusLists, statusListRoutes } from '../domain/status-lists/index.ts';
import { type AdminDeps, adminApi, adminAudience, knownHere } from '../entrypoints/admin/index.ts';
import { type Answered, Gateway, keyBearerOf } from '../entrypoints/gateway/index.ts';
import {
  type Bearer,
  type BearerDeps,
  bearerOf,
  Committer,
  clientCertificates,
  clientMetadataRules,
  isFirstUse,
  isForPrograms,
  issueTokens,
  oauthErrors,
  openProvider,
  type ProviderDeps,
  publishedDocuments,
  RowBounds,
  type RunningProvider,
  recordUses,
  resolveStructuredTokens,
  unitOfWork,
  verifiedId,
} from '../entrypoints/oauth/index.ts';
import {
  type PagesDeps,
  pageRoutes,
  providerForms,
  providerPagePolicy,
  providerPages,
  serveAssets,
  userCodeEntry,
} from '../entrypoints/pages/index.ts';
import { inStep, RepeatedAnswers, readForm } from '../platform/http/index.ts';
import { type Logger, logRequest } from '../platform/logging/index.ts';
import type { Metrics } from '../platform/metrics/index.ts';
import { guardedFetch } from '../platform/outbound/index.ts';
import { startBackgroundWork } from './background-work.ts';
import { everyRequest } from './every-request.ts';
import { healthRoutes } from './health.ts';
import type { Installation } from './installation.ts';
import { openServices, type Services } from './services.ts';

export type App = { answer: RequestListener; close: () => Promise<void> };
export type AppDeps = {
  config: Config;
  issuer: string;
  version: string;
  installation: Installation;
  log: Logger;
  metrics: Metrics;
  /** Responses that are not sent yet. */
  inFlight: Set<ServerResponse>;
  demo?: Middleware | undefined;
};

/** Composes the entrances. What is opened here is closed here, in reverse order. */
export async function createApp(deps: AppDeps): Promise<App> {
  const { config, issuer, installation, log, metrics, inFlight } = deps;
  const { changes, rootKey } = installation;
  const services = openServices(deps);
  const { accessRecords, apiKeys, db, keys, now } = services;
  const providerDeps = forProvider(deps, services);
  const provider = await openProvider({ ...providerDeps, rootKey, changes });
  const bearers: BearerDeps = {
    ...providerDeps,
    signingKeys: provider.keys,
    isFirstUse: (iss, jti, exp) => isFirstUse(db, iss, jti, exp),
  };
  const koa = new Koa({ proxy: true });
  koa.keys = keys.all('cookie').map(({ key }) => key.export().toString('base64url'));
  koa.silent = true;
  const observe = observing(log, metrics);
  const documents = new RepeatedAnswers({
    ...{ issuer, paths: publishedDocuments, version: provider.current },
    observe: (early) => observe({ ...early, route: early.path, status: 200, isFromMemory: true }),
  });
  const gateway = new Gateway({
    ...{ db, now, log, bearers, inFlight, observe, edge: config.edge },
    ...{ keys: apiKeys, records: accessRecords, audience: adminAudience(issuer) },
    isTraced: Boolean(config.traceEndpoint),
  });

  koa.use(documents.keep);
  koa.use(everyRequest({ config, issuer, log, metrics, now }));
  const core: Core = { services, provider, bearers, unit: openUnits(deps, services) };
  const statusLists = statusListRoutes(new StatusLists({ db, issuer, now, signingKeys: provider.keys }));
  const programs = forPrograms(deps, core);
  const others = compose([statusLists, forBrowsers(deps, core)]);
  koa.use((ctx, next) => (isForPrograms(ctx.path) ? programs : others)(ctx, next));

  const background = await startBackgroundWork({ ...deps, services, provider });
  const listener: RequestListener = koa.callback();
  return {
    answer: (request, response) => {
      if (documents.answer(request, response) || gateway.answer(request, response)) return;
      inFlight.add(response);
      response.once('close', () => inFlight.delete(response));
      listener(request, response);
    },
    close: async () => {
      provider.close();
      await background.close();
      await services.close();
      // Last, so that what the services wrote at their end is sealed, too.
      await background.sealer.close();
    },
  };
}

function forProvider({ config, issuer, installation }: AppDeps, services: Services): ProviderDeps {
  const { db, now, throttles } = services;
  const { clientCertificateHeader: header, clientCaFile: caFile } = config;
  return {
    ...services,
    issuer,
    secretGuesses: new SecretGuesses((attempt) => throttles.countWrongSecret(attempt), now),
    lifetimes: config,
    resourceServers: new ResourceServers(db, installation.changes),
    statusIndexes: new StatusIndexes(db, now),
    clientCertificates: clientCertificates({ header, caFile }, now),
    permissionsOf: (user_id, resource) => permissionsAt(db, user_id, resource, now()),
    pages: providerPages({ db, now, config }),
    fetch: guardedFetch({ allowLoopback: isDevelopment(config) }),
  };
}

/** Counts and logs what is answered before Koa, as Koa's middleware does. */
function observing(log: Logger, metrics: Metrics) {
  return ({ method, path, route, status, request_id, startedAt, isFromMemory }: Answered): void => {
    const seconds = (performance.now() - startedAt) / 1000;
    if (isFromMemory) metrics.earlyAnswer({ method, route }, seconds);
    else metrics.request({ method, route, status }, seconds);
    if (log.isLevelEnabled('info')) logRequest(log, { method, path, status, request_id, startedAt });
  };
}

/** Reports of leaked credentials, where it is known who signs them. */
function leakReports({ config, issuer }: AppDeps, { services, provider }: Core): Middleware[] {
  const { secretScanningKeys: url, leakPolicy: policy } = config;
  if (!url) return [];
  const scanner = { url, fetch: guardedFetch({ allowLoopback: isDevelopment(config) }) };
  const isOurs = async (jwt: string) => (await verifiedId(jwt, issuer, provider.keys())) !== undefined;
  return [secretScanning({ ...services, policy, scanner, isOurs })];
}

/** The unit of work in which a request writes. */
function openUnits({ config, installation, metrics }: AppDeps, services: Services): Middleware {
  const { database, now } = services;
  const committer = new Committer(database, now, metrics);
  const hasRightClock = () => installation.clock.isWithinBounds();
  return unitOfWork({
    ...services,
    issueTokens: issueTokens({ ...services, committer, metrics, hasRightClock }),
    rowBounds: new RowBounds(now),
    refreshGraceSeconds: config.refreshGraceSeconds,
  });
}

/** What both halves of the provider stand on. */
type Core = { services: Services; provider: RunningProvider; bearers: BearerDeps; unit: Middleware };

/** The endpoints of the protocol that programs call. */
function forPrograms({ issuer }: AppDeps, { services, provider, unit }: Core) {
  return compose([
    oauthErrors,
    readForm,
    inStep,
    unit,
    resolveStructuredTokens(issuer, provider.keys),
    recordUses(services.accessRecords),
    provider.middleware,
  ]);
}

/** Everything else: pages, the admin API (which the console calls, too), reports of leaks, health. */
function forBrowsers(deps: AppDeps, core: Core) {
  const { services, provider, bearers, unit } = core;
  const { config, demo, installation, issuer, version } = deps;
  const admin = forAdmin(deps, services);
  const pages: PagesDeps = {
    ...services,
    provider: () => provider,
    ...{ issuer, version, config },
    demo: demo !== undefined,
    admin: { deps: admin, audience: adminAudience(issuer) },
  };
  return compose([
    healthRoutes(installation),
    serveAssets,
    oauthErrors,
    readForm,
    ...(demo ? [demo] : []),
    providerPagePolicy,
    knownHere(installation.changes),
    ...leakReports(deps, core),
    adminApi({ ...admin, bearerOf: ownApiCaller(services, bearers) }),
    unit,
    providerForms(issuer),
    userCodeEntry(pages),
    pageRoutes(pages),
    provider.middleware,
  ]);
}

/** Who calls Latchkey's own API: with an API key, or an access token for it. */
function ownApiCaller({ apiKeys: keys }: Services, bearers: BearerDeps) {
  return async (ctx: Context, audience: string): Promise<Bearer> =>
    (await keyBearerOf({ keys, audience }, ctx)) ?? bearerOf(bearers, ctx, audience);
}

function forAdmin({ config, installation, issuer, version }: AppDeps, services: Services): Omit<AdminDeps, 'bearerOf'> {
  return {
    ...services,
    ...{ issuer, version },
    rootKey: installation.rootKey,
    keyActivationSeconds: config.keyActivationSeconds,
    environments: config.apiKeyEnvironments,
    allowHttp: isDevelopment(config),
    validateMetadata: clientMetadataRules(),
  };
}
