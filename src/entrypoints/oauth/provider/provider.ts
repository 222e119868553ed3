import Provider from 'oidc-provider';
import type { SigningKey } from '../../../domain/signing-keys/index.ts';
import { isOutage } from '../../../platform/database/index.ts';
import { visitPosted } from '../endpoints.ts';
import { nameIdentityScope } from '../presented-tokens/token-answers.ts';
import { ignoreUnregisteredOfflineAccess } from '../scopes/offline-access.ts';
import { boundLogoutState } from '../scopes/parameter-bounds.ts';
import { resolveResourceSpelling } from '../scopes/resource-spelling.ts';
import { grantTypes } from '../token-endpoint/grants/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import { deliverLogoutsLater } from './backchannel-logout.ts';
import { compareSecretsAsDigests, explainRefusedClients, useEachJtiOnce } from './client-authentication.ts';
import { type ProviderDeps, providerConfiguration } from './configuration.ts';
import { useOwnCredentialFormats } from './credential-ids.ts';
import { acceptHintsOfEveryAlgorithm } from './id-token-hints.ts';
import { nameIntrospectedPerson } from './introspected-person.ts';
import { retainRedirectQuery } from './redirect-query.ts';

/**
 * Builds a provider with these signing keys. It is never changed afterwards: when keys or configuration change, another is built (1.4 ms)
 * and replaces it; all state is in the database.
 */
export function buildProvider(deps: ProviderDeps, signingKeys: readonly SigningKey[]): Provider {
  const provider = new Provider(deps.issuer, providerConfiguration(deps, signingKeys));
  compareSecretsAsDigests(provider, deps);
  useEachJtiOnce(provider, deps);
  deliverLogoutsLater(provider, deps);
  useOwnCredentialFormats(provider);
  acceptHintsOfEveryAlgorithm(provider);
  provider.use(resolveResourceSpelling(deps));
  provider.use(ignoreUnregisteredOfflineAccess(deps));
  for (const { register } of grantTypes) register?.(provider, deps);
  provider.use(boundLogoutState);
  provider.use(visitPosted);
  provider.use(explainRefusedClients(deps));
  provider.use(nameIdentityScope);
  provider.use(nameIntrospectedPerson(deps));
  provider.use(retainRedirectQuery);
  provider.on('server_error', (_ctx, error) => noteFailure(deps, error));
  return provider;
}

/** The library answers 500 to errors that it does not know; the unit records an outage, so that the client gets 503. */
function noteFailure({ log }: Pick<ProviderDeps, 'log'>, error: unknown): void {
  if (isOutage(error)) currentUnit().outage = error;
  else log.error({ err: error }, 'the provider failed');
}
