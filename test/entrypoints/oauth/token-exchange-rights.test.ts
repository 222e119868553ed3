import { AdminApi, asOwner } from '../../support/admin.ts';
import { exchangeInstallation, exchangeKey } from '../../support/exchange.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('a token for the admin API that was exchanged for a key of an owner', () => {
  const latchkey = startLatchkey({ apply: exchangeInstallation });
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
  });

  /** Calls the admin API with a key that has these permissions; its owner, Alice, has all. */
  async function by(permissions: string[], given: object = {}): Promise<AdminApi> {
    const { key } = await gateway.mint({ owner: { user: 'alice' }, permissions, ...given });
    const scope = permissions.filter((permission) => permission.startsWith('latchkey:')).join(' ');
    const { body } = await exchangeKey(latchkey, key, { resource: `${latchkey.issuer}/admin`, scope });
    return new AdminApi(latchkey.issuer, body.access_token);
  }
  const minting = ['latchkey:api_key:create', 'latchkey:api_key:rotate', 'latchkey:permission:give'];
  const wanted = (permissions: string[]) => ({
    ...{ name: 'wanted', owner: { user: 'alice' }, environment: 'dev', permissions },
  });

  test('creates keys with what the key may, and nothing more that its owner may (DESIGN §1.6)', async () => {
    const admin = await by([...minting, 'orders:read']);
    expect(await admin.post('/api-keys', wanted(['orders:read']))).toMatchObject({ status: 201 });
    for (const permission of ['*', 'orders:*', 'orders:write', 'latchkey:client:create'])
      expect(await admin.post('/api-keys', wanted([permission]))).toMatchObject({
        status: 403,
        body: { permission },
      });
  });

  test('has no permission without the scope for it, whatever the key has', async () => {
    const admin = await by(['latchkey:api_key:create', 'orders:read']);
    expect(await admin.post('/api-keys', wanted(['orders:read']))).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:permission:give' },
    });
  });

  test('cannot get another key of its owner by rotating it', async () => {
    const { id } = await gateway.mint({ owner: { user: 'alice' }, permissions: ['orders:*'] });
    const admin = await by(minting);
    expect(await admin.post(`/api-keys/${id}/rotate`, {})).toMatchObject({ status: 403 });
    const wide = await by([...minting, 'orders:*']);
    expect(await wide.post(`/api-keys/${id}/rotate`, {})).toMatchObject({ status: 201 });
  });

  test('has permissions of the key at some APIs for those only', async () => {
    const resource = 'https://data.example';
    const admin = await by([...minting, 'orders:read'], {
      restrictions: { resource_servers: [resource, `${latchkey.issuer}/admin`] },
    });
    expect(await admin.post('/api-keys', wanted(['orders:read']))).toMatchObject({ status: 403 });
    const there = { ...wanted([]), permissions: [{ resource, pattern: 'orders:read' }] };
    expect(await admin.post('/api-keys', there)).toMatchObject({ status: 201 });
  });
});
