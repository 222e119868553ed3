import type { Middleware } from 'koa';
import compose from 'koa-compose';
import { isDevelopment } from '../../config.ts';
import { ProviderConnections } from '../../domain/identity-providers/index.ts';
import { type AdminRouteDeps, adminApi, adminAudience, waitForOwnChanges } from '../../entrypoints/admin/index.ts';
import { oauthErrors } from '../../entrypoints/oauth/index.ts';
import {
  type PagesDeps,
  pageRoutes,
  providerForms,
  providerPagePolicy,
  serveAssets,
  userCodeEntry,
} from '../../entrypoints/pages/index.ts';
import { readForm } from '../../platform/http/index.ts';
import { guardedFetch, guardedGet } from '../../platform/outbound/index.ts';
import type { AppDeps } from '../app-deps.ts';
import { healthRoutes } from '../health.ts';
import type { Services } from '../services.ts';
import { adminRouteDeps, leakReports, ownApiCaller } from './admin.ts';
import type { OAuth } from './oauth.ts';

type Deps = Pick<AppDeps, 'config' | 'demo' | 'installation' | 'issuer' | 'version'>;
type Needs = Parameters<typeof adminRouteDeps>[1] &
  Pick<Services, 'apiKeys' | 'documents' | 'knownClients' | 'log' | 'policy' | 'reader' | 'throttles'>;

/** The identity providers that users sign in with, reached at public addresses; in development also on this machine. */
function providersOf({ config }: Deps, { keys, now }: Needs, { issuerKeys }: AdminRouteDeps): PagesDeps['providers'] {
  const allowLoopback = isDevelopment(config);
  const bounds = { timeoutMs: 3000, maxBytes: 256 * 1024 };
  const reaching = { get: guardedGet({ allowLoopback, ...bounds }), fetch: guardedFetch({ allowLoopback }) };
  return { connections: new ProviderConnections({ keys, now, allowHttp: allowLoopback, ...reaching }), issuerKeys };
}

/** The pages for browsers, and what shares their middleware: the admin API, reports of leaks, health. */
export function forBrowsers(deps: Deps, services: Needs, oauth: OAuth): Middleware {
  const { config, demo, installation, issuer, version } = deps;
  const { db, documents, jobs, keys, knownClients, now, policy, reader, refusals, throttles } = services;
  const { provider, unit } = oauth;
  const admin = adminRouteDeps(deps, services);
  const pages: PagesDeps = {
    ...{ config, db, documents, issuer, jobs, keys, knownClients, now, policy, reader, refusals, throttles, version },
    provider: () => provider,
    providers: providersOf(deps, services, admin),
    demo: demo !== undefined,
    admin: { deps: admin, audience: adminAudience(issuer) },
  };
  return compose([
    healthRoutes(installation, services.vault),
    serveAssets(config),
    oauthErrors,
    readForm,
    ...(demo ? [demo] : []),
    providerPagePolicy,
    waitForOwnChanges(installation.changes),
    ...leakReports(deps, services, oauth),
    adminApi({ ...admin, version, bearerOf: ownApiCaller(services, oauth) }),
    unit,
    providerForms(issuer),
    userCodeEntry(pages),
    pageRoutes(pages),
    provider.middleware,
  ]);
}
