import { type AdminAnswer, type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { withConfiguration } from '../../support/configuration-file.ts';
import { api, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const lacks = (permission: string) => ({ status: 403, body: { permission } });
const conflict = { status: 409 };
const at = (identifier: string) => `/resource-servers/${encodeURIComponent(identifier)}`;
const guarded = 'https://guarded.example';
const scope = { name: 'open', description: 'Open the door', default: false, optional: false, sensitive: true };

const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    {
      identifier: guarded,
      name: 'Doors',
      assignment_required: true,
      dpop_required: true,
      required_acr: 'urn:latchkey:acr:two-factor',
      allowed_factors: ['password', 'totp', 'passkey'],
      access_token_ttl_seconds: 300,
      scopes: [scope],
    },
  ],
};

describe('changing an API needs the permission:', () => {
  const latchkey = startLatchkey({ apply: installation });
  let owner: AdminApi;
  let writer: AdminApi;
  let admin = '';
  beforeAll(async () => {
    admin = `${latchkey.issuer}/admin`;
    owner = await asOwner(latchkey);
    writer = await asService(latchkey, owner, { permissions: ['latchkey:resource_server:write'] });
  });

  const loosenings: [string, object][] = [
    ['no role needed', { assignment_required: false }],
    ['no proof of possession needed', { dpop_required: false }],
    ['no second factor needed', { required_acr: null }],
    ['more sign-in methods', { allowed_factors: null }],
    ['longer tokens', { access_token_ttl_seconds: 3600 }],
    ['tokens of the installation’s lifetime', { access_token_ttl_seconds: null }],
    ['tokens that are revoked later', { access_token_format: 'jwt' }],
    ['another name for people to read', { name: 'The weather' }],
    ['other words for a scope', { scopes: [{ ...scope, description: 'See the weather' }] }],
    ['a scope that is no longer sensitive', { scopes: [{ ...scope, sensitive: false }] }],
    ['a scope given unasked', { scopes: [{ ...scope, default: true }] }],
    ['a scope by another name', { scopes: [{ ...scope, name: 'shut' }] }],
    ['a pattern over all scopes', { scopes: [scope, { name: '*', description: 'See the weather' }] }],
    ['no scope at all', { scopes: [] }],
  ];
  test.each(loosenings)('loosened by %s: only with the permissions at the API', async (_, patch) => {
    expect(await writer.patch(at(guarded), patch)).toMatchObject({ status: 403 });
    const { body } = await owner.get(at(guarded));
    expect(body).toMatchObject({ assignment_required: true, dpop_required: true, name: 'Doors', scopes: [scope] });
  });

  test('less strict with all of its permissions, stricter with the permission to write', async () => {
    expect(await owner.patch(at(guarded), { assignment_required: false, name: 'Gates' })).toMatchObject({
      status: 200,
    });
    const stricter = {
      assignment_required: true,
      required_acr: 'phr',
      allowed_factors: ['passkey'],
      access_token_ttl_seconds: 60,
      scopes: [{ ...scope, optional: true }],
    };
    expect(await writer.patch(at(guarded), stricter)).toMatchObject({ status: 200, body: stricter });
  });

  test('disabled with PATCH only with the permission of the route', async () => {
    const change = { enabled: false };
    expect(await writer.patch(at(guarded), change)).toMatchObject(lacks('latchkey:resource_server:disable'));
    const both = ['latchkey:resource_server:write', 'latchkey:resource_server:disable'];
    const stopper = await asService(latchkey, owner, { permissions: both });
    expect(await stopper.patch(at(guarded), change)).toMatchObject({ status: 200, body: { enabled: false } });
    expect(await stopper.patch(at(guarded), { enabled: true })).toMatchObject({ status: 403 });
    expect(await owner.patch(at(guarded), { enabled: true })).toMatchObject({ status: 200 });
  });

  const acts: [string, (identifier: string) => Promise<AdminAnswer>][] = [
    ['disable it', (id) => owner.post(`${at(id)}/disable`)],
    ['disable it by a change', (id) => owner.patch(at(id), { enabled: false })],
    ['open it to everybody', (id) => owner.patch(at(id), { assignment_required: false })],
    ['rename its scopes', (id) => owner.patch(at(id), { scopes: [{ name: 'latchkey:everything' }] })],
    ['rename it', (id) => owner.patch(at(id), { name: 'Weather' })],
    ['make its tokens JWTs', (id) => owner.patch(at(id), { access_token_format: 'jwt' })],
    ['lift a demand for DPoP', (id) => owner.patch(at(id), { dpop_required: true })],
  ];
  test.each(acts)('not even an owner can %s where the API is the admin API', async (_, act) => {
    const { body: before } = await owner.get(at(admin));
    expect(before).toMatchObject({ built_in: true });
    expect(await act(admin)).toMatchObject(conflict);
    expect((await owner.get(at(admin))).body).toEqual(before);
  });

  test('built in keeps everything but its lifetimes: API and client', async () => {
    expect(await owner.patch(at(admin), { access_token_ttl_seconds: 120 })).toMatchObject({ status: 200 });
    expect(await writer.patch(at(admin), { access_token_ttl_seconds: 60 })).toMatchObject({ status: 200 });
    expect(await writer.patch(at(admin), { access_token_ttl_seconds: 600 })).toMatchObject({ status: 403 });
    const client = '/clients/latchkey-api-keys';
    expect(await owner.patch(client, { lifetimes: { access_token: 60 } })).toMatchObject({ status: 200 });
    for (const change of [{ enabled: false }, { first_party: false }, { resources: { [admin]: ['latchkey:*'] } }])
      expect(await owner.patch(client, change)).toMatchObject(conflict);
    expect(await owner.post(`${client}/disable`)).toMatchObject(conflict);
  });

  test('built in is not changed by configuration as code', async () => {
    const mine = { identifier: admin, name: 'Mine', scopes: [], enabled: false };
    const { stderr, code } = await withConfiguration({ resource_servers: [mine] }, (file) =>
      latchkey.command(['apply', file]),
    );
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('is built in') });
  });

  test('the audit log shows the values before and after', async () => {
    await owner.patch(at(api), { name: 'Orders', scopes: [{ name: 'read', description: 'Read all', default: true }] });
    const [seen] = (await latchkey.auditEvents('resource_server.updated')).filter(({ target_id }) => target_id === api);
    expect(seen?.details).toMatchObject({
      changed: {
        name: { old: 'Orders API', new: 'Orders' },
        scopes: { old: [{ description: 'Read your orders' }, { name: 'write' }], new: [{ description: 'Read all' }] },
      },
    });
    await owner.patch('/clients/web-app', { redirect_uris: ['https://new.example/cb'], client_name: 'New' });
    const [client] = (await latchkey.auditEvents('client.updated')).filter(({ target_id }) => target_id === 'web-app');
    expect(client?.details).toEqual({
      type: 'web',
      enabled: true,
      changed: {
        client_name: { old: 'Shop', new: 'New' },
        redirect_uris: {
          old: expect.arrayContaining(['https://client.example/other']),
          new: ['https://new.example/cb'],
        },
      },
    });
    await owner.post('/roles', { name: 'seen', permissions: [{ resource: api, pattern: 'read' }] });
    await owner.patch('/roles/seen', { permissions: [], description: 'Nothing' });
    const [role] = await latchkey.auditEvents('role.updated');
    expect(role?.details).toMatchObject({
      changed: { permissions: { old: [{ pattern: 'read' }], new: [] }, description: { old: null, new: 'Nothing' } },
    });
    await owner.patch('/users/bob', { email: 'bob@elsewhere.example', name: 'Robert' });
    const [user] = await latchkey.auditEvents('user.updated');
    // Addresses and names of users can be erased; events cannot.
    expect(user?.details).toMatchObject({ changed: expect.arrayContaining(['email', 'name']), enabled: true });
    expect(JSON.stringify(user)).not.toContain('elsewhere');
  });
});

describe('a revocation needs the permission of everything that it revokes:', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let revoker: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    revoker = await asService(latchkey, owner, { permissions: ['latchkey:token:revoke'] });
  });

  const uuid = '00000000-0000-7000-8000-0000000000ff';
  test.each<[object, string[]]>([
    [{ api_keys: { environment: 'prod' } }, ['latchkey:api_key:revoke']],
    [{ api_keys: { id: uuid } }, ['latchkey:api_key:revoke']],
    [{ grant_id: uuid }, ['latchkey:grant:revoke']],
    [{ session_id: 'none' }, ['latchkey:session:revoke']],
    [{ user: 'bob' }, ['latchkey:session:revoke', 'latchkey:grant:revoke', 'latchkey:api_key:revoke']],
    [{ client_id: 'web-app' }, ['latchkey:grant:revoke', 'latchkey:api_key:revoke']],
    [{ resource_server: api }, ['latchkey:resource_server:disable']],
    [{ issued_before: '2026-01-01T00:00:00Z' }, ['latchkey:token:revoke_all']],
  ])('%j', async (handle, needed) => {
    for (const dry_run of [true, false]) {
      expect(await revoker.post('/revocations', { handle, dry_run })).toMatchObject(lacks(needed[0] ?? ''));
    }
    for (const missing of needed) {
      const permissions = ['latchkey:token:revoke', ...needed.filter((permission) => permission !== missing)];
      const almost = await asService(latchkey, owner, { permissions });
      expect(await almost.post('/revocations', { handle })).toMatchObject(lacks(missing));
    }
    const enough = await asService(latchkey, owner, { permissions: ['latchkey:token:revoke', ...needed] });
    expect((await enough.post('/revocations', { handle, dry_run: true })).status).not.toBe(403);
  });

  test('all tokens for the admin API: only with the permission to revoke every kind', async () => {
    const handle = { resource_server: `${latchkey.issuer}/admin` };
    const permissions = ['latchkey:token:revoke', 'latchkey:resource_server:disable'];
    const stopper = await asService(latchkey, owner, { permissions });
    expect(await stopper.post('/revocations', { handle })).toMatchObject(lacks('latchkey:token:revoke_all'));
    expect((await owner.get('/clients')).status).toBe(200);
  });

  test('a token by its value: the permission to revoke tokens', async () => {
    const { access_token: token } = await latchkey.tokens({}, latchkey.browser(), 'bob');
    expect(await revoker.post('/revocations', { handle: { token } })).toMatchObject({ status: 200 });
    expect(await latchkey.isActive(token)).toBe(false);
  });
});
