import { decodeJwt } from 'jose';
import { api, jwtApi, standardInstallation } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

const rolesApi = 'https://roles.example';
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    { identifier: rolesApi, name: 'Roles API', assignment_required: true, scopes: [{ name: 'admin:write' }] },
  ],
  clients: [
    ...standardInstallation.clients.slice(1),
    {
      ...standardInstallation.clients[0],
      resources: { [api]: ['read', 'write'], [jwtApi]: ['report:read'], [rolesApi]: ['admin:*'] },
    },
  ],
};

const latchkey = startLatchkey({ apply: installation });

describe('a client_credentials request', () => {
  test.each<{ what: string; ref: string; form: Record<string, string>; error: string }>([
    { what: 'what it was not given', ref: 'CC-02', form: { scope: 'write', resource: api }, error: 'invalid_scope' },
    {
      what: 'one it has and one it has not',
      ref: 'CC-02',
      form: { scope: 'read write', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'an undeclared scope',
      ref: 'RFC 6749 §3.3',
      form: { scope: 'nope', resource: api },
      error: 'invalid_scope',
    },
    { what: 'everything', ref: 'RFC 6749 §3.3', form: { scope: '*', resource: api }, error: 'invalid_scope' },
    {
      what: 'who the person is',
      ref: 'OIDC Core §3.1.2.1',
      form: { scope: 'openid read', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'a longer stay',
      ref: 'OIDC Core §11',
      form: { scope: 'offline_access read', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'a scope at the wrong service',
      ref: 'RFC 8707 §2',
      form: { scope: 'report:read', resource: api },
      error: 'invalid_scope',
    },
    { what: 'a scope at no service', ref: 'RFC 8707 §2', form: { scope: 'read' }, error: 'invalid_target' },
    { what: 'a token for nothing', ref: 'RFC 8707 §2', form: {}, error: 'invalid_target' },
    {
      what: 'a scope in capitals',
      ref: 'RFC 6749 §3.3',
      form: { scope: 'READ', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'a scope with a Cyrillic letter',
      ref: 'RFC 6749 §3.3',
      form: { scope: 're\u0430d', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'a scope in quotes',
      ref: 'RFC 6749 §3.3',
      form: { scope: '"read"', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'a tab between scopes',
      ref: 'RFC 6749 §3.3',
      form: { scope: 'read\tread', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'the name of a prototype',
      ref: 'RESP-22',
      form: { scope: '__proto__', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'permissions of this server',
      ref: 'CWE-269',
      form: { scope: 'latchkey:grant:revoke', resource: api },
      error: 'invalid_scope',
    },
    { what: 'an unknown resource', ref: 'CC-04', form: { resource: 'https://evil.test' }, error: 'invalid_target' },
    { what: 'a resource with a fragment', ref: 'RFC 8707 §2', form: { resource: `${api}#x` }, error: 'invalid_target' },
    { what: 'a resource that is no URI', ref: 'RFC 8707 §2', form: { resource: 'orders' }, error: 'invalid_target' },
    { what: 'the resource of a prototype', ref: 'RESP-22', form: { resource: '__proto__' }, error: 'invalid_target' },
  ])('is refused $what, and nothing is stored ($ref)', async ({ form, error }) => {
    const before = await storedRows(latchkey.database);
    const { headers, ...answer } = await latchkey.clientCredentials(form);
    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await storedRows(latchkey.database)).toEqual(before);
  });

  test('is refused two resources at once (RFC 8707 §2.2)', async () => {
    const form = new URLSearchParams([
      ['grant_type', 'client_credentials'],
      ['resource', api],
      ['resource', jwtApi],
    ]);
    const answer = await latchkey.post('/oauth/token', form, 'service');
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  test.each(['spa', 'native', 'web-app', 'post-app'])(
    'is refused %s, which acts for users (RFC 6749 §5.2)',
    async (client_id) => {
      const answer = await latchkey.clientCredentials({ resource: api }, client_id);
      expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
    },
  );

  test('gets the default scopes if it names none (RFC 6749 §3.3), for that service alone (CC-06)', async () => {
    const { body } = await latchkey.clientCredentials({ resource: api });
    expect(body).toMatchObject({ scope: 'read', token_type: 'Bearer' });
    expect(body).not.toHaveProperty('refresh_token');
    const { body: seen } = await latchkey.post('/oauth/introspect', { token: body.access_token }, 'service');
    expect(seen).toMatchObject({ active: true, aud: api, scope: 'read', client_id: 'service' });
    const { body: jwt } = await latchkey.clientCredentials({ resource: jwtApi, scope: 'report:read' });
    expect(decodeJwt(jwt.access_token)).toMatchObject({ aud: jwtApi, scope: 'report:read', sub: 'service' });
  });
});

describe('a client that acts for a user', () => {
  const answerTo = async (login: string, scope: string, resource: string) => {
    const page = await latchkey.visit(latchkey.browser(), latchkey.authorizeUrl({ scope, resource }), { login });
    return Object.fromEntries(new URL(page.url).searchParams);
  };

  test('gets scopes that need a role only from users who have the role', async () => {
    expect(await answerTo('alice', 'openid admin:write', rolesApi)).toHaveProperty('code');
    expect(await answerTo('bob', 'openid admin:write', rolesApi)).toMatchObject({
      error: 'invalid_scope',
      state: 'the state',
    });
  });

  test('gets a token for one service at a time, each with its own scopes (RFC 8707 §2.2, MCP-01)', async () => {
    const code = await latchkey
      .code({ scope: 'openid read report:read', resource: api })
      .catch((error: Error) => error);
    expect(code).toBeInstanceOf(Error);
    const both = `${latchkey.authorizeUrl({ scope: 'openid read report:read', code_verifier: 'v'.repeat(43) })}&resource=${encodeURIComponent(jwtApi)}`;
    const page = await latchkey.visit(latchkey.browser(), both);
    const redeemed = { code: new URL(page.url).searchParams.get('code') ?? '', code_verifier: 'v'.repeat(43) };
    const form = { grant_type: 'authorization_code', redirect_uri: 'https://client.example/callback', ...redeemed };
    const first = await latchkey.post('/oauth/token', { ...form, resource: api }, 'web-app');
    expect(first).toMatchObject({ status: 200, body: { scope: 'openid read' } });
    const second = await latchkey.post(
      '/oauth/token',
      { grant_type: 'refresh_token', refresh_token: first.body.refresh_token, resource: jwtApi },
      'web-app',
    );
    expect(second).toMatchObject({ status: 200, body: { scope: 'openid report:read' } });
    expect(decodeJwt(second.body.access_token)).toMatchObject({ aud: jwtApi, scope: 'report:read' });
  });

  test('is named on the consent page: each client needs its own consent (MCP-02)', async () => {
    const browser = latchkey.browser();
    await latchkey.code({ scope: 'openid read' }, browser);
    const page = await browser.get(latchkey.authorizeUrl({ client_id: 'post-app', scope: 'openid read' }));
    expect(page.html).toMatch(/Allow <strong>Newsletter<\/strong>/);
  });

  test('gets no optional scope that the user left unticked', async () => {
    const browser = latchkey.browser();
    const url = latchkey.authorizeUrl({ scope: 'openid read write', code_verifier: 'v'.repeat(43) });
    const page = await latchkey.visit(browser, url, { login: 'bob' });
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const redirect_uri = 'https://client.example/callback';
    const form = { grant_type: 'authorization_code', code, code_verifier: 'v'.repeat(43), redirect_uri };
    expect(await latchkey.post('/oauth/token', form, 'web-app')).toMatchObject({
      status: 200,
      body: { scope: 'openid read' },
    });
  });
});
