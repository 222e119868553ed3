import { settings } from '../src/config/settings.ts';
import { routes } from '../src/entrypoints/oauth/endpoints.ts';

/** The configuration of every measured server. */
export const paths = {
  ...routes,
  discovery: '/.well-known/openid-configuration',
};

export const api = 'https://api.example';
export const jwtApi = 'https://jwt.example';
export const redirectUri = 'https://client.example/callback';
export const password = 'correct horse battery staple';
export const clientSecret = 'the secret of the benchmark';

/** The root key of every measured server. */
export const rootKey = Buffer.alloc(32, 7);

/** The default number of requests in flight, one on each connection. */
export const usualConnections = 32;
/** Also the number of users, browsers and refresh token families. */
export const mostConnections = 128;

export const scopes: Record<string, string> = { [api]: 'read', [jwtApi]: 'report:read' };
export const requestedScope = 'openid profile read';

export const webApp = {
  client_id: 'web-app',
  client_secret: clientSecret,
  client_name: 'Shop',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  id_token_signed_response_alg: 'ES256' as const,
};
/** The same with the default algorithm for ID tokens. */
export const rsaApp = { ...webApp, client_id: 'rsa-app', id_token_signed_response_alg: 'RS256' as const };
export const service = {
  client_id: 'service',
  client_secret: clientSecret,
  client_name: 'Billing service',
  grant_types: ['client_credentials'],
};

export const usernameOf = (person: number): string => `person-${person}`;

/** The same for Latchkey, as configuration as code; each connection has its own user, because sign-ins are throttled. */
export const configuration = {
  resource_servers: [
    { identifier: api, name: 'Orders API', scopes: [{ name: 'read', description: 'Read your orders' }] },
    {
      identifier: jwtApi,
      name: 'Reports API',
      access_token_format: 'jwt',
      scopes: [{ name: 'report:read', description: 'Read your reports' }],
    },
  ],
  clients: [
    ...[webApp, rsaApp].map((app) => ({ ...app, scope: 'openid profile', resources: { [api]: ['read'] } })),
    { ...service, service_permissions: { [api]: ['read'], [jwtApi]: ['report:read'] } },
  ],
  users: Array.from({ length: mostConnections }, (_, person) => ({
    username: usernameOf(person),
    email: `${usernameOf(person)}@example.com`,
    name: 'Alice Example',
    password,
    ...(person === 0 ? { roles: ['owner'] } : {}),
  })),
};

/** Latchkey's default lifetimes, in seconds. */
export const lifetimes = {
  accessToken: seconds('LATCHKEY_ACCESS_TOKEN_SECONDS'),
  refreshToken: seconds('LATCHKEY_REFRESH_TOKEN_IDLE_SECONDS'),
  session: seconds('LATCHKEY_SESSION_SECONDS'),
};

function seconds(name: string): number {
  return Number(settings.find((setting) => setting.name === name)?.default);
}
