import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { api, password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const forbidden = { status: 403, body: { type: 'urn:latchkey:problem:forbidden' } };

describe('no one can grant permissions that they do not hold:', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let administrator: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    administrator = await asService(latchkey, owner, {
      roles: ['administrator'],
      permissions: ['latchkey:client:read'],
      scope: 'latchkey:client:* latchkey:client_secret:* latchkey:role:* latchkey:user:* latchkey:permission:give',
    });
  });

  const service = (client_id: string, more: object = {}) => ({
    client_id,
    grant_types: ['client_credentials'],
    ...more,
  });

  test('an administrator registers clients, but none with more permissions of Latchkey than their token', async () => {
    expect(
      await administrator.post('/clients', service('reader', { service_permissions: { [api]: ['read'] } })),
    ).toMatchObject({ status: 201 });
    const admin = `${latchkey.issuer}/admin`;
    for (const pattern of ['latchkey:*', 'latchkey:signing_key:rotate', 'secrets:*']) {
      expect(
        await administrator.post('/clients', service('too-much', { service_permissions: { [admin]: [pattern] } })),
      ).toMatchObject(forbidden);
      expect(
        await administrator.post('/clients', service('too-much', { resources: { [admin]: [pattern] } })),
      ).toMatchObject(forbidden);
      expect(
        await administrator.patch('/clients/reader', { service_permissions: { [admin]: [pattern] } }),
      ).toMatchObject(forbidden);
    }
  });

  test('a service with permissions at one API can give exactly those', async () => {
    const narrow = await asService(latchkey, owner, {
      permissions: ['latchkey:client:write', 'latchkey:role:*', 'latchkey:permission:give'],
      scope: 'latchkey:client:write latchkey:role:* latchkey:permission:give',
    });
    expect(
      await narrow.post('/clients', service('smuggled', { service_permissions: { [api]: ['read'] } })),
    ).toMatchObject(forbidden);
    await owner.post('/roles', { name: 'read-only', permissions: [{ resource: api, pattern: 'database:read:*' }] });
    const mine = await owner.get('/clients?q=service-&sort=-created_at&limit=1');
    await owner.put(`/roles/read-only/assignments/client/${mine.body.items[0]?.client_id}`, {});
    const inside = { permissions: [{ resource: api, pattern: 'database:read:products' }] };
    expect(await narrow.post('/roles', { name: 'inside', ...inside })).toMatchObject({ status: 201 });
    for (const right of [
      { resource: api, pattern: 'database:*' },
      { resource: api, pattern: 'database:*:products' },
      { resource: api, pattern: '*' },
      { resource: null, pattern: 'database:read:products' },
      { resource: 'https://other.example', pattern: 'database:read:products' },
    ]) {
      expect(await narrow.post('/roles', { name: 'outside', permissions: [right] })).toMatchObject(forbidden);
      expect(await narrow.patch('/roles/inside', { permissions: [right] })).toMatchObject(forbidden);
    }
  });

  test('a caller who is no owner cannot make anyone an owner, or remove one', async () => {
    for (const [kind, subject] of [
      ['user', 'bob'],
      ['client', 'service'],
    ]) {
      expect(await administrator.put(`/roles/owner/assignments/${kind}/${subject}`, {})).toMatchObject(forbidden);
      expect(await administrator.put(`/roles/operator/assignments/${kind}/${subject}`, {})).toMatchObject(forbidden);
    }
    expect(await administrator.delete('/roles/owner/assignments/user/alice')).toMatchObject(forbidden);
    const body = { username: 'mallory', password: 'a very long password', roles: ['owner'] };
    expect(await administrator.post('/users', body)).toMatchObject(forbidden);
    expect((await owner.get('/users/mallory')).status).toBe(404);
  });

  test('no one can take over an account or client that holds more than they do', async () => {
    expect(await administrator.post('/users/alice/password', {})).toMatchObject(forbidden);
    expect(await administrator.patch('/users/alice', { email: 'mallory@example.com' })).toMatchObject(forbidden);
    expect(await administrator.post('/users/bob/password', {})).toMatchObject({
      status: 200,
      body: { password: expect.any(String) },
    });
    const { body } = await owner.get('/clients?q=owner-');
    const powerful = String(body.items[0]?.client_id);
    expect(await administrator.post(`/clients/${powerful}/secrets`, {})).toMatchObject(forbidden);
    expect(await administrator.post(`/clients/${powerful}/secrets/rotate`, {})).toMatchObject(forbidden);
    expect(await administrator.patch(`/clients/${powerful}`, { client_name: 'Mine' })).toMatchObject(forbidden);
  });

  test('a built-in role cannot be changed, and the last owner cannot be removed', async () => {
    for (const name of ['owner', 'administrator', 'operator', 'auditor']) {
      expect(await owner.patch(`/roles/${name}`, { permissions: [] })).toMatchObject({ status: 409 });
      expect(await owner.delete(`/roles/${name}`)).toMatchObject({ status: 409 });
    }
    expect(await owner.delete('/roles/owner/assignments/user/alice')).toMatchObject({ status: 409 });
    expect(await owner.post('/users/alice/disable')).toMatchObject({ status: 409 });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect(await owner.put('/roles/owner/assignments/user/alice', { until })).toMatchObject({ status: 409 });
  });

  test('an assignment expires at its time, and its permissions with it', async () => {
    const timed = await asService(latchkey, owner, { permissions: ['latchkey:client:read'] });
    const { body } = await owner.get('/clients?q=service-&sort=-created_at&limit=1');
    const client_id = String(body.items[0]?.client_id);
    const explained = () =>
      owner.get(
        `/explanation?kind=client&subject=${client_id}&resource=${encodeURIComponent(api)}&permission=database:read:x`,
      );
    const until = new Date(Date.now() + 60_000).toISOString();
    await owner.post('/roles', { name: 'timed', permissions: [{ resource: api, pattern: 'database:*' }] });
    expect((await owner.put(`/roles/timed/assignments/client/${client_id}`, { until })).status).toBe(204);
    expect((await explained()).body).toEqual({ allowed: true, because: 'The role "timed" gives it.' });
    expect((await owner.get('/roles/timed/assignments')).body.items).toMatchObject([{ subject: client_id, until }]);
    await latchkey.advance(61);
    owner = await asOwner(latchkey);
    expect((await explained()).body).toMatchObject({ allowed: false });
    expect((await timed.get('/clients')).status).toBe(200);
  });

  test('a user’s token is limited to their roles, and loses permissions with them at once', async () => {
    const admin = `${latchkey.issuer}/admin`;
    await owner.post('/clients', {
      client_id: 'console-app',
      redirect_uris: ['https://client.example/callback'],
      token_endpoint_auth_method: 'none',
      scope: 'openid',
      resources: { [admin]: ['latchkey:*'] },
    });
    await owner.post('/users', { username: 'olga', password, roles: ['operator'] });
    const options = {
      client_id: 'console-app',
      resource: admin,
      scope: 'openid latchkey:client:read latchkey:client:disable',
    };
    const { access_token } = await latchkey.tokens(options, latchkey.browser(), 'olga');
    const { AdminApi: Api } = await import('../../support/admin.ts');
    const olga = new Api(latchkey.issuer, access_token);
    expect((await olga.get('/clients')).status).toBe(200);
    expect(await olga.get('/users')).toMatchObject(forbidden);
    await expect(
      latchkey.tokens({ ...options, scope: 'openid latchkey:client:write' }, latchkey.browser(), 'olga'),
    ).rejects.toThrow(/no code/);
    expect((await owner.delete('/roles/operator/assignments/user/olga')).status).toBe(204);
    expect(await olga.get('/clients')).toMatchObject(forbidden);
  });
});
