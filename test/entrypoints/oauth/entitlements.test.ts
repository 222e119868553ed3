import { api, clientSecrets, jwtApi, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const databases = 'https://databases.example';
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    {
      identifier: databases,
      name: 'Databases',
      assignment_required: true,
      scopes: [
        { name: 'database:read:products' },
        { name: 'database:read:prices' },
        { name: 'database:write:products' },
      ],
    },
  ],
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'reader',
      client_secret: clientSecrets['web-app'],
      redirect_uris: [redirectUri],
      first_party: true,
      scope: 'openid',
      resources: { [databases]: ['database:read:*'] },
    },
    {
      client_id: 'robot',
      client_secret: clientSecrets['web-app'],
      grant_types: ['client_credentials'],
      resources: { [databases]: ['database:read:*'] },
    },
  ],
};

describe('a client', () => {
  const latchkey = startLatchkey({ apply: installation });
  const scopeOf = async (parameters: Record<string, string>, client_id: string) =>
    (await latchkey.clientCredentials(parameters, client_id)).body.scope;

  test('gets what its entitlement covers, and invalid_scope for other scopes (RFC 6749 §5.2)', async () => {
    expect(await scopeOf({ resource: databases, scope: 'database:read:products' }, 'robot')).toBe(
      'database:read:products',
    );
    for (const scope of [
      'database:write:products',
      'database:read:products database:write:products',
      'nonsense',
      'openid',
    ]) {
      expect(await latchkey.clientCredentials({ resource: databases, scope }, 'robot')).toMatchObject({
        status: 400,
        body: { error: 'invalid_scope' },
      });
    }
  });

  test('gets the default scopes when it names none, or all it may have if none is marked (RFC 6749 §3.3)', async () => {
    expect(await scopeOf({ resource: databases }, 'robot')).toBe('database:read:prices database:read:products');
    expect(await scopeOf({ resource: api }, 'service')).toBe('read');
  });

  test('gets invalid_target for a resource server that does not exist, or that it has no entitlement for (RFC 8707 §2)', async () => {
    expect(await latchkey.clientCredentials({ resource: 'https://nowhere.example' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    });
    expect(await latchkey.clientCredentials({ resource: databases })).toMatchObject({ status: 400 });
    expect(await latchkey.clientCredentials({ resource: 'not a uri' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    });
  });

  test('may request a wildcard that it is entitled to, and no wider one', async () => {
    expect(await scopeOf({ resource: jwtApi, scope: 'report:*' }, 'service')).toBe('report:*');
    expect(await latchkey.clientCredentials({ resource: jwtApi, scope: '*' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    });
  });
});

describe('a resource server that requires assignment', () => {
  const latchkey = startLatchkey({ apply: installation });

  test('accepts only users whose roles allow the scope', async () => {
    const authorization = { client_id: 'reader', scope: 'openid database:read:products', resource: databases };
    expect((await latchkey.tokens(authorization, latchkey.browser(), 'alice')).scope).toBe(
      'openid database:read:products',
    );
    const page = await latchkey.visit(latchkey.browser(), latchkey.authorizeUrl(authorization), { login: 'bob' });
    expect(new URL(page.url).searchParams.get('code')).toBeNull();
  });
});
