import type { Adapter, Configuration, JWK, KoaContextWithOIDC } from 'oidc-provider';
import { assuranceClasses } from '../../../domain/assurance/index.ts';
import { type SigningAlg, type SigningKey, signingAlgs, stateOf } from '../../../domain/signing-keys/index.ts';
import { type StatusIndexes, statusListsUri } from '../../../domain/status-lists/index.ts';
import type { KnownPolicy } from '../../../domain/users/index.ts';
import type { Jobs } from '../../../platform/jobs/index.ts';
import type { Logger } from '../../../platform/logging/index.ts';
import { registrationPath, routes } from '../endpoints.ts';
import { consentedGrant } from '../interactions/consented-grant.ts';
import { type DevicePages, deniedWithItsPerson, deviceFlow } from '../interactions/device-flow.ts';
import { prompts } from '../interactions/prompts.ts';
import { withoutRefusedResources } from '../interactions/refused-resources.ts';
import { recordStructuredToken } from '../presented-tokens/structured-tokens.ts';
import { identityScopes } from '../scopes/requested-scopes.ts';
import { resolveSignedSpelling } from '../scopes/resource-spelling.ts';
import { defaultResource, type ResourceDeps, resourceServerInfo, rotatesRefreshToken } from '../scopes/resources.ts';
import { type CodeDeps, tokenStore } from '../store/index.ts';
import type { GrantDeps } from '../token-endpoint/grants/index.ts';
import { authenticationClaims } from './authentication-claims.ts';
import { claimsByScope, findAccount } from './claims.ts';
import { acceptClaims } from './claims-parameter.ts';
import { clientAuthMethods, judgeAssertion, type SecretDeps, usableAuthMethods } from './client-authentication.ts';
import { type ClientKeysDeps, fetchWithinBudget } from './client-keys.ts';
import { isAllowedOrigin, ownClientMembers } from './cors.ts';
import { asProviderKey } from './direct-signing-key.ts';
import { type DefaultLifetimes, lifetimes, lifetimesMember } from './lifetimes.ts';
import { type MutualTlsDeps, mutualTls } from './mutual-tls.ts';
import { needsCodeChallenge } from './pkce.ts';
import { endsWithSession, issuesRefreshToken, mayIntrospect, mayRevoke, revokesGrant } from './policies.ts';
import { proofOfPossession } from './proof-of-possession.ts';
import { clientDefaults, clientSignatureAlgs, enabledJWA, responseTypes } from './supported.ts';
import { idJagProfile } from './urns.ts';

/** Pages of oidc-provider; the pages entrypoint renders them. */
export type ProviderPages = DevicePages & {
  /** The languages of the pages, for discovery. */
  languages: readonly string[];
  renderError: (
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string | undefined },
    error: Error,
  ) => void;
  renderSignOut: (ctx: KoaContextWithOIDC, form: string) => Promise<void>;
  /** The page after signing out, or after cancelling it. */
  renderSignedOut: (ctx: KoaContextWithOIDC) => Promise<void>;
};

export type ProviderDeps = SecretDeps &
  CodeDeps &
  ResourceDeps &
  MutualTlsDeps &
  ClientKeysDeps &
  GrantDeps & {
    issuer: string;
    jobs: Jobs;
    policy: KnownPolicy;
    lifetimes: DefaultLifetimes;
    /** Whether clients may register themselves. */
    hasRegistration: boolean;
    /** Whether users can create accounts themselves. */
    signsUp: boolean;
    statusIndexes: StatusIndexes;
    pages: ProviderPages;
    log: Logger;
  };

const maxFetchedBytes = 64 * 1024;

const promptValues = ({ signsUp }: Pick<ProviderDeps, 'signsUp'>) => [
  ...['none', 'login', 'consent', 'select_account'],
  ...(signsUp ? ['create'] : []),
];

/** oidc-provider's configuration as a table of contents: each name is defined in the file of its topic. */
export function providerConfiguration(deps: ProviderDeps, signingKeys: readonly SigningKey[]): Configuration {
  const isHttps = deps.issuer.startsWith('https:');
  return {
    adapter: tokenStore(deps),
    jwks: { keys: inSigningOrder(signingKeys, deps.now()) },
    routes,
    features: features(deps),
    cookies: cookies(deps, isHttps),
    ttl: lifetimes(deps.lifetimes, deps.now),
    scopes: identityScopes,
    claims: claimsByScope,
    acrValues: [...assuranceClasses],
    // The claims in ID tokens are a setting of each client (claims.ts).
    conformIdTokenClaims: false,
    findAccount: findAccount(deps),
    loadExistingGrant: withoutRefusedResources(consentedGrant(deps)),
    interactions: { policy: prompts(deps), url: (_ctx, { uid }) => `/interaction/${uid}` },
    responseTypes,
    pkce: { required: needsCodeChallenge },
    clientAuthMethods: usableAuthMethods(deps),
    assertJwtClientAuthClaimsAndHeader: judgeAssertion(deps),
    clientDefaults,
    clientBasedCORS: isAllowedOrigin,
    extraClientMetadata: { properties: [...ownClientMembers, lifetimesMember] },
    subjectTypes: ['public'],
    rotateRefreshToken: rotatesRefreshToken(deps),
    issueRefreshToken: issuesRefreshToken,
    expiresWithSession: endsWithSession(deps),
    revokeGrantPolicy: revokesGrant,
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    enabledJWA,
    formats: { customizers: { jwt: recordStructuredToken(deps) } },
    renderError: deps.pages.renderError,
    discovery: {
      ...endpointAuthentication(deps),
      ...(deps.hasRegistration && { registration_endpoint: `${deps.issuer}${registrationPath}` }),
      ...(deps.documents.isEnabled && { client_id_metadata_document_supported: true }),
      // draft-ietf-oauth-identity-assertion-authz-grant §7
      authorization_grant_profiles_supported: [idJagProfile],
      status_list_aggregation_endpoint: statusListsUri(deps.issuer),
      prompt_values_supported: promptValues(deps),
      ui_locales_supported: [...deps.pages.languages],
    },
    fetch: fetchWithinBudget(deps),
    fetchResponseBodyLimits: { jwks_uri: maxFetchedBytes, sector_identifier_uri: maxFetchedBytes },
    extraTokenClaims: authenticationClaims(deps),
    clockTolerance: 15,
  };
}

/** The part of the configuration that validates client metadata, for a provider that serves no request. */
export function metadataRules(): Configuration {
  return {
    scopes: identityScopes,
    acrValues: [...assuranceClasses],
    claims: claimsByScope,
    responseTypes,
    clientAuthMethods: [...clientAuthMethods],
    clientDefaults,
    enabledJWA,
    jwks: { keys: placeholderKeys() },
    adapter: () => ({}) as Adapter,
    features: {
      ...plainFeatures,
      deviceFlow: on,
      dPoP: on,
      mTLS: {
        ...{ enabled: true, certificateBoundAccessTokens: true, selfSignedTlsClientAuth: true, tlsClientAuth: true },
        getCertificate: () => undefined,
        certificateAuthorized: () => false,
        certificateSubjectMatches: () => false,
      },
      resourceIndicators: { enabled: false },
    },
  };
}

/** Keys that only declare their algorithms: this provider signs nothing, and generating real ones takes a tenth of a second. */
function placeholderKeys(): JWK[] {
  const value = 'none';
  const rsa = { kty: 'RSA', n: value, e: value, d: value, p: value, q: value, dp: value, dq: value, qi: value };
  const keys: Record<SigningAlg, object> = {
    ES256: { kty: 'EC', crv: 'P-256', x: value, y: value, d: value },
    EdDSA: { kty: 'OKP', crv: 'Ed25519', x: value, d: value },
    RS256: rsa,
    PS256: rsa,
  };
  return signingAlgs.map((alg) => ({ ...keys[alg], alg, use: 'sig', kid: alg }) as JWK);
}

/** For one algorithm oidc-provider signs with the first key it is given. */
function inSigningOrder(keys: readonly SigningKey[], now: Date) {
  const order = { active: 0, pending: 1, retiring: 2, retired: 3 };
  const ranked = keys.map((key) => ({ key, rank: order[stateOf(key, keys, now)] }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ key }) => asProviderKey(key));
}

const on = { enabled: true };

/** Features without decisions. */
const plainFeatures = {
  backchannelLogout: on,
  clientCredentials: on,
  devInteractions: { enabled: false },
  // Signed response modes (JARM), signed requests (RFC 9101), pushed ones (RFC 9126).
  jwtResponseModes: on,
  requestObjects: on,
  pushedAuthorizationRequests: on,
};

/** RFC 8414 §2: left out, revocation would mean client_secret_basic only. */
function endpointAuthentication(deps: ProviderDeps) {
  const [methods, algs] = [usableAuthMethods(deps), clientSignatureAlgs];
  return {
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algs,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algs,
  };
}

function features(deps: ProviderDeps): Configuration['features'] {
  return {
    ...plainFeatures,
    requestObjects: { enabled: true, assertJwtClaimsAndHeader: resolveSignedSpelling(deps) },
    deviceFlow: deviceFlow(deps.pages),
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    dPoP: proofOfPossession(deps),
    mTLS: mutualTls(deps),
    claimsParameter: { enabled: true, assertClaimsParameter: acceptClaims(deps) },
    introspection: { enabled: true, allowedPolicy: mayIntrospect(deps) },
    revocation: { enabled: true, allowedPolicy: mayRevoke },
    userinfo: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: deps.pages.renderSignOut,
      postLogoutSuccessSource: deps.pages.renderSignedOut,
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: deniedWithItsPerson(resourceServerInfo(deps)),
      defaultResource: defaultResource(deps),
      useGrantedResource: async () => true,
    },
  };
}

function cookies({ keys }: ProviderDeps, secure: boolean): Configuration['cookies'] {
  const options = { httpOnly: true, sameSite: 'lax' as const, signed: true, secure, path: '/' };
  return {
    keys: keys.all('cookie').map(({ key }) => key.export().toString('base64url')),
    // `__Host-` keeps other hosts of the domain from setting one (RFC 6265bis §4.1.3.2).
    names: {
      session: `${secure ? '__Host-' : ''}latchkey_session`,
      interaction: 'latchkey_interaction',
      resume: 'latchkey_resume',
    },
    long: options,
    short: { ...options, path: undefined },
  };
}
