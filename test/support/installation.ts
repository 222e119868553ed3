/** The installation that most tests start with: two APIs, one client of each kind, two users. */
export const api = 'https://api.example';
export const jwtApi = 'https://jwt.example';
export const redirectUri = 'https://client.example/callback';
export const password = 'correct horse battery staple';

export const clientSecrets = {
  'web-app': 'the secret of the web app',
  'post-app': 'the secret of the post app',
  service: 'the secret of the service',
};

export const standardInstallation = {
  resource_servers: [
    {
      identifier: api,
      name: 'Orders API',
      scopes: [
        { name: 'read', description: 'Read your orders', default: true },
        { name: 'write', description: 'Change your orders', optional: true, sensitive: true },
      ],
    },
    {
      identifier: jwtApi,
      name: 'Reports API',
      access_token_format: 'jwt',
      scopes: [{ name: 'report:read', description: 'Read your reports', default: true }],
    },
  ],
  clients: [
    {
      client_id: 'web-app',
      client_secret: clientSecrets['web-app'],
      client_name: 'Shop',
      redirect_uris: [redirectUri, 'https://client.example/other'],
      post_logout_redirect_uris: ['https://client.example/signed-out'],
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'openid profile email offline_access',
      resources: { [api]: ['read', 'write'], [jwtApi]: ['report:read'] },
    },
    {
      client_id: 'post-app',
      client_secret: clientSecrets['post-app'],
      client_name: 'Newsletter',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'openid',
      resources: { [api]: ['read'] },
    },
    {
      client_id: 'spa',
      client_name: 'Dashboard',
      redirect_uris: ['https://spa.example/callback'],
      token_endpoint_auth_method: 'none',
      scope: 'openid profile email',
      resources: { [api]: ['read'] },
    },
    {
      client_id: 'native',
      client_name: 'Terminal',
      application_type: 'native',
      redirect_uris: [
        'http://localhost/callback',
        'http://127.0.0.1/callback',
        'http://[::1]/callback',
        'com.example.app:/callback',
      ],
      token_endpoint_auth_method: 'none',
      scope: 'openid profile offline_access',
      resources: { [api]: ['read'] },
    },
    {
      client_id: 'television',
      client_name: 'Television',
      application_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      scope: 'openid profile',
    },
    {
      client_id: 'first-party',
      client_secret: clientSecrets['web-app'],
      client_name: 'Our own',
      first_party: true,
      redirect_uris: [redirectUri],
      scope: 'openid profile',
      resources: { [api]: ['read'] },
    },
    {
      client_id: 'service',
      client_secret: clientSecrets.service,
      client_name: 'Billing service',
      grant_types: ['client_credentials'],
      service_permissions: { [api]: ['read'], [jwtApi]: ['report:*'] },
      introspects: [api],
    },
  ],
  users: [
    { username: 'alice', email: 'alice@example.com', name: 'Alice Example', password, roles: ['owner'] },
    { username: 'bob', email: 'bob@example.com', name: 'Bob Example', password },
  ],
};
