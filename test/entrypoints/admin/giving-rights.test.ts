import { type AdminAnswer, AdminApi, asOwner, asService } from '../../support/admin.ts';
import { api, clientSecrets, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const give = 'latchkey:permission:give';
const lacks = (permission: string) => ({ status: 403, body: { permission } });
const right = { resource: api, pattern: 'read' };
const id = () => `c-${crypto.randomUUID().slice(0, 8)}`;
const service = (more: object) => ({ client_id: id(), grant_types: ['client_credentials'], ...more });
const web = (more: object) => ({ client_id: id(), redirect_uris: [redirectUri], scope: 'openid', ...more });

const installation = {
  ...standardInstallation,
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'entitled',
      client_secret: clientSecrets.service,
      redirect_uris: [redirectUri],
      resources: { [api]: ['read'] },
    },
    { client_id: 'plain', client_secret: clientSecrets.service, redirect_uris: [redirectUri] },
  ],
};

// The holder of a token has only the token's scopes, not all permissions of the user.
describe('a token grants the permissions it has, and not all that its owner holds:', () => {
  const latchkey = startLatchkey({ apply: installation });
  let owner: AdminApi;
  /** All permissions of an owner, with tokens that have few scopes. */
  let narrow: AdminApi;
  let giving: AdminApi;
  let resting = '';

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    const acts = [
      'client:write',
      'client_secret:create',
      'role:write',
      'role:assign',
      'user:write',
      'user:reset_password',
    ];
    const keys = ['api_key:create', 'api_key:write', 'api_key:rotate'];
    const scope = [...acts, ...keys].map((act) => `latchkey:${act}`).join(' ');
    narrow = await asService(latchkey, owner, { roles: ['owner'], scope });
    giving = await asService(latchkey, owner, { roles: ['owner'], scope: `${scope} ${give}` });
    await owner.post('/roles', { name: 'reads', permissions: [right] });
    await owner.put('/roles/reads/assignments/user/bob', {});
    const key = { name: 'at rest', environment: 'dev', owner: { user: 'bob' }, permissions: [right] };
    resting = String((await owner.post('/api-keys', key)).body.id);
    await owner.post(`/api-keys/${resting}/disable`);
  });

  const key = (more: object) => ({ name: 'a key', environment: 'dev', ...more });
  type Way = [string, (as: AdminApi) => Promise<AdminAnswer>];
  const ways: Way[] = [
    ['a client that may ask for it', (as) => as.post('/clients', web({ resources: { [api]: ['read'] } }))],
    ['a service that has it', (as) => as.post('/clients', service({ service_permissions: { [api]: ['read'] } }))],
    ['a client that gets it', (as) => as.patch('/clients/plain', { resources: { [api]: ['read'] } })],
    ['a client that has it and changes', (as) => as.patch('/clients/entitled', { client_name: 'Mine' })],
    ['a secret of a client that may ask for it', (as) => as.post('/clients/entitled/secrets', {})],
    ['a new secret in place of the old one', (as) => as.post('/clients/entitled/secrets/rotate', {})],
    ['a role', (as) => as.post('/roles', { name: id(), permissions: [right] })],
    ['a role that changes', (as) => as.patch('/roles/reads', { description: id() })],
    ['an assignment', (as) => as.put('/roles/reads/assignments/client/plain', {})],
    ['an account with a role', (as) => as.post('/users', { username: id(), password, roles: ['reads'] })],
    ['the password of who has it', (as) => as.post('/users/bob/password', { password })],
    ['a link to the password of who has it', (as) => as.post('/users/bob/password-link')],
    ['the address of who has it', (as) => as.patch('/users/bob', { name: id() })],
    ['a key', (as) => as.post('/api-keys', key({ permissions: [right] }))],
    ['a key for everything', (as) => as.post('/api-keys', key({ permissions: ['*'] }))],
    ['a key for sealed secrets', (as) => as.post('/api-keys', key({ permissions: ['secrets:*'] }))],
    ['a key with a role', (as) => as.post('/api-keys', key({ roles: ['reads'] }))],
    ['a key in the name of who has it', (as) => as.post('/api-keys', key({ owner: { user: 'bob' } }))],
    ['a key that changes', (as) => as.patch(`/api-keys/${resting}`, { name: id() })],
    ['a new text of a key', (as) => as.post(`/api-keys/${resting}/rotate`, {})],
    ['a key at rest that works again', (as) => as.post(`/api-keys/${resting}/enable`)],
  ];

  test.each(ways)('a permission at an API, by %s', async (_, way) => {
    expect(await way(narrow)).toMatchObject(lacks(give));
    expect([200, 201, 204]).toContain((await way(giving)).status);
  });

  test('permissions of Latchkey itself must be in the token, whatever else it has', async () => {
    const admin = `${latchkey.issuer}/admin`;
    const mine = { resource: admin, pattern: 'latchkey:api_key:create' };
    const others = { resource: admin, pattern: 'latchkey:signing_key:rotate' };
    expect(await narrow.post('/api-keys', key({ permissions: [mine] }))).toMatchObject({ status: 201 });
    expect(await giving.post('/api-keys', key({ permissions: [others] }))).toMatchObject(lacks(others.pattern));
    expect(await giving.post('/api-keys', key({ permissions: ['latchkey:*'] }))).toMatchObject(lacks('latchkey:*'));
  });

  test('an administrator with the right to assign grants what they hold', async () => {
    const poor = await asService(latchkey, owner, { permissions: ['latchkey:api_key:create', give] });
    expect(await poor.post('/api-keys', key({ permissions: [right] }))).toMatchObject(lacks('read'));
  });

  test('an API key grants the permissions that it has itself', async () => {
    const { body: apis } = await owner.get('/clients?q=owner-');
    const client_id = String(apis.items[0]?.client_id);
    const minting = { resource: `${latchkey.issuer}/admin`, pattern: 'latchkey:api_key:create' };
    const { body } = await owner.post('/api-keys', key({ owner: { client_id }, permissions: [minting, right] }));
    const minter = new AdminApi(latchkey.issuer, String(body.key));
    expect(await minter.post('/api-keys', key({ permissions: [right] }))).toMatchObject({ status: 201 });
    expect(await minter.post('/api-keys', key({ permissions: [{ ...right, pattern: 'write' }] }))).toMatchObject({
      status: 403,
    });
  });

  describe('skipping consent, introspecting tokens and disabling each need a separate permission:', () => {
    const firstParty = 'latchkey:first_party:allow';
    let able: AdminApi;
    beforeAll(async () => {
      const scope = `latchkey:client:write latchkey:client_secret:create ${give} ${firstParty}`;
      able = await asService(latchkey, owner, { roles: ['owner'], scope });
    });

    test.each([
      ['registering', (as: AdminApi) => as.post('/clients', web({ first_party: true }))],
      ['marking', (as: AdminApi) => as.patch('/clients/plain', { first_party: true })],
      ['leading elsewhere', (as: AdminApi) => as.patch('/clients/first-party', { redirect_uris: [redirectUri] })],
      ['a secret of', (as: AdminApi) => as.post('/clients/first-party/secrets', {})],
    ])('%s a first-party client', async (_, way) => {
      expect(await way(giving)).toMatchObject(lacks(firstParty));
      expect([200, 201]).toContain((await way(able)).status);
    });

    test('introspecting the tokens of an API', async () => {
      const seeing = { introspects: ['https://elsewhere.example'] };
      expect(await able.patch('/clients/plain', seeing)).toMatchObject(lacks('latchkey:resource_server:write'));
      const named = { ...web({}), client_id: 'https://elsewhere.example' };
      expect(await able.post('/clients', named)).toMatchObject(lacks('latchkey:resource_server:write'));
      expect(await able.post('/clients', web(seeing))).toMatchObject(lacks('latchkey:resource_server:write'));
    });

    test('disabling a client or user with PATCH, as with the separate route', async () => {
      expect(await able.patch('/clients/plain', { enabled: false })).toMatchObject(lacks('latchkey:client:disable'));
      expect(await giving.patch('/users/bob', { enabled: false })).toMatchObject(lacks('latchkey:user:disable'));
      expect(await owner.patch('/clients/plain', { enabled: false })).toMatchObject({ status: 200 });
      expect(await owner.patch('/users/bob', { enabled: false })).toMatchObject({ status: 200 });
    });
  });
});
