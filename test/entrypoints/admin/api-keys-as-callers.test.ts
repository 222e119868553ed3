import { type AdminApi, AdminApi as Api, asOwner } from '../../support/admin.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('an API key calls the admin API', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' } });
  let owner: AdminApi;
  let gateway: Gateway;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
  });

  const mint = (permissions: string[], given: object = {}) =>
    gateway.mint({ owner: { client_id: 'service' }, permissions, ...given });
  const by = (key: string, headers: Record<string, string> = {}) => ({
    get: (path: string) => new Api(latchkey.issuer, undefined).get(path, { headers: { 'x-api-key': key, ...headers } }),
    post: (path: string, body: unknown) =>
      new Api(latchkey.issuer, undefined).post(path, body, { headers: { 'x-api-key': key, ...headers } }),
  });

  test('with its permissions, in X-API-Key or as a bearer token, and with nothing else', async () => {
    const { id, key } = await mint(['latchkey:role:*']);
    expect(await by(key).get('/roles')).toMatchObject({ status: 200 });
    expect(await new Api(latchkey.issuer, key).get('/roles')).toMatchObject({ status: 200 });
    expect(await by(key).get('/clients')).toMatchObject({ status: 403, body: { permission: 'latchkey:client:read' } });
    const both = await new Api(latchkey.issuer, owner.token).get('/roles', { headers: { 'x-api-key': key } });
    expect(both.status).toBe(400);
    const name = 'made-by-a-key';
    expect(await by(key).post('/roles', { name, permissions: [] })).toMatchObject({ status: 201 });
    const { items } = (await owner.get('/audit/events?action=role.created')).body;
    expect(items[0]).toMatchObject({ actor_kind: 'api_key', actor_id: id, target_id: name });
  });

  test('of a user within the permissions of the user, and grants no more than it has', async () => {
    const { key: bobs } = await gateway.mint({ owner: { user: 'bob' }, permissions: ['latchkey:role:read'] });
    expect(await by(bobs).get('/roles')).toMatchObject({ status: 403 });
    const { key } = await gateway.mint({
      ...{ owner: { user: 'alice' }, permissions: ['latchkey:api_key:create', 'orders:read'] },
    });
    const wanted = (permission: string) => ({
      ...{ name: 'wanted', owner: { user: 'alice' }, environment: 'dev', permissions: [permission] },
    });
    expect(await by(key).post('/api-keys', wanted('orders:read'))).toMatchObject({ status: 201 });
    expect(await by(key).post('/api-keys', wanted('orders:write'))).toMatchObject({ status: 403 });
  });

  test('within its restrictions, until it is revoked', async () => {
    const restrictions = { ip_allowlist: ['192.0.2.7'], rate_limit: '3 requests/hour' };
    const { id, key } = await mint(['latchkey:role:read'], { restrictions });
    const from = (address: string) => by(key, { 'x-forwarded-for': address }).get('/roles');
    expect(await from('192.0.2.8')).toMatchObject({ status: 403 });
    expect(await from('192.0.2.7')).toMatchObject({ status: 200 });
    expect(await from('192.0.2.7')).toMatchObject({ status: 200 });
    expect(await from('192.0.2.7')).toMatchObject({ status: 200 });
    const limited = await from('192.0.2.7');
    expect([limited.status, Number(limited.headers.get('retry-after')) > 0]).toEqual([429, true]);
    await owner.post(`/api-keys/${id}/revoke`);
    expect(await from('192.0.2.7')).toMatchObject({ status: 401 });
    expect(await by(`${key.slice(0, -1)}?`).get('/roles')).toMatchObject({ status: 401 });
  });
});
