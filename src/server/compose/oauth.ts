import type { Context, DefaultContext, DefaultState, Middleware } from 'koa';
import compose from 'koa-compose';
import { isDevelopment } from '../../config.ts';
import { permissionsAt } from '../../domain/access/index.ts';
import { WrongSecretThrottle } from '../../domain/clients/index.ts';
import { StatusIndexes } from '../../domain/status-lists/index.ts';
import { KnownTrusts, WorkloadUses } from '../../domain/trusts/index.ts';
import {
  type BearerDeps,
  Committer,
  clientCertificates,
  isFirstUse,
  issueTokens,
  oauthErrors,
  openProvider,
  type ProviderDeps,
  RowBounds,
  type RunningProvider,
  readClientRecord,
  recordUses,
  resolveStructuredTokens,
  unitOfWork,
} from '../../entrypoints/oauth/index.ts';
import { providerPages } from '../../entrypoints/pages/index.ts';
import { alignRequestsByTurn, readForm } from '../../platform/http/index.ts';
import { guardedFetch } from '../../platform/outbound/index.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Services } from '../services.ts';
import { issuerKeys } from './apply.ts';

type Deps = Pick<AppDeps, 'config' | 'issuer' | 'installation' | 'log' | 'metrics'>;
type Needs = Pick<
  Services,
  | 'accessRecords'
  | 'apiKeys'
  | 'database'
  | 'db'
  | 'documents'
  | 'jobs'
  | 'keys'
  | 'knownClients'
  | 'now'
  | 'reader'
  | 'refusals'
  | 'resourceServers'
  | 'secretUses'
  | 'throttles'
>;

export type OAuth = {
  provider: RunningProvider;
  /** Judges access tokens. */
  bearers: BearerDeps;
  /** The unit of work in which a request writes. */
  unit: Middleware;
  /** The endpoints of the protocol that programs call. */
  programs: Middleware<DefaultState, DefaultContext & Context>;
};

/** The provider with its storage, and the endpoints that programs call. */
export async function openOAuth(deps: Deps, services: Needs): Promise<OAuth> {
  const { issuer, installation } = deps;
  const { accessRecords } = services;
  const providerDeps = providerDepsOf(deps, services);
  const { changes, rootKey } = installation;
  const provider = await openProvider({ ...providerDeps, rootKey, changes });
  const bearers: BearerDeps = { ...providerDeps, signingKeys: provider.keys };
  const unit = openUnits(deps, services);
  const programs = compose([
    oauthErrors,
    readForm,
    alignRequestsByTurn,
    unit,
    resolveStructuredTokens(issuer, provider.keys),
    recordUses(accessRecords),
    provider.middleware,
  ]);
  return { provider, bearers, unit, programs };
}

function providerDepsOf({ config, issuer, installation, log }: Deps, services: Needs): ProviderDeps {
  const { apiKeys, database, db, documents, jobs, keys, knownClients, now, reader } = services;
  const { refusals, resourceServers, secretUses, throttles } = services;
  const { clientCertificateHeader: header, clientCaFile: caFile } = config;
  return {
    ...{ apiKeys, database, db, documents, issuer, jobs, keys, knownClients, log, now, reader },
    ...{ refusals, resourceServers, secretUses },
    wrongSecretThrottle: new WrongSecretThrottle((attempt) => throttles.countWrongSecret(attempt), now),
    lifetimes: config,
    hasRegistration: config.registration !== 'off',
    isFirstUse: (issuer, jti, exp) => isFirstUse(db, issuer, jti, exp),
    knownClient: (id) => knownClients.get(id, () => readClientRecord({ reader }, id)),
    trusts: new KnownTrusts(db, installation.changes),
    workloadUses: new WorkloadUses({ db, now }),
    issuerKeys: issuerKeys(config, now),
    statusIndexes: new StatusIndexes(db, now, installation.changes),
    clientCertificates: clientCertificates({ header, caFile }, now),
    permissionsOf: (user_id, resource) => permissionsAt(db, user_id, resource, now()),
    pages: providerPages({ db, now, config }),
    fetch: guardedFetch({ allowLoopback: isDevelopment(config) }),
  };
}

function openUnits({ config, installation, log, metrics }: Deps, services: Needs): Middleware {
  const { database, db, keys, now, reader } = services;
  const committer = new Committer(database, now, metrics);
  const hasRightClock = () => installation.clock.isWithinBounds();
  return unitOfWork({
    db,
    issueTokens: issueTokens({ log, keys, now, reader, committer, metrics, hasRightClock }),
    rowBounds: new RowBounds(now),
    refreshGraceSeconds: config.refreshGraceSeconds,
  });
}
