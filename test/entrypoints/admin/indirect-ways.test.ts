import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { api, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const lacks = (permission: string) => ({ status: 403, body: { permission } });
const installation = {
  ...standardInstallation,
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'gatekeeper',
      grant_types: ['client_credentials'],
      client_secret: 'a secret of the API',
      introspects: [api],
    },
    {
      client_id: 'sign-in-only',
      client_secret: 'a secret of the sign-in',
      redirect_uris: [redirectUri],
      scope: 'openid',
    },
  ],
};

// Each was a way to use one permission for an action that another permission guards.
describe('one permission does not imply another:', () => {
  const latchkey = startLatchkey({ apply: installation });
  let owner: AdminApi;
  let help: AdminApi;
  let names = 0;
  const newUser = async () => {
    names += 1;
    const username = `somebody-${names}`;
    await owner.post('/users', { username, password });
    return username;
  };
  const linkTo = async (username: string, by: AdminApi) =>
    String((await by.post(`/users/${username}/password-link`)).body.url);
  const chooses = async (url: string) => {
    const browser = latchkey.browser();
    const page = await browser.get(new URL(url).pathname);
    if (page.status !== 200) return page.status;
    const chosen = 'a password chosen by the link';
    return (await browser.submit(page, { password: chosen, password_repeated: chosen }, '/password')).status;
  };

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    help = await asService(latchkey, owner, { permissions: ['latchkey:user:reset_password'] });
    await owner.post('/roles', { name: 'writers', permissions: [{ resource: api, pattern: 'write' }] });
    await owner.post('/roles', { name: 'grouped', exported_as: 'grouped' });
  });

  test('a link to choose a password works while its creator holds every permission of the user', async () => {
    expect(await chooses(await linkTo(await newUser(), help))).toBe(200);
    for (const role of ['owner', 'writers', 'grouped']) {
      const username = await newUser();
      const link = await linkTo(username, help);
      await owner.put(`/roles/${role}/assignments/user/${username}`, {});
      expect(await chooses(link)).toBe(404);
      expect(await chooses(await linkTo(username, owner))).toBe(200);
    }
  });

  test.each<[string, (username: string) => Promise<unknown>]>([
    ['a password that is set', (username) => owner.post(`/users/${username}/password`, { password })],
    ['a revocation of all that the person has', (user) => owner.post('/revocations', { handle: { user } })],
    [
      'disabling the person, also once they are enabled again',
      async (username) => {
        await owner.post(`/users/${username}/disable`);
        await owner.post(`/users/${username}/enable`);
      },
    ],
  ])('a link to choose a password ends with %s', async (_, act) => {
    const username = await newUser();
    const link = await linkTo(username, owner);
    await act(username);
    expect(await chooses(link)).toBe(404);
  });

  test('a secret of a client that introspects the tokens of an API needs the permission to register such a client', async () => {
    const secrets = await asService(latchkey, owner, { permissions: ['latchkey:client_secret:create'] });
    expect(await secrets.post('/clients/gatekeeper/secrets', {})).toMatchObject(
      lacks('latchkey:resource_server:write'),
    );
    const clients = await asService(latchkey, owner, { permissions: ['latchkey:client:write'] });
    const patch = { client_secret: 'a secret that somebody else chose' };
    expect(await clients.patch('/clients/gatekeeper', patch)).toMatchObject(lacks('latchkey:resource_server:write'));
  });

  test('an answer that was stored for a token is not repeated to a token with fewer permissions', async () => {
    const permissions = ['latchkey:permission:give', 'latchkey:api_key:create'];
    const both = await asService(latchkey, owner, { roles: ['owner'], permissions, scope: permissions.join(' ') });
    const headers = { 'Idempotency-Key': `deploy-key-${crypto.randomUUID()}` };
    const key = { name: 'of a deployment', environment: 'dev', permissions: [{ resource: api, pattern: 'read' }] };
    expect(await both.post('/api-keys', key, { headers })).toMatchObject({ status: 201 });
    expect(await both.post('/api-keys', key, { headers })).toMatchObject({ status: 201 });
    const narrow = await both.with('latchkey:api_key:create');
    expect(await narrow.post('/api-keys', key)).toMatchObject(lacks('latchkey:permission:give'));
    expect(await narrow.post('/api-keys', key, { headers })).toMatchObject({ status: 422 });
  });

  test('a key for a member of an exported group needs the permission to export groups', async () => {
    const username = await newUser();
    await owner.put(`/roles/grouped/assignments/user/${username}`, {});
    const keys = await asService(latchkey, owner, { permissions: ['latchkey:api_key:create'] });
    const key = { name: 'in a name', environment: 'dev', owner: { user: username } };
    expect(await keys.post('/api-keys', key)).toMatchObject(lacks('latchkey:group:export'));
    expect(await owner.post('/api-keys', key)).toMatchObject({ status: 201 });
  });

  // RFC 9700 §4.1, §4.13: an actor who chooses the redirect URIs or the authentication of a client receives its sign-ins.
  test.each<[string, object]>([
    ['redirect URIs', { redirect_uris: ['https://evil.example/callback'] }],
    ['one more redirect URI', { redirect_uris: [redirectUri, 'https://evil.example/callback'] }],
    ['sign-out URIs', { post_logout_redirect_uris: ['https://evil.example/out'] }],
    ['where it is told of sign-outs', { backchannel_logout_uri: 'https://evil.example/logout' }],
    [
      'the address of its keys',
      { jwks_uri: 'https://evil.example/jwks', token_endpoint_auth_method: 'private_key_jwt' },
    ],
    ['no authentication', { token_endpoint_auth_method: 'none' }],
    ['another authentication', { token_endpoint_auth_method: 'client_secret_post' }],
    ['other grant types', { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] }],
    ['the origins of its pages', { allowed_cors_origins: ['https://evil.example'] }],
    ['another signature', { id_token_signed_response_alg: 'ES256' }],
    ['where sign-ins begin', { initiate_login_uri: 'https://evil.example/begin' }],
  ])('of an existing client, %s', async (_, patch) => {
    const clients = await asService(latchkey, owner, { permissions: ['latchkey:client:write'] });
    const answer = await clients.patch('/clients/sign-in-only', patch);
    expect(answer).toMatchObject(lacks('latchkey:client:credentials'));
  });

  test('a secret of an existing client, by changing it', async () => {
    const permissions = ['latchkey:client:write', 'latchkey:client:credentials'];
    const clients = await asService(latchkey, owner, { permissions });
    const patch = { client_secret: 'a secret that somebody else chose' };
    expect(await clients.patch('/clients/sign-in-only', patch)).toMatchObject(lacks('latchkey:client_secret:create'));
    const uris = { redirect_uris: [redirectUri, 'https://client.example/second'] };
    expect(await clients.patch('/clients/sign-in-only', uris)).toMatchObject({ status: 200 });
    expect(await clients.patch('/clients/sign-in-only', { client_name: 'Signs in' })).toMatchObject({ status: 200 });
  });
});
