import { isDevelopment } from '../../config.ts';
import { ClientInput, putClient } from '../../domain/clients/index.ts';
import { SecretChanges, secretsAudience } from '../../domain/secrets/index.ts';
import { logInBySecret } from '../../entrypoints/oauth/index.ts';
import { VaultApi } from '../../entrypoints/vault/index.ts';
import { inTransaction } from '../../platform/database/index.ts';
import { isLoopbackName, type Origin, system } from '../../platform/http/index.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Services } from '../services.ts';
import { metadataRules } from './apply.ts';
import type { OAuth } from './oauth.ts';
import { observing } from './observing.ts';

type Deps = Pick<AppDeps, 'config' | 'inFlight' | 'issuer' | 'log' | 'metrics' | 'version'>;
type Needs = Pick<Services, 'apiKeys' | 'db' | 'jobs' | 'keys' | 'now' | 'refusals' | 'secretReads' | 'vault'>;

const tokenSeconds = 3600;

/** Vault's API, which answers on plain Node HTTP, before Koa. */
export function openVaultApi(
  { config, inFlight, issuer, log, metrics, version }: Deps,
  services: Needs,
  { bearers, logIn }: Pick<OAuth, 'bearers' | 'logIn'>,
): VaultApi {
  const { apiKeys, db, jobs, keys, now, refusals, secretReads, vault } = services;
  return new VaultApi({
    ...{ db, now, issuer, log, version, refusals, secretReads, vault, bearers, logIn, inFlight, tokenSeconds },
    ...{ jobs, keys, apiKeys, audience: secretsAudience(issuer), edge: config.edge },
    validateMetadata: metadataRules(),
    secretChanges: new SecretChanges(db),
    allowHttp: isDevelopment(config),
    isTutorial: isDevelopment(config) && isLoopbackName(config.host),
    tutorialToken: (origin) => tutorialToken({ ...services, issuer }, logIn, origin),
    observe: observing(log, metrics),
    isTraced: Boolean(config.traceEndpoint),
  });
}

/** In development the client `vault-root` may use all secrets; its token expires after an hour, like others. */
async function tutorialToken(
  { db, keys, now, issuer }: Pick<Needs, 'db' | 'keys' | 'now'> & { issuer: string },
  logIn: OAuth['logIn'],
  origin: Origin,
): Promise<string> {
  const audience = secretsAudience(issuer);
  const client_id = `vault-root-${crypto.randomUUID().slice(0, 8)}`;
  const input = ClientInput.parse({
    ...{ client_id, client_name: 'Vault tutorial', grant_types: ['client_credentials'] },
    service_permissions: { [audience]: ['secrets:*'] },
  });
  const deps = { db, keys, now, validateMetadata: metadataRules() };
  const { client_secret: secret = '' } = await inTransaction(db, (trx) => putClient(trx, deps, system, input));
  const given = await logInBySecret(logIn, { client_id, secret }, { audience, origin, seconds: tokenSeconds });
  if (!given) throw new Error('the client of the tutorial cannot log in');
  return given.access_token;
}
