import Provider from 'oidc-provider';
import type { SigningKey } from '../signing-keys/index.ts';
import { deliverLogoutsLater } from './backchannel-logout.ts';
import { compareSecretsAsDigests, useEachJtiOnce } from './client-authentication.ts';
import { type ProviderDeps, providerConfiguration } from './configuration.ts';
import { useOwnCredentialFormats } from './credential-ids.ts';
import { visitPosted } from './endpoints.ts';
import { noteLifetimes } from './lifetimes.ts';
import { nameIdentityScope } from './token-answers.ts';

/**
 * Builds a provider with these signing keys. It is never changed afterwards: when keys or configuration change, another is
 * built (1.4 ms) and takes its place; all state is in the database.
 */
export function buildProvider(deps: ProviderDeps, signingKeys: readonly SigningKey[]): Provider {
  const provider = new Provider(deps.issuer, providerConfiguration(deps, signingKeys));
  compareSecretsAsDigests(provider, deps);
  useEachJtiOnce(provider, deps);
  deliverLogoutsLater(provider, deps);
  useOwnCredentialFormats(provider);
  rememberClientLifetimes(provider, deps);
  provider.use(visitPosted);
  provider.use(nameIdentityScope);
  provider.on('server_error', (_ctx, error) => deps.log.error({ err: error }, 'the provider failed'));
  return provider;
}

/** Lifetimes are asked for synchronously, so a client's own are noted whenever it is found. */
function rememberClientLifetimes(provider: Provider, deps: ProviderDeps): void {
  const model = provider.Client as unknown as {
    find: (id: string) => Promise<InstanceType<typeof provider.Client> | undefined>;
  };
  const find = model.find.bind(model);
  model.find = async (id) => {
    const client = await find(id);
    if (client) await noteLifetimes(deps, client);
    return client;
  };
}
