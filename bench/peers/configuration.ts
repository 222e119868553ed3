import type { Adapter, Configuration, JWK, KoaContextWithOIDC } from 'oidc-provider';
import { api, jwtApi, lifetimes, paths, scopes } from '../installation.ts';

/** oidc-provider configured for the same behaviour as Latchkey: formats, algorithm, lifetimes, PKCE, rotation. */
export function peerConfiguration(adapter: (model: string) => Adapter, signingKeys: JWK[]): Configuration {
  const { discovery: _, ...routes } = paths;
  return {
    adapter,
    jwks: { keys: signingKeys },
    routes,
    cookies: { keys: ['a cookie key of the benchmark'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username', 'updated_at'],
      email: ['email', 'email_verified'],
    },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId, name: 'Alice Example' }) }),
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // Otherwise each refresh would read the browser session as well.
    expiresWithSession: () => false,
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    ttl: {
      AccessToken: lifetimes.accessToken,
      ClientCredentials: lifetimes.accessToken,
      AuthorizationCode: 60,
      IdToken: 3600,
      RefreshToken: lifetimes.refreshToken,
      Session: lifetimes.session,
      Grant: lifetimes.session,
      Interaction: 3600,
    },
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? [],
        useGrantedResource: () => true,
        getResourceServerInfo,
      },
    },
  };
}

function getResourceServerInfo(_ctx: KoaContextWithOIDC, identifier: string) {
  return {
    scope: scopes[identifier] ?? '',
    audience: identifier,
    accessTokenFormat: identifier === jwtApi ? ('jwt' as const) : ('opaque' as const),
    jwt: { sign: { alg: 'ES256' as const } },
  };
}

/** The scopes that the user is assumed to have allowed. */
export const allowed = { openid: 'openid profile', api: { identifier: api, scope: scopes[api] ?? '' } };
