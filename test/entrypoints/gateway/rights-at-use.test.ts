import { AdminApi, asOwner } from '../../support/admin.ts';
import { exchangeKey } from '../../support/exchange.ts';
import { Gateway } from '../../support/gateway.ts';
import { clientSecrets, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const databases = 'https://databases.example';
const open = 'https://open.example';
const read = 'database:read:products';
const resources = { [databases]: ['database:*'], [open]: [read] };
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    { identifier: databases, name: 'Databases', assignment_required: true, scopes: [{ name: read }] },
    { identifier: open, name: 'Open to everybody', scopes: [{ name: read }] },
  ],
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'reader',
      client_secret: clientSecrets['web-app'],
      redirect_uris: [redirectUri],
      first_party: true,
      scope: 'openid',
      resources,
    },
    {
      client_id: 'robot',
      client_secret: clientSecrets['web-app'],
      grant_types: ['client_credentials'],
      service_permissions: { [databases]: [read] },
      introspects: [databases, open],
    },
  ],
};

// RFC 7662 §2.2, RFC 9700 §2.3: the scopes of an opaque token are determined when it is used.
describe('an opaque token has the permissions that its owners have at that moment:', () => {
  const latchkey = startLatchkey({ apply: installation });
  let owner: AdminApi;
  let gateway: Gateway;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    await owner.post('/roles', { name: 'readers', permissions: [{ resource: databases, pattern: 'database:*:*' }] });
    await owner.post('/roles', { name: 'robots', permissions: [{ resource: databases, pattern: read }] });
    await owner.put('/roles/readers/assignments/user/bob', {});
  });

  const ofPerson = async (resource: string) =>
    String(
      (await latchkey.tokens({ client_id: 'reader', scope: `openid ${read}`, resource }, latchkey.browser(), 'bob'))
        .access_token,
    );
  const ofClient = async (client_id = 'robot') =>
    String((await latchkey.clientCredentials({ resource: databases, scope: read }, client_id)).body.access_token);
  const ofKey = async (owned: object) => {
    const { id, key } = await gateway.mint({ owner: owned, permissions: [{ resource: databases, pattern: read }] });
    return { id, token: String((await exchangeKey(latchkey, key)).body.access_token) };
  };
  const verdict = async (token: string, resource = databases) => {
    const { code } = await gateway.verify({ token, resource, permission: read });
    const { scope, active } = (await latchkey.post('/oauth/introspect', { token }, 'robot')).body;
    return { code, scope, active };
  };
  const may = { code: 'valid', scope: read, active: true };
  const mayNot = { code: 'insufficient_permissions', scope: undefined, active: true };

  test('a role of a user', async () => {
    const token = await ofPerson(databases);
    const elsewhere = await ofPerson(open);
    expect(await verdict(token)).toEqual(may);
    await owner.delete('/roles/readers/assignments/user/bob');
    expect(await verdict(token)).toEqual(mayNot);
    // If the API requires no roles, a missing role does not matter.
    expect(await verdict(elsewhere, open)).toEqual(may);
    await owner.put('/roles/readers/assignments/user/bob', {});
    expect(await verdict(token)).toEqual(may);
    await owner.patch('/roles/readers', { permissions: [{ resource: databases, pattern: 'database:write:*' }] });
    expect(await verdict(token)).toEqual(mayNot);
    await owner.patch('/roles/readers', { permissions: [{ resource: null, pattern: read }] });
    expect(await verdict(token)).toEqual(may);
  });

  test('an API that begins to require roles', async () => {
    const token = await ofPerson(open);
    expect(await verdict(token, open)).toEqual(may);
    await owner.delete('/roles/readers/assignments/user/bob');
    await owner.patch(`/resource-servers/${encodeURIComponent(open)}`, { assignment_required: true });
    expect(await verdict(token, open)).toEqual(mayNot);
    await owner.put('/roles/readers/assignments/user/bob', {});
    await owner.patch(`/resource-servers/${encodeURIComponent(open)}`, { assignment_required: false });
  });

  test('what the client may request from users', async () => {
    const token = await ofPerson(databases);
    await owner.patch('/clients/reader', { resources: { [databases]: null } });
    expect(await verdict(token)).toEqual(mayNot);
    await owner.patch('/clients/reader', { resources });
    expect(await verdict(token)).toEqual(may);
  });

  test('what a client holds itself, by its registration or by a role', async () => {
    const token = await ofClient();
    expect(await verdict(token)).toEqual(may);
    await owner.patch('/clients/robot', { service_permissions: { [databases]: null, [open]: [read] } });
    expect(await verdict(token)).toEqual(mayNot);
    await owner.put('/roles/robots/assignments/client/robot', {});
    expect(await verdict(token)).toEqual(may);
    await owner.delete('/roles/robots/assignments/client/robot');
    expect(await verdict(token)).toEqual(mayNot);
    await owner.patch('/clients/robot', { service_permissions: { [databases]: [read] } });
  });

  test.each([
    ['of a client', { client_id: 'robot' }],
    ['of a person', { user: 'bob' }],
  ])('the permissions of an API key %s that it was exchanged for', async (_, owned) => {
    const { id, token } = await ofKey(owned);
    expect(await verdict(token)).toEqual(may);
    await owner.patch(`/api-keys/${id}`, { permissions: [{ resource: open, pattern: read }] });
    expect(await verdict(token)).toEqual(mayNot);
    await owner.patch(`/api-keys/${id}`, { permissions: [read] });
    expect(await verdict(token)).toEqual(may);
    await owner.delete('/roles/readers/assignments/user/bob');
    expect(await verdict(token)).toEqual('user' in owned ? mayNot : may);
    await owner.put('/roles/readers/assignments/user/bob', {});
  });

  test('a token for the admin API is refused as soon as its client may no longer request it', async () => {
    const admin = `${latchkey.issuer}/admin`;
    await owner.post('/clients', {
      client_id: 'console-of-ours',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      scope: 'openid',
      resources: { [admin]: ['latchkey:role:read'] },
    });
    const asked = { client_id: 'console-of-ours', scope: 'openid latchkey:role:read', resource: admin };
    const token = String((await latchkey.tokens(asked)).access_token);
    const by = new AdminApi(latchkey.issuer, token);
    expect(await by.get('/roles')).toMatchObject({ status: 200 });
    await owner.patch('/clients/console-of-ours', { resources: { [admin]: null } });
    expect(await by.get('/roles')).toMatchObject({ status: 403 });
  });
});
