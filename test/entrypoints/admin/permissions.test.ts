import { allows } from '../../../src/domain/access/index.ts';
import { adminRoutes as routes } from '../../../src/entrypoints/admin/index.ts';
import { AdminApi, asOwner, asService } from '../../support/admin.ts';
import { api, password, redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const nobodys = '00000000-0000-7000-8000-0000000000ff';
const known: Record<string, string> = {
  kind: 'user',
  consent_id: nobodys,
  grant_id: nobodys,
  key_id: nobodys,
  secret_id: nobodys,
};
/** A path of the route to a record that does not exist, so that an allowed request changes nothing either. */
const addressOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? 'nothing');

describe('every route of the admin API', () => {
  const latchkey = startLatchkey();
  const callers = new Map<string, AdminApi>();
  let patterns: Record<string, string[]> = {};

  beforeAll(async () => {
    const owner = await asOwner(latchkey);
    const { body } = await owner.get('/roles');
    patterns = Object.fromEntries(
      body.items.map(({ name, permissions }) => [
        name,
        (permissions as { pattern: string }[]).map(({ pattern }) => pattern),
      ]),
    );
    for (const role of ['administrator', 'operator', 'auditor']) {
      const all = routes
        .map(({ permission }) => permission)
        .filter((permission) => allows(patterns[role] ?? [], permission));
      const scope = [...new Set(all)].join(' ');
      callers.set(
        role,
        await asService(latchkey, owner, { roles: [role], permissions: ['latchkey:none:none'], scope }),
      );
    }
    callers.set('owner', owner);
    callers.set('nobody', new AdminApi(latchkey.issuer, undefined));
    const { body: other } = await latchkey.clientCredentials();
    callers.set('for another API', new AdminApi(latchkey.issuer, other.access_token));
  });

  const asked = routes.flatMap(({ method, path, permission }) =>
    ['owner', 'administrator', 'operator', 'auditor', 'nobody', 'for another API'].map(
      (caller) => [method, path, permission, caller] as const,
    ),
  );

  test.each(asked)('%s %s (%s) gives the expected response to %s', async (method, path, permission, caller) => {
    const api = callers.get(caller);
    if (!api) throw new Error(`no ${caller}`);
    const body = method === 'GET' || method === 'DELETE' ? undefined : { unknown: 1 };
    const { status, body: answer } = await api.call(method, addressOf(path), { body });
    if (caller === 'nobody' || caller === 'for another API') return expect(status).toBe(401);
    const isAllowed = allows(patterns[caller] ?? [], permission);
    if (!isAllowed) return expect({ status, permission: answer.permission }).toEqual({ status: 403, permission });
    return expect([200, 400, 404]).toContain(status);
  });

  describe('changes that could grant permissions, with one permission alone:', () => {
    const alone = new Map<string, AdminApi>();
    const right = { resource: api, pattern: 'read' };
    const admin = () => `${latchkey.issuer}/admin`;
    const some = () => crypto.randomUUID().slice(0, 8);
    const at = (identifier: string) => `/resource-servers/${encodeURIComponent(identifier)}`;
    let key = '';

    beforeAll(async () => {
      const owner = callers.get('owner') ?? new AdminApi(latchkey.issuer, undefined);
      for (const permission of new Set(routes.map((route) => route.permission)))
        alone.set(permission, await asService(latchkey, owner, { permissions: [permission], scope: permission }));
      await owner.post('/roles', { name: 'reads', permissions: [right] });
      await owner.post('/roles', { name: 'empty' });
      await owner.post('/users', { username: 'holder', password, roles: ['reads'], email: 'holder@example.com' });
      const web = { redirect_uris: [redirectUri], scope: 'openid', grant_types: ['authorization_code'] };
      await owner.post('/clients', { ...web, client_id: 'entitled', resources: { [api]: ['read'] } });
      await owner.post('/clients', { ...web, client_id: 'signs-in' });
      const made = await owner.post('/api-keys', {
        ...{ name: 'held', environment: 'dev', owner: { client_id: 'entitled' }, permissions: [right] },
        restrictions: { ip_allowlist: ['10.0.0.1'] },
      });
      key = `/api-keys/${made.body.id}`;
    });

    const client = (more: object) => ({ client_id: `c-${some()}`, grant_types: ['client_credentials'], ...more });
    const web = (more: object) => ({
      client_id: `c-${some()}`,
      redirect_uris: [redirectUri],
      scope: 'openid',
      ...more,
    });
    const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: '1' }] };
    const elsewhere = ['https://evil.example/callback'];
    type Change = [string, (as: AdminApi) => Promise<{ status: number }>, string[]?];
    // Third column: single permissions that are sufficient, because it grants nothing beyond them.
    const changes: Change[] = [
      ['a client with resources', (as) => as.post('/clients', web({ resources: { [api]: ['read'] } }))],
      [
        'a client with service_permissions',
        (as) => as.post('/clients', client({ service_permissions: { [api]: ['read'] } })),
      ],
      [
        'a client with permissions of Latchkey',
        (as) => as.post('/clients', client({ service_permissions: { [admin()]: ['latchkey:*'] } })),
      ],
      ['a client that introspects', (as) => as.post('/clients', client({ introspects: [api] }))],
      ['a first_party client', (as) => as.post('/clients', web({ first_party: true }))],
      ['a client without rights', (as) => as.post('/clients', web({})), ['latchkey:client:write']],
      ['redirect_uris of an entitled client', (as) => as.patch('/clients/entitled', { redirect_uris: elsewhere })],
      ['redirect_uris', (as) => as.patch('/clients/signs-in', { redirect_uris: elsewhere })],
      ['post_logout_redirect_uris', (as) => as.patch('/clients/signs-in', { post_logout_redirect_uris: elsewhere })],
      ['backchannel_logout_uri', (as) => as.patch('/clients/signs-in', { backchannel_logout_uri: elsewhere[0] })],
      ['jwks', (as) => as.patch('/clients/signs-in', { jwks, token_endpoint_auth_method: 'private_key_jwt' })],
      [
        'jwks_uri',
        (as) =>
          as.patch('/clients/signs-in', { jwks_uri: elsewhere[0], token_endpoint_auth_method: 'private_key_jwt' }),
      ],
      ['token_endpoint_auth_method', (as) => as.patch('/clients/signs-in', { token_endpoint_auth_method: 'none' })],
      ['grant_types', (as) => as.patch('/clients/signs-in', { grant_types: ['authorization_code', 'refresh_token'] })],
      [
        'allowed_cors_origins',
        (as) => as.patch('/clients/signs-in', { allowed_cors_origins: ['https://evil.example'] }),
      ],
      ['client_secret', (as) => as.patch('/clients/signs-in', { client_secret: 'a secret of somebody else' })],
      ['resources', (as) => as.patch('/clients/signs-in', { resources: { [api]: ['read'] } })],
      [
        'service_permissions',
        (as) => as.patch('/clients/service', { service_permissions: { [api]: ['read', 'write'] } }),
      ],
      ['introspects', (as) => as.patch('/clients/signs-in', { introspects: [api] })],
      ['first_party', (as) => as.patch('/clients/signs-in', { first_party: true })],
      ['enabled of a client', (as) => as.patch('/clients/signs-in', { enabled: false })],
      ['the name of an entitled client', (as) => as.patch('/clients/entitled', { client_name: some() })],
      ['a secret of an entitled client', (as) => as.post('/clients/entitled/secrets', {})],
      ['a rotated secret of an entitled client', (as) => as.post('/clients/entitled/secrets/rotate', {})],

      ['a user with roles', (as) => as.post('/users', { username: `u-${some()}`, password, roles: ['reads'] })],
      [
        'a user with a verified address',
        (as) =>
          as.post('/users', {
            username: `u-${some()}`,
            password,
            email: `${some()}@example.com`,
            email_verified: true,
          }),
      ],
      [
        'a user without rights',
        (as) => as.post('/users', { username: `u-${some()}`, password }),
        ['latchkey:user:write'],
      ],
      ['the e-mail address of who has rights', (as) => as.patch('/users/holder', { email: 'evil@example.com' })],
      ['the name of who has rights', (as) => as.patch('/users/holder', { name: some() })],
      ['the password of who has rights', (as) => as.post('/users/holder/password', { password })],
      ['a password link of who has rights', (as) => as.post('/users/holder/password-link')],
      ['enabled of a user', (as) => as.patch('/users/bob', { enabled: false })],

      ['a role with permissions', (as) => as.post('/roles', { name: `r-${some()}`, permissions: [right] })],
      [
        'a role with permissions of Latchkey',
        (as) => as.post('/roles', { name: `r-${some()}`, permissions: [{ pattern: 'latchkey:*' }] }),
      ],
      ['an exported role', (as) => as.post('/roles', { name: `r-${some()}`, exported_as: `g-${some()}` })],
      ['permissions of a role', (as) => as.patch('/roles/empty', { permissions: [right] })],
      ['exported_as of a role', (as) => as.patch('/roles/empty', { exported_as: `g-${some()}` })],
      ['a role of a user', (as) => as.put('/roles/reads/assignments/user/bob', {})],
      ['a role of a client', (as) => as.put('/roles/owner/assignments/client/service', {})],

      ['scopes of an API', (as) => as.patch(at(api), { scopes: [{ name: 'read' }, { name: 'write' }] })],
      ['enabled of an API', (as) => as.patch(at(api), { enabled: false })],
      [
        'an API of Latchkey',
        (as) => as.patch(at(admin()), { assignment_required: false }),
        ['latchkey:resource_server:write: 409'],
      ],

      ['a key with permissions', (as) => as.post('/api-keys', { name: 'k', environment: 'dev', permissions: [right] })],
      ['a key with a role', (as) => as.post('/api-keys', { name: 'k', environment: 'dev', roles: ['reads'] })],
      ['a key of another', (as) => as.post('/api-keys', { name: 'k', environment: 'dev', owner: { user: 'holder' } })],
      [
        'a key that never expires',
        (as) => as.post('/api-keys', { name: 'k', environment: 'dev', never_expires: true }),
      ],
      ['permissions of a key', (as) => as.patch(key, { permissions: [right, { ...right, pattern: 'write' }] })],
      ['roles of a key', (as) => as.patch(key, { roles: ['reads'] })],
      ['restrictions of a key', (as) => as.patch(key, { restrictions: { ip_allowlist: null } })],
      ['expires_at of a key', (as) => as.patch(key, { expires_at: '2036-01-01T00:00:00Z' })],
      ['a new version of a key', (as) => as.post(`${key}/rotate`, {})],

      ['a webhook', (as) => as.post('/webhooks', { url: 'https://evil.example/hook', events: ['*'] })],
    ];

    test.each(changes)('%s', async (_, change, harmless = []) => {
      const answers = await Promise.all(
        [...alone].map(async ([permission, as]) => ({ permission, status: (await change(as)).status })),
      );
      const done = answers.flatMap(({ permission, status }) => {
        if (status === 403) return [];
        return status < 300 ? permission : `${permission}: ${status}`;
      });
      expect(done).toEqual(harmless);
    });
  });
});
