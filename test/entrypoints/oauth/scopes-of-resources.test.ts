import { decodeJwt } from 'jose';
import { eventually } from '../../support/eventually.ts';
import { api, clientSecrets, jwtApi, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { type Answer, startLatchkey } from '../../support/latchkey.ts';

const payroll = 'https://payroll.example';
const roster = 'https://Roster.example/api/';
const plain = 'https://plain.example';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const client = (client_id: string, more: object) => ({
  client_id,
  client_secret: clientSecrets['web-app'],
  client_name: client_id,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid profile offline_access',
  ...more,
});
const resourcesOfBoth = {
  [api]: ['read', 'write'],
  [roster]: ['roster:*'],
  [payroll]: ['salary:*'],
  [plain]: ['*'],
};
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    {
      identifier: payroll,
      name: 'Payroll API',
      assignment_required: true,
      scopes: [{ name: 'salary:read', default: true }, { name: 'salary:write' }],
    },
    {
      identifier: roster,
      name: 'Roster API',
      scopes: [
        { name: 'roster:read', default: true },
        { name: 'roster:write', optional: true },
      ],
    },
    { identifier: plain, name: 'Plain API', scopes: [{ name: 'look' }, { name: 'erase', sensitive: true }] },
  ],
  clients: [
    ...standardInstallation.clients,
    client('both', { resources: resourcesOfBoth }),
    client('narrow', { resources: { [roster]: ['roster:write'] } }),
    client('device', {
      application_type: 'native',
      client_secret: undefined,
      token_endpoint_auth_method: 'none',
      grant_types: [deviceGrant, 'refresh_token'],
      redirect_uris: undefined,
      resources: { [api]: ['read'] },
    }),
    client('rosters', {
      grant_types: ['client_credentials'],
      redirect_uris: undefined,
      scope: undefined,
      service_permissions: { [roster]: ['roster:*'] },
    }),
  ],
};

const latchkey = startLatchkey({ apply: installation });
const claimsOf = async (access_token: string): Promise<Record<string, unknown>> => {
  if (access_token.startsWith('ey')) return decodeJwt(access_token);
  const { body } = await latchkey.post('/oauth/introspect', { token: access_token }, 'web-app');
  return body;
};
const refusalAt = async (options: Record<string, string>, login = 'bob'): Promise<string | null> => {
  const page = await latchkey.visit(latchkey.browser(), latchkey.authorizeUrl(options), { login });
  return new URL(page.url).searchParams.get('error');
};
const expectNoScopelessToken = async ({ status, body }: Answer) => {
  expect({ status, error: body.error }).toEqual({ status: 400, error: 'invalid_scope' });
  expect(body).not.toHaveProperty('access_token');
};

describe('a request that names no scope of the API it is for (RFC 8707 §2, RFC 6749 §3.3)', () => {
  test.each([
    ['an API whose tokens are opaque', 'web-app', api, 'openid read'],
    ['an API whose tokens are JWTs', 'web-app', jwtApi, 'openid report:read'],
    ['an API without default scopes, all but the sensitive ones', 'both', plain, 'openid look'],
  ])('gets the default scopes of %s', async (_what, client_id, resource, scope) => {
    const tokens = await latchkey.tokens({ client_id, scope: 'openid', resource });
    expect(tokens.scope).toBe(scope);
    expect(await latchkey.refresh(tokens.refresh_token, client_id)).toMatchObject({ status: 200, body: { scope } });
  });

  test('is refused if the client is entitled to none of its scopes: authorization, PAR, device, client credentials', async () => {
    const foreign = { scope: 'openid', resource: jwtApi };
    expect(await refusalAt({ client_id: 'post-app', ...foreign })).toBe('invalid_scope');
    expect(await refusalAt({ client_id: 'post-app', scope: 'openid', resource: payroll })).toBe('invalid_scope');
    expect(await refusalAt({ client_id: 'post-app', scope: 'openid', resource: `${latchkey.issuer}/admin` })).toBe(
      'invalid_scope',
    );
    expect(await refusalAt({ client_id: 'narrow', scope: 'openid', resource: roster })).toBe('invalid_scope');
    const authorization = {
      response_type: 'code',
      redirect_uri: redirectUri,
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    };
    await expectNoScopelessToken(await latchkey.post('/oauth/par', { ...authorization, ...foreign }, 'post-app'));
    await expectNoScopelessToken(await latchkey.post('/oauth/device_authorization', foreign, 'device'));
    await expectNoScopelessToken(await latchkey.clientCredentials({ resource: payroll }, 'rosters'));
  });

  test('never gets a default scope that the client may not have', async () => {
    expect(await refusalAt({ client_id: 'post-app', scope: 'openid write', resource: api })).toBe('invalid_scope');
    expect(await refusalAt({ client_id: 'post-app', scope: 'openid write', resource: '' })).not.toBeNull();
    expect(await refusalAt({ client_id: 'narrow', scope: 'openid roster:read', resource: roster })).toBe(
      'invalid_scope',
    );
    await expectNoScopelessToken(
      await latchkey.clientCredentials({ resource: roster, scope: 'roster:read nonsense' }, 'rosters'),
    );
  });

  test('shows every API on the consent page, with its scopes', async () => {
    const browser = latchkey.browser();
    const url = `${latchkey.authorizeUrl({ client_id: 'both', scope: 'openid read', resource: api })}&resource=${encodeURIComponent(roster)}`;
    const page = await browser.submit(await browser.get(url), { login: 'bob', password }, '/sign-in');
    expect(page.html).toContain('Orders API');
    expect(page.html).toContain('Roster API');
    expect(page.html).toContain('roster:read');
  });

  test('shows a wildcard as risky as the riskiest scope that it covers', async () => {
    const browser = latchkey.browser();
    const url = latchkey.authorizeUrl({ client_id: 'both', scope: 'openid *', resource: plain });
    const page = await browser.submit(await browser.get(url), { login: 'bob', password }, '/sign-in');
    expect(page.html).toMatch(/Use "look"|Use &quot;look&quot;/);
    expect(page.html).toContain('Risky');
  });

  test('is a sign-in alone if the user refuses all of the API', async () => {
    const code_verifier = 'v'.repeat(43);
    const browser = latchkey.browser();
    const url = latchkey.authorizeUrl({
      client_id: 'both',
      scope: 'openid roster:write',
      resource: roster,
      code_verifier,
    });
    const page = await latchkey.visit(browser, url, { login: 'bob' });
    const code = {
      code: new URL(page.url).searchParams.get('code') ?? '',
      code_verifier,
      redirect_uri: redirectUri,
      client_id: 'both',
    };
    const { status, body } = await latchkey.redeem(code);
    expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'openid' });
    expect(await claimsOf(body.access_token)).not.toHaveProperty('aud');
    const withoutSignIn = { client_id: 'both', scope: 'roster:write', resource: roster };
    const refused = await browser.get(latchkey.authorizeUrl(withoutSignIn));
    expect(new URL(refused.url).searchParams.get('error')).toBe('access_denied');
  });

  test('gets only the scopes that the roles of the user allow, and the page says so', async () => {
    const tokens = await latchkey.tokens(
      { client_id: 'both', scope: 'openid', resource: payroll },
      latchkey.browser(),
      'alice',
    );
    expect(tokens.scope).toBe('openid salary:read');
    expect(await refusalAt({ client_id: 'both', scope: 'openid', resource: payroll }, 'bob')).toBe('invalid_scope');
  });
});

describe('a refresh', () => {
  test('that names OpenID Connect scopes alone gets the default scopes that were granted', async () => {
    const { refresh_token } = await latchkey.tokens({ scope: 'openid profile read write' });
    const narrowed = { grant_type: 'refresh_token', refresh_token, scope: 'openid' };
    expect(await latchkey.post('/oauth/token', narrowed, 'web-app')).toMatchObject({
      status: 200,
      body: { scope: 'openid read' },
    });
  });

  test('grants nothing once the entitlement was removed, in every token format', async () => {
    const opaque = await latchkey.tokens({ client_id: 'both', scope: 'openid roster:read', resource: roster });
    const setResources = (resources: object) =>
      latchkey.database.query(`update clients set resources = $1 where client_id = 'both'`, [
        JSON.stringify(resources),
      ]);
    await setResources({ [api]: ['read'] });
    const answer = await eventually(
      () => latchkey.refresh(opaque.refresh_token, 'both'),
      ({ status }) => status === 400,
    );
    await expectNoScopelessToken(answer);
    await setResources(resourcesOfBoth);
  });
});

describe('scopes that no API declares', () => {
  test.each(['openid address phone', 'openid offline profile', 'address openid'])(
    '"%s": are ignored in an authorization request (OpenID Connect Core §3.1.2.1)',
    async (scope) => {
      const { body } = await latchkey.redeem(await latchkey.code({ scope, resource: null }));
      expect(
        String(body.scope)
          .split(' ')
          .filter((each) => !['openid', 'profile'].includes(each)),
      ).toEqual([]);
    },
  );

  test('are ignored beside a scope of the API, and refused alone', async () => {
    const { scope } = await latchkey.tokens({ scope: 'openid read address nonsense' });
    expect(scope).toBe('openid read');
    expect(await refusalAt({ scope: 'address phone', resource: '' })).not.toBeNull();
  });
});

describe('offline_access of a client that is not registered for it', () => {
  test.each(['openid read offline_access', 'offline_access'])(
    'is ignored, also if consent is requested again: "%s" (OpenID Connect Core §11)',
    async (scope) => {
      const asked = { client_id: 'spa', redirect_uri: 'https://spa.example/callback', scope, prompt: 'consent' };
      const { access_token, ...answer } = await latchkey.tokens(asked);
      expect(answer.scope).not.toContain('offline_access');
      expect(answer.scope).toContain('read');
      const pushed = new URL(latchkey.authorizeUrl(asked)).searchParams;
      expect((await latchkey.post('/oauth/par', pushed)).status).toBe(201);
    },
  );

  test('is granted to a client that is registered for it', async () => {
    const { scope } = await latchkey.tokens({ scope: 'openid read offline_access', prompt: 'consent' });
    expect(scope).toContain('offline_access');
  });
});

describe('a resource in another spelling (RFC 3986 §6.2)', () => {
  test.each(['https://api.example/', 'HTTPS://API.example', 'https://Api.Example/'])(
    '%s: names the registered API, as the token does: authorization, code, refresh',
    async (resource) => {
      const code = await latchkey.code({ scope: 'openid read', resource });
      const { body } = await latchkey.post(
        '/oauth/token',
        { grant_type: 'authorization_code', ...code, resource },
        'web-app',
      );
      expect(await claimsOf(body.access_token)).toMatchObject({ aud: api, scope: expect.stringContaining('read') });
      const form = { grant_type: 'refresh_token', refresh_token: body.refresh_token, resource };
      const refreshed = await latchkey.post('/oauth/token', form, 'web-app');
      expect(await claimsOf(refreshed.body.access_token)).toMatchObject({ aud: api });
    },
  );

  test.each(['https://roster.example/api', 'https://ROSTER.example/api/', 'https://Roster.example/api/'])(
    '%s: names the API with which it was registered, for a service',
    async (resource) => {
      const { body } = await latchkey.clientCredentials({ resource, scope: 'roster:read' }, 'rosters');
      expect((await latchkey.post('/oauth/introspect', { token: body.access_token }, 'rosters')).body.aud).toBe(roster);
    },
  );

  test('names the registered API in a pushed request and for a device', async () => {
    const code_verifier = 'v'.repeat(43);
    const asked = new URL(latchkey.authorizeUrl({ code_verifier, scope: 'read', resource: 'HTTPS://Api.example/' }));
    const pushed = await latchkey.post('/oauth/par', asked.searchParams, 'web-app');
    const reference = { client_id: 'web-app', request_uri: String(pushed.body.request_uri) };
    const url = `${latchkey.issuer}/oauth/authorize?${new URLSearchParams(reference)}`;
    const { url: back } = await latchkey.visit(latchkey.browser(), url);
    const code = new URL(back).searchParams.get('code') ?? '';
    const redeemed = await latchkey.redeem({ ...reference, code, code_verifier, redirect_uri: redirectUri });
    expect(await claimsOf(redeemed.body.access_token)).toMatchObject({ aud: api, scope: 'read' });

    const { body } = await latchkey.post(
      '/oauth/device_authorization',
      { resource: 'https://API.example/', scope: 'read' },
      'device',
    );
    const browser = latchkey.browser();
    let page = await browser.get(String(body.verification_uri_complete));
    page = await browser.submit(page, { user_code: String(body.user_code) }, '/device');
    page = await browser.submit(page, { confirm: 'yes' }, '/device');
    page = await browser.submit(page, { login: 'alice', password }, '/sign-in');
    await browser.submit(page, { decision: 'allow' }, '/consent');
    const form = { grant_type: deviceGrant, device_code: String(body.device_code), resource: 'https://API.example' };
    const polled = await latchkey.post('/oauth/token', form, 'device');
    const known = await latchkey.post('/oauth/introspect', { token: polled.body.access_token }, 'service');
    expect(known.body).toMatchObject({ aud: api, scope: 'read' });
  });

  test.each([
    'https://roster.example/API',
    'https://roster.example/api//',
    'http://roster.example/api',
    'https://roster.example/api?x',
  ])('%s: is another resource', async (resource) => {
    expect(await latchkey.clientCredentials({ resource }, 'rosters')).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    });
  });

  test('cannot be registered beside the first', async () => {
    const create = ['resource-server', 'create', 'https://API.example/', '--name', 'Copy', '--scope', 'read=Read'];
    expect(await latchkey.command(create)).toMatchObject({ code: 1, stderr: expect.stringContaining(`"${api}"`) });
  });
});

describe('audience in a client credentials request', () => {
  test('names the resource', async () => {
    const { body } = await latchkey.clientCredentials(
      { audience: 'https://roster.example/api', scope: 'roster:read' },
      'rosters',
    );
    expect((await latchkey.post('/oauth/introspect', { token: body.access_token }, 'rosters')).body.aud).toBe(roster);
  });

  test('together with another resource is refused: a token is for one', async () => {
    const answer = await latchkey.clientCredentials({ audience: api, resource: jwtApi });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });
});
