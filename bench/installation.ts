import { settings } from '../src/config/settings.ts';
import { routes } from '../src/entrypoints/oauth/endpoints.ts';

/** What every measured server is configured with. */
export const paths = {
  ...routes,
  discovery: '/.well-known/openid-configuration',
};

export const api = 'https://api.example';
export const jwtApi = 'https://jwt.example';
export const redirectUri = 'https://client.example/callback';
export const password = 'correct horse battery staple';
export const clientSecret = 'the secret of the benchmark';

/** Requests in flight, one on each connection, where nothing else is said. */
export const usualConnections = 32;
/** As many people, browsers and refresh chains. */
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
/** The same with the algorithm that a client means which names none. */
export const rsaApp = { ...webApp, client_id: 'rsa-app', id_token_signed_response_alg: 'RS256' as const };
export const service = {
  client_id: 'service',
  client_secret: clientSecret,
  client_name: 'Billing service',
  grant_types: ['client_credentials'],
};

export const usernameOf = (person: number): string => `person-${person}`;

/** The same for Latchkey, as configuration as code; each connection has a person of its own, for sign-ins are throttled. */
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

/** Lifetimes in seconds as Latchkey has them by default. */
export const lifetimes = {
  accessToken: seconds('LATCHKEY_ACCESS_TOKEN_SECONDS'),
  refreshToken: seconds('LATCHKEY_REFRESH_TOKEN_IDLE_SECONDS'),
  session: seconds('LATCHKEY_SESSION_SECONDS'),
};

function seconds(name: string): number {
  return Number(settings.find((setting) => setting.name === name)?.default);
}
