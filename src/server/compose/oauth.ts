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
  type IssueDeps,
  IssuedCodes,
  isFirstUse,
  issueTokens,
  type LogInDeps,
  oauthErrors,
  openProvider,
  type PlainDeps,
  PlainRequests,
  type ProviderDeps,
  RowBounds,
  type RunningProvider,
  readClientRecord,
  recordUses,
  resolveStructuredTokens,
  unitOfWork,
} from '../../entrypoints/oauth/index.ts';
import { providerPages } from '../../entrypoints/pages/index.ts';
import { persistently } from '../../platform/database/index.ts';
import { alignRequestsByTurn, readForm } from '../../platform/http/index.ts';
import { FetchBudget, guardedFetch } from '../../platform/outbound/index.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Services } from '../services.ts';
import { assertionJudges } from './apply.ts';
import { observing } from './observing.ts';

type Deps = Pick<AppDeps, 'config' | 'inFlight' | 'issuer' | 'installation' | 'log' | 'metrics' | 'patience'>;
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
  | 'policy'
  | 'throttles'
>;

export type OAuth = {
  provider: RunningProvider;
  /** Verifies access tokens. */
  bearers: BearerDeps;
  /** Issues tokens to clients that log in outside the token endpoint. */
  logIn: LogInDeps;
  /** The unit of work in which a request writes. */
  unit: Middleware;
  /** The most frequent of them for requests in their usual form, before Koa. */
  plain: PlainRequests;
  /** The protocol's API endpoints. */
  programs: Middleware<DefaultState, DefaultContext & Context>;
};

/** The provider with its storage, and the API endpoints. */
export async function openOAuth(deps: Deps, services: Needs): Promise<OAuth> {
  const { issuer, installation, patience } = deps;
  const { accessRecords } = services;
  const providerDeps = providerDepsOf(deps, services);
  const { changes, rootKey } = installation;
  const provider = await persistently(patience, () => openProvider({ ...providerDeps, rootKey, changes }));
  const bearers: BearerDeps = { ...providerDeps, signingKeys: provider.keys };
  const issuing = issueDepsOf(deps, services);
  const unit = openUnits(deps, services, issuing);
  const plain = openPlainRequests(deps, { ...providerDeps, ...issuing, provider, records: accessRecords });
  const programs = compose([
    oauthErrors,
    readForm,
    alignRequestsByTurn,
    unit,
    resolveStructuredTokens(issuer, provider.keys),
    recordUses(accessRecords),
    provider.middleware,
  ]);
  return { provider, bearers, logIn: { ...providerDeps, ...issuing }, unit, plain, programs };
}

function providerDepsOf({ config, inFlight, issuer, installation, log }: Deps, services: Needs): ProviderDeps {
  const { apiKeys, database, db, documents, jobs, keys, knownClients, now, reader } = services;
  const { policy, refusals, resourceServers, secretUses, throttles } = services;
  const { clientCertificateHeader: header, clientCaFile: caFile } = config;
  return {
    ...{ apiKeys, database, db, documents, issuer, jobs, keys, knownClients, log, now, reader },
    ...{ policy, refusals, resourceServers, secretUses },
    codes: new IssuedCodes(database, { now, isAlone: () => inFlight.size <= 1 }),
    wrongSecretThrottle: new WrongSecretThrottle((attempt) => throttles.countWrongSecret(attempt), now),
    lifetimes: config,
    hasRegistration: config.registration !== 'off',
    signsUp: config.signUp !== undefined,
    isFirstUse: (issuer, jti, exp) => isFirstUse(db, issuer, jti, exp),
    knownClient: (id) => knownClients.get(id, () => readClientRecord({ reader }, id)),
    trusts: new KnownTrusts(db, installation.changes),
    workloadUses: new WorkloadUses({ db, now }),
    ...assertionJudges(config, { keys, now }),
    statusIndexes: new StatusIndexes(db, now, installation.changes),
    clientCertificates: clientCertificates({ header, caFile }, now),
    permissionsOf: (user_id, resource) => permissionsAt(db, user_id, resource, now()),
    pages: providerPages({ db, now, config }),
    fetch: guardedFetch({ allowLoopback: isDevelopment(config) }),
    keysBudget: new FetchBudget(now),
  };
}

/** The dependencies of issuing tokens. */
function issueDepsOf({ inFlight, installation, log, metrics }: Deps, services: Needs): IssueDeps {
  const { database, keys, now, reader } = services;
  const committer = new Committer(database, { now, metrics, isAlone: () => inFlight.size <= 1 });
  const hasRightClock = () => installation.clock.isWithinBounds();
  return { log, keys, now, reader, committer, metrics, hasRightClock };
}

function openUnits({ config }: Deps, { db, now }: Needs, issuing: IssueDeps): Middleware {
  return unitOfWork({
    db,
    issueTokens: issueTokens(issuing),
    rowBounds: new RowBounds(now),
    refreshGraceSeconds: config.refreshGraceSeconds,
  });
}

type PlainNeeds = Pick<PlainDeps, 'provider' | 'records'> & IssueDeps & ProviderDeps;

function openPlainRequests({ config, inFlight, issuer, log, metrics }: Deps, needs: PlainNeeds): PlainRequests {
  const { clientCertificateHeader: certificateHeader, edge, refreshGraceSeconds, traceEndpoint } = config;
  return new PlainRequests({
    ...{ ...needs, inFlight, refreshGraceSeconds },
    rules: { edge, host: new URL(issuer).host, certificateHeader },
    observe: observing(log, metrics),
    isTraced: Boolean(traceEndpoint),
  });
}
