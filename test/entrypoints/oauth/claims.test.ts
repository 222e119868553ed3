import { decodeJwt } from 'jose';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { wordsOf } from '../../support/console.ts';
import { send } from '../../support/http.ts';
import { api, clientSecrets, jwtApi, redirectUri, standardInstallation } from '../../support/installation.ts';
import { type AuthorizeOptions, startLatchkey } from '../../support/latchkey.ts';

const shared = { redirect_uris: [redirectUri], resources: { [api]: ['read'], [jwtApi]: ['report:read'] } };
const client = (client_id: string, more: Record<string, unknown> = {}) => ({
  client_id,
  client_secret: clientSecrets['web-app'],
  client_name: client_id,
  first_party: true,
  scope: 'openid profile email groups offline_access',
  ...shared,
  ...more,
});

const installation = {
  ...standardInstallation,
  clients: [
    ...standardInstallation.clients,
    client('everything'),
    client('changing'),
    client('reduced', { claims_in_id_token: false }),
    client('openid-only', { scope: 'openid' }),
    client('third-party', { first_party: false }),
    client('api-itself', { introspects: [api, jwtApi] }),
  ],
};

const profile = { name: 'Alice Example', preferred_username: 'alice', updated_at: expect.any(Number) };
const email = { email: 'alice@example.com', email_verified: false };
const aboutTheToken = ['iss', 'aud', 'exp', 'iat', 'nonce', 'at_hash', 'sid', 'auth_time', 'acr', 'amr'];

describe('claims about users', () => {
  const latchkey = startLatchkey({ apply: installation });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    await owner.post('/roles', { name: 'platform', exported_as: 'platform-admins' });
    await owner.post('/roles', { name: 'readers', exported_as: 'readers' });
    await owner.post('/roles', { name: 'not-exported' });
    for (const role of ['readers', 'platform', 'not-exported'])
      expect(await owner.put(`/roles/${role}/assignments/user/alice`, {})).toMatchObject({ status: 204 });
  });

  const identity = (id_token: string) =>
    Object.fromEntries(Object.entries(decodeJwt(id_token)).filter(([name]) => !aboutTheToken.includes(name)));
  const userinfo = async (access_token: string) =>
    (await send(latchkey.issuer, '/oauth/userinfo', { headers: { authorization: `Bearer ${access_token}` } })).body;
  const told = async (options: AuthorizeOptions, login = 'alice') => {
    const tokens = await latchkey.tokens({ resource: null, ...options }, latchkey.browser(), login);
    return { ...tokens, identity: identity(tokens.id_token), info: await userinfo(tokens.access_token) };
  };
  const claimsOf = (id_token: unknown, more: Record<string, unknown> = {}) => JSON.stringify({ id_token, ...more });

  describe('in ID tokens', () => {
    test.each<[string, Record<string, unknown>]>([
      ['openid', {}],
      ['openid profile', profile],
      ['openid email', email],
      ['openid groups', { groups: ['platform-admins', 'readers'] }],
      ['openid profile email groups', { ...profile, ...email, groups: ['platform-admins', 'readers'] }],
    ])('are those of the scopes %s, as userinfo has them (OIDC Core §5.4)', async (scope, claims) => {
      const { identity, info } = await told({ client_id: 'everything', scope });
      expect(identity).toEqual({ sub: expect.any(String), ...claims });
      expect(info).toEqual(identity);
    });

    test.each([['an opaque token', api, 'read'] as const, ['a JWT', jwtApi, 'report:read'] as const])(
      'are the same beside %s for an API',
      async (_, resource, scope) => {
        const { identity, info } = await told({
          client_id: 'everything',
          scope: `openid profile groups ${scope}`,
          resource,
        });
        expect(identity).toEqual({ sub: expect.any(String), ...profile, groups: ['platform-admins', 'readers'] });
        expect(info).toEqual(identity);
      },
    );

    test('are only at userinfo for a client that is registered so', async () => {
      const { identity, info } = await told({ client_id: 'reduced', scope: 'openid profile email groups' });
      expect(identity).toEqual({ sub: expect.any(String) });
      expect(info).toEqual({ sub: identity.sub, ...profile, ...email, groups: ['platform-admins', 'readers'] });
      const named = await told({
        client_id: 'reduced',
        scope: 'openid email',
        claims: claimsOf({ email: { essential: true }, email_verified: null }),
      });
      expect(named.identity).toEqual({ sub: identity.sub, ...email });
    });

    test('follow the setting from the next request on, wherever it is set', async () => {
      const client_id = 'changing';
      const read = async () => (await told({ client_id, scope: 'openid email' })).identity.email;
      expect(await read()).toBe('alice@example.com');
      const { body } = await owner.patch(`/clients/${client_id}`, { claims_in_id_token: false });
      expect(body.claims_in_id_token).toBe(false);
      expect(await read()).toBeUndefined();
      const made = ['client', 'create', 'from-cli', '--redirect-uri', redirectUri, '--no-claims-in-id-token'];
      await latchkey.commandJson(made);
      expect((await owner.get('/clients/from-cli')).body.claims_in_id_token).toBe(false);
      expect((await owner.get('/clients/web-app')).body.claims_in_id_token).toBe(true);
    });

    test('are current when they are refreshed', async () => {
      await owner.post('/users', { username: 'carol', email: 'carol@example.com', password: 'correct horse battery' });
      await owner.put('/roles/readers/assignments/user/carol', {});
      const browser = latchkey.browser();
      await browser.submit(
        await browser.get('/sign-in'),
        { login: 'carol', password: 'correct horse battery' },
        '/sign-in',
      );
      const { refresh_token, id_token } = await latchkey.tokens(
        { client_id: 'everything', scope: 'openid profile email groups', resource: null },
        browser,
      );
      expect(identity(id_token)).toMatchObject({ groups: ['readers'], email_verified: false });
      await owner.patch('/users/carol', { name: 'Carol New' });
      await owner.post('/users/carol/verify-email', { email: 'carol@example.com' });
      await owner.delete('/roles/readers/assignments/user/carol');
      const { body } = await latchkey.refresh(refresh_token, 'everything');
      expect(identity(body.id_token)).toMatchObject({ groups: [], name: 'Carol New', email_verified: true });
      await owner.put('/roles/platform/assignments/user/carol', { until: new Date(Date.now() + 3_600_000) });
      await owner.patch('/users/carol', { email: 'carol@new.example' });
      const again = await latchkey.refresh(body.refresh_token, 'everything');
      expect(identity(again.body.id_token)).toMatchObject({
        groups: ['platform-admins'],
        email: 'carol@new.example',
        email_verified: false,
      });
    });
  });

  describe('requested one by one (OIDC Core §5.5)', () => {
    const narrow = { sub: expect.any(String) };

    test('are in the response that they were requested for, and no others', async () => {
      const claims = JSON.stringify({ id_token: { name: null }, userinfo: { email: { essential: true } } });
      const { identity, info } = await told({ client_id: 'everything', scope: 'openid', claims });
      expect(identity).toEqual({ ...narrow, name: 'Alice Example' });
      expect(info).toEqual({ ...narrow, email: 'alice@example.com' });
      const bound = await told({ client_id: 'everything', scope: 'openid read', resource: api, claims });
      expect(bound.info).toEqual({ ...narrow, email: 'alice@example.com' });
    });

    test('are kept when tokens are refreshed', async () => {
      const { refresh_token } = await told({
        client_id: 'everything',
        scope: 'openid',
        claims: claimsOf({ groups: null }, { userinfo: { name: null } }),
      });
      const { body } = await latchkey.refresh(refresh_token, 'everything');
      expect(identity(body.id_token)).toEqual({ ...narrow, groups: ['platform-admins', 'readers'] });
      expect(await userinfo(body.access_token)).toEqual({ ...narrow, name: 'Alice Example' });
    });

    test('cannot exceed the scopes that a client is registered with', async () => {
      const { identity, info } = await told({
        client_id: 'openid-only',
        scope: 'openid',
        claims: claimsOf({ email: { essential: true }, groups: null }, { userinfo: { name: null, email: null } }),
      });
      expect({ identity, info }).toEqual({ identity: narrow, info: narrow });
    });

    test('are shown on the consent page in the words of their scope, and returned when allowed', async () => {
      const browser = latchkey.browser();
      await browser.submit(
        await browser.get('/sign-in'),
        { login: 'bob', password: 'correct horse battery staple' },
        '/sign-in',
      );
      const request = {
        client_id: 'third-party',
        scope: 'openid',
        resource: null,
        claims: claimsOf({ email: null, groups: { essential: true } }),
      };
      const page = await browser.get(latchkey.authorizeUrl(request));
      const words = wordsOf(page);
      expect(words).toContain('See your e-mail address, and whether it is verified');
      expect(words).toContain('See which groups you are in');
      expect(words).not.toContain('See your name');
      const tokens = await latchkey.tokens(request, browser);
      expect(identity(tokens.id_token)).toEqual({ ...narrow, email: 'bob@example.com', groups: [] });
      // Once allowed it is not asked again, and nothing unrequested is added.
      expect((await browser.get(latchkey.authorizeUrl(request))).url).toContain('code=');
      const plain = await latchkey.tokens({ ...request, claims: null }, browser);
      expect(identity(plain.id_token)).toEqual(narrow);
      expect(wordsOf(await browser.get(latchkey.authorizeUrl({ ...request, prompt: 'consent' })))).toContain(
        'See which groups you are in',
      );
      expect(wordsOf(await browser.get('/account/apps'))).toContain('See which groups you are in');
    });

    test.each<[string, string, Record<string, unknown>]>([
      ['unknown claims', claimsOf({ birthdate: { essential: true }, __proto__: null }), {}],
      ['no claims', claimsOf({}), {}],
      ['members that are no requests', claimsOf({ email: 'yes', name: ['x'], groups: 7 }), {}],
      [
        'values that are no texts',
        claimsOf({ email: { value: { deep: [1] }, values: [{}, 'a'] } }),
        { email: email.email },
      ],
      [
        'values that cannot be stored',
        claimsOf({ auth_time: { value: 'a\u0000' }, email: { values: ['\ud800'] } }),
        { email: email.email },
      ],
      ['a class of authentication as a wish', claimsOf({ acr: { values: ['gold'] } }), {}],
    ])('are ignored where they are %s (§5.5.1)', async (_, claims, expected) => {
      const { identity } = await told({ client_id: 'everything', scope: 'openid', claims });
      expect(identity).toEqual({ ...narrow, ...expected });
    });

    test.each<[string, string, string]>([
      ['no JSON', '{', 'invalid_request'],
      ['a list', '[]', 'invalid_request'],
      ['lists of claims', '{"id_token":["email"]}', 'invalid_request'],
      [
        'more than 100',
        claimsOf(Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`c${n}`, null]))),
        'invalid_request',
      ],
      [
        'an essential class of authentication (§5.5.1.1)',
        claimsOf({ acr: { essential: true, values: ['gold'] } }),
        'unmet_authentication_requirements',
      ],
    ])('are refused where they are %s', async (_, claims, error) => {
      const page = await latchkey
        .browser()
        .get(latchkey.authorizeUrl({ client_id: 'everything', scope: 'openid', claims }));
      expect(new URL(page.url).searchParams.get('error')).toBe(error);
    });

    test('are parsed without harm when they are nested as deep as a request can be (CWE-674)', async () => {
      const depth = 8_000;
      const claims = `{"id_token":{"email":{"value":${'['.repeat(depth)}${']'.repeat(depth)}}}}`;
      const url = new URL(latchkey.authorizeUrl({ client_id: 'everything', scope: 'openid', resource: null, claims }));
      const answer = await latchkey.post('/oauth/par', Object.fromEntries(url.searchParams), 'everything');
      expect([201, 400]).toContain(answer.status);
    });
  });

  test('are those that discovery lists', async () => {
    const { body } = await send(latchkey.issuer, '/.well-known/openid-configuration');
    expect(body).toMatchObject({ claims_parameter_supported: true });
    expect(new Set(body.scopes_supported as string[])).toEqual(
      new Set(['openid', 'offline_access', 'profile', 'email', 'groups']),
    );
    const { identity } = await told({ client_id: 'everything', scope: 'openid profile email groups' });
    const supported = body.claims_supported as string[];
    for (const claim of Object.keys(identity)) expect(supported).toContain(claim);
    expect(supported).toHaveLength(Object.keys(identity).length + ['sid', 'auth_time', 'iss', 'acr', 'amr'].length);
  });

  describe('at introspection (RFC 7662 §2.2)', () => {
    const username = async (token: string, client_id: string) =>
      (await latchkey.post('/oauth/introspect', { token }, client_id)).body.username;

    test.each([['opaque', api, 'read'] as const, ['JWT', jwtApi, 'report:read'] as const])(
      'name the user of an %s token to the API, whatever the client was granted',
      async (_, resource, scope) => {
        const { access_token } = await latchkey.tokens({
          client_id: 'openid-only',
          scope: `openid ${scope}`,
          resource,
        });
        expect(await username(access_token, 'api-itself')).toBe('alice');
        expect(await username(access_token, 'openid-only')).toBeUndefined();
      },
    );

    test('name the user to a client that may see the profile, for both tokens', async () => {
      const { access_token, refresh_token } = await told({ client_id: 'everything', scope: 'openid profile' });
      expect(await username(access_token, 'everything')).toBe('alice');
      expect(await username(refresh_token, 'everything')).toBe('alice');
    });

    test('name no user for a service, and nothing for an expired token', async () => {
      const { body } = await latchkey.clientCredentials();
      expect(await username(body.access_token, 'api-itself')).toBeUndefined();
      expect((await latchkey.post('/oauth/introspect', { token: 'nothing' }, 'api-itself')).body).toEqual({
        active: false,
      });
    });
  });
});
