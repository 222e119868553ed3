import type { Identity } from '../identities/index.ts';
import type { KeycloakUser, Realm } from './schemas.ts';

type Account = Pick<Identity, 'issuer' | 'subject'>;

/** The issuers of providers with a fixed address. */
const knownIssuers: Readonly<Record<string, string>> = {
  google: 'https://accounts.google.com',
  github: 'https://github.com',
};

/**
 * The accounts of a user at identity providers, with the issuer that a trust of the provider has here; `left`: providers for which
 * Keycloak does not store the subject that identifies an account here.
 *
 * @param taken accounts of other users, as `keyOfAccount`; converted ones are added
 */
export function convertedIdentities(
  { federatedIdentities }: Pick<KeycloakUser, 'federatedIdentities'>,
  { identityProviders }: Pick<Realm, 'identityProviders'>,
  taken: Set<string>,
): { identities: Account[]; left: string[] } {
  const identities: Account[] = [];
  const left: string[] = [];
  for (const { identityProvider: alias, userId: subject } of federatedIdentities) {
    const issuer = issuerOf(identityProviders.find((each) => each.alias === alias));
    const account = issuer && subject ? { issuer, subject } : undefined;
    if (!account) left.push(alias);
    else if (taken.has(keyOfAccount(account))) left.push(`${alias}: another user has this account`);
    else {
      identities.push(account);
      taken.add(keyOfAccount(account));
    }
  }
  return { identities, left };
}

/** The key by which an account at a provider is looked up. */
export const keyOfAccount = ({ issuer, subject }: Account) => `${issuer} ${subject}`;

function issuerOf(provider: Realm['identityProviders'][number] | undefined): string | undefined {
  const { providerId = '', config } = provider ?? {};
  if (providerId in knownIssuers) return knownIssuers[providerId];
  const issuer = config?.issuer;
  const isOidc = providerId === 'oidc' || providerId === 'keycloak-oidc';
  return isOidc && typeof issuer === 'string' && URL.canParse(issuer) ? issuer : undefined;
}

/** Every account at a provider in a realm that can be converted. */
export function accountsIn(realm: Realm): Account[] {
  const none = new Set<string>();
  return realm.users.flatMap((user) => convertedIdentities(user, realm, none).identities);
}
