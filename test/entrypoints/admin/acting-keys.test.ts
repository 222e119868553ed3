import { generateKeyPairSync } from 'node:crypto';
import { type AdminAnswer, AdminApi, asOwner } from '../../support/admin.ts';
import { exchangeKey } from '../../support/exchange.ts';
import { api, clientSecrets, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const day = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * day).toISOString();
const id = () => `n-${crypto.randomUUID().slice(0, 8)}`;
const refused = (member: object) => ({ status: 403, body: member });

const installation = {
  ...standardInstallation,
  clients: [
    ...standardInstallation.clients,
    { client_id: 'web', client_secret: clientSecrets['web-app'], redirect_uris: [redirectUri], scope: 'openid' },
  ],
};

type Restrictions = Record<string, unknown>;
/** A merge patch adds to an object, and removes nothing. */
const isMerged = (value: unknown) => typeof value === 'object' && !Array.isArray(value);
const right = { resource: api, pattern: 'read' };

// Keys that an API key creates or changes have at least its restrictions, and expire no later: so a stolen key stays limited.
describe('a caller with an API key cannot give more than the key has:', () => {
  const latchkey = startLatchkey({ apply: installation });
  let owner: AdminApi;
  let owner_id = '';
  let audience = '';

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    audience = `${latchkey.issuer}/admin`;
    const { items } = (await owner.get('/clients?q=owner-')).body;
    owner_id = String(items[0]?.client_id);
    await owner.post('/roles', { name: 'reads', permissions: [right] });
    await owner.post('/roles', { name: 'empty', permissions: [] });
    await owner.put('/roles/reads/assignments/user/bob', {});
    await owner.post('/users', { username: 'carol', roles: ['reads'] });
    await owner.post('/users/carol/disable');
    await owner.patch('/users/bob', { email: 'bob@example.com' });
    const idOf = async (path: string, body: object) => String((await owner.post(path, body)).body.id);
    const signIn = provider();
    made = {
      issuer: signIn.issuer,
      provider: await idOf('/trusts', signIn),
      disabled: await idOf('/trusts', trust({ permissions: { [api]: ['read'] }, enabled: false })),
      webhook: await idOf('/webhooks', { url: `https://${id()}.example`, events: ['role.created'] }),
    };
  });

  let made = { issuer: '', provider: '', disabled: '', webhook: '' };
  const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const trust = (more: object) => ({
    ...{ name: id(), issuer: `https://${id()}.example`, jwks: { keys: [jwk] } },
    conditions: [{ claim: 'sub', equals: 'job' }],
    ...more,
  });
  const provider = () => ({
    ...{ name: id(), kind: 'login', issuer: `https://${id()}.example`, login: { client_id: 'latchkey' } },
  });

  const permissions = ['latchkey:*', '*', 'secrets:*'];
  const wanted = (more: object = {}) => ({
    name: id(),
    environment: 'dev',
    permissions: ['latchkey:role:read'],
    ...more,
  });
  const mint = async (more: object = {}) => {
    const owned = { owner: { client_id: owner_id } };
    const answer = await owner.post('/api-keys', wanted({ ...owned, permissions, expires_in_days: 30, ...more }));
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body as unknown as { id: string; key: string; expires_at: string };
  };
  /** The exchange meets every restriction of the request; the token does not contain them. */
  const tokenFor = async (key: string, headers: Record<string, string> = {}) => {
    const { body } = await exchangeKey(latchkey, key, { resource: audience, scope: 'latchkey:*' }, { headers });
    if (!body.access_token) throw new Error(JSON.stringify(body));
    return new AdminApi(latchkey.issuer, body.access_token);
  };

  // kind · the restriction of the key · equal or stricter ones · looser ones
  const kinds: [string, Restrictions, Restrictions[], Restrictions[]][] = [
    [
      'ip_allowlist',
      { ip_allowlist: ['127.0.0.0/8', '::1', '2001:db8::/32'] },
      [{ ip_allowlist: ['127.0.0.1'] }, { ip_allowlist: ['2001:db8:1::/48', '::ffff:127.0.0.9'] }],
      [
        { ip_allowlist: ['0.0.0.0/0'] },
        { ip_allowlist: ['127.0.0.1', '10.0.0.1'] },
        { ip_allowlist: ['126.0.0.0/7'] },
        { ip_allowlist: ['::/0'] },
      ],
    ],
    [
      'allowed_origins',
      { allowed_origins: ['https://app.example'] },
      [],
      [{ allowed_origins: ['https://app.example', 'https://evil.example'] }],
    ],
    [
      'time_window',
      { time_window: { from: '00:00', to: '00:00' } },
      [{ time_window: { days: ['mon'], from: '22:00', to: '02:00' } }],
      [{ time_window: { from: '00:00', to: '00:00', time_zone: 'Asia/Tokyo' } }],
    ],
    [
      'allowed_values',
      { allowed_values: { region: { values: ['eu'], for: ['email:*'] } } },
      [{ allowed_values: { region: ['eu'] } }, { allowed_values: { region: ['eu'], x: ['y'] } }],
      [
        { allowed_values: { region: { values: ['eu'], for: ['email:send'] } } },
        { allowed_values: { region: ['eu', 'us'] } },
        { allowed_values: { Region: ['eu'] } },
      ],
    ],
    [
      'allowed_templates',
      { allowed_templates: { values: ['welcome'], for: ['email:send'] } },
      [{ allowed_templates: { values: ['welcome'], for: ['email:*'] } }],
      [{ allowed_templates: { values: ['welcome', 'reset'], for: ['email:send'] } }],
    ],
    [
      'rate_limit',
      { rate_limit: ['1000 requests/minute', { limit: '10 messages/hour', for: ['email:send'] }] },
      [{ rate_limit: ['1000 calls/minute', '9 messages/day'] }],
      [
        { rate_limit: ['1001 requests/minute', { limit: '9 messages/day', for: ['email:send'] }] },
        { rate_limit: ['1000 requests/second', { limit: '9 messages/day', for: ['email:*'] }] },
        { rate_limit: '1000 requests/minute' },
      ],
    ],
    [
      'quota',
      { quota: { month: 1000 } },
      [{ quota: { day: 5, month: 1000 } }],
      [{ quota: { day: 5 } }, { quota: { month: 1001 } }],
    ],
  ];

  test.each(kinds)(
    'a key with %s creates and changes keys with at least as much of it',
    async (kind, restrictions, within, beyond) => {
      const { id: self, key } = await mint({ restrictions });
      const by = await tokenFor(key, { origin: 'https://app.example' });
      for (const fine of [restrictions, ...within])
        expect(await by.post('/api-keys', wanted({ restrictions: fine }))).toMatchObject({ status: 201 });
      const free = await mint({ permissions: ['latchkey:role:read'], expires_in_days: 1 });
      const looser = [{}, { restrictions: {} }, ...beyond.map((given) => ({ restrictions: given }))];
      const patches = [
        { restrictions: null },
        { restrictions: { [kind]: null } },
        ...(isMerged(restrictions[kind]) ? [] : looser.slice(2)),
      ];
      const answers: AdminAnswer[] = [];
      for (const more of looser) answers.push(await by.post('/api-keys', wanted(more)));
      for (const patch of patches) answers.push(await by.patch(`/api-keys/${self}`, patch));
      answers.push(await by.patch(`/api-keys/${free.id}`, { name: 'mine' }));
      answers.push(await by.post(`/api-keys/${free.id}/rotate`, {}));
      for (const answer of answers) {
        expect(answer).toMatchObject(refused({ restriction: kind, pointer: `/restrictions/${kind}` }));
        expect(answer.body.detail).toContain(`"${kind}"`);
      }
      expect(await by.post(`/api-keys/${self}/rotate`, {})).toMatchObject({ status: 201 });
    },
  );

  const direct = (key: string) => new AdminApi(latchkey.issuer, key);
  const web = (more: object = {}) => ({ client_id: id(), redirect_uris: [redirectUri], ...more });
  const service = {
    client_id: 'service',
    grant_types: ['client_credentials'],
    service_permissions: { [api]: ['read'] },
  };

  test('a key with resource_servers has its permissions there only, and so do keys that it creates', async () => {
    const { key } = await mint({ restrictions: { resource_servers: [audience] } });
    const by = await tokenFor(key);
    const asked = wanted({ permissions: [{ resource: audience, pattern: 'latchkey:role:read' }] });
    expect(await by.post('/api-keys', asked)).toMatchObject({ status: 201 });
    // A role may grant more later, and elsewhere.
    const withRole = { ...asked, roles: ['empty'] };
    expect(await by.post('/api-keys', withRole)).toMatchObject(refused({ restriction: 'resource_servers' }));
    const there = { restrictions: { resource_servers: [audience] } };
    expect(await by.post('/api-keys', { ...asked, ...there })).toMatchObject({ status: 201 });
    expect(await by.post('/clients', web({ resources: { [api]: ['read'] } }))).toMatchObject({ status: 403 });
  });

  test('a key expires no later than the key that creates, changes or rotates it', async () => {
    const { id: self, key, expires_at } = await mint();
    const longer = await mint({ permissions: ['latchkey:role:read'], expires_in_days: 31 });
    for (const by of [direct(key), await tokenFor(key)]) {
      const late = { expires_at: inDays(3650) };
      const answers = [
        await by.post('/api-keys', wanted(late)),
        await by.post('/api-keys', wanted({ expires_in_days: 31 })),
        await by.post('/api-keys', wanted({ never_expires: true })),
        await by.patch(`/api-keys/${self}`, late),
        await by.patch(`/api-keys/${self}`, { expires_at: null }),
        await by.post(`/api-keys/${self}/rotate`, late),
        await by.post(`/api-keys/${self}/rotate`, { expires_in_days: 3650 }),
        await by.patch(`/api-keys/${longer.id}`, { name: 'mine' }),
        await by.post(`/api-keys/${longer.id}/rotate`, {}),
      ];
      for (const answer of answers)
        expect(answer).toMatchObject(refused({ latest: expires_at, pointer: '/expires_at' }));
      // If nothing is requested, the default is shortened.
      expect(await by.post('/api-keys', wanted())).toMatchObject({ status: 201, body: { expires_at } });
      expect(await by.post('/api-keys', wanted({ expires_at }))).toMatchObject({ status: 201 });
      expect(await by.post('/api-keys', wanted({ expires_in_days: 29 }))).toMatchObject({ status: 201 });
    }
    expect(await direct(key).post(`/api-keys/${self}/rotate`, {})).toMatchObject({ status: 201, body: { expires_at } });
  });

  test('a rotated version creates nothing that outlives its overlap', async () => {
    const { id: self, key } = await mint();
    const token = await tokenFor(key);
    const { body } = await owner.post(`/api-keys/${self}/rotate`, { overlap_seconds: 3600 });
    for (const by of [direct(key), token]) {
      const latest = body.previous_expires_at;
      expect(await by.post(`/api-keys/${self}/rotate`, {})).toMatchObject(refused({ latest }));
      expect(await by.post('/api-keys', wanted())).toMatchObject({ status: 201, body: { expires_at: latest } });
    }
    expect(await direct(String(body.key)).post(`/api-keys/${self}/rotate`, {})).toMatchObject({ status: 201 });
  });

  test('a disabled key with fewer restrictions cannot be enabled', async () => {
    const { key } = await mint();
    const longer = await mint({ permissions: ['latchkey:role:read'], expires_in_days: 31 });
    await owner.post(`/api-keys/${longer.id}/disable`);
    expect(await direct(key).post(`/api-keys/${longer.id}/enable`)).toMatchObject({ status: 403 });
  });

  // Permanent changes that cannot be restricted. `within`: how a key that expires, but is not restricted, may do it.
  type Way = [string, (by: AdminApi) => Promise<AdminAnswer>, ((by: AdminApi) => Promise<AdminAnswer>)?];
  const lasting: Way[] = [
    [
      'a client secret',
      (by) => by.post('/clients/service/secrets', {}),
      (by) => by.post('/clients/service/secrets', { expires_in_days: 29 }),
    ],
    [
      'a client secret in place of another',
      (by) => by.post('/clients/service/secrets/rotate', { expires_in_days: 31 }),
      (by) => by.post('/clients/service/secrets/rotate', { expires_in_days: 29 }),
    ],
    ['a client secret of one that only signs people in', (by) => by.post('/clients/web/secrets', {})],
    ['a client secret by a change', (by) => by.patch('/clients/service', { client_secret: `chosen by ${id()}` })],
    ['a client that has something', (by) => by.post('/clients', { ...service, client_id: id() })],
    ['a client that may ask for something', (by) => by.post('/clients', web({ resources: { [api]: ['read'] } }))],
    ['a client that people are not asked about', (by) => by.post('/clients', web({ first_party: true }))],
    ['a client that gets something', (by) => by.patch('/clients/web', { service_permissions: { [api]: ['read'] } })],
    [
      'a client whose sign-ins go elsewhere',
      (by) => by.patch('/clients/web', { redirect_uris: ['https://evil.example/cb'] }),
    ],
    [
      'a role',
      (by) => by.put('/roles/reads/assignments/client/service', {}),
      (by) => by.put('/roles/reads/assignments/client/service', { until: inDays(29) }),
    ],
    ['a role for too long', (by) => by.put('/roles/reads/assignments/client/service', { until: inDays(31) })],
    ['a role of a new account', (by) => by.post('/users', { username: id(), password, roles: ['reads'] })],
    [
      'what others have by a role',
      (by) => by.patch('/roles/reads', { permissions: [right, { ...right, pattern: 'write' }] }),
    ],
    ['a group', (by) => by.patch('/roles/empty', { exported_as: 'everybody' })],
    ['a password of a user with permissions', (by) => by.post('/users/bob/password', { password })],
    ['a link to their password', (by) => by.post('/users/bob/password-link')],
    ['their address', (by) => by.patch('/users/bob', { email: `${id()}@example.com` })],
    ['a webhook', (by) => by.post('/webhooks', { url: 'https://hook.example', events: ['*'] })],
    ['another place for a webhook', (by) => by.patch(`/webhooks/${made.webhook}`, { url: 'https://evil.example' })],
    ['another secret of a webhook', (by) => by.post(`/webhooks/${made.webhook}/rotate-secret`)],
    ['a trust', (by) => by.post('/trusts', trust({ permissions: { [api]: ['read'] } }))],
    ['a trust that is enabled again', (by) => by.patch(`/trusts/${made.disabled}`, { enabled: true })],
    ['a provider', (by) => by.post('/trusts', provider())],
    ['accounts by a provider', (by) => by.patch(`/trusts/${made.provider}`, { login: { creation: 'open' } })],
    [
      'the domains of a provider',
      (by) => by.patch(`/trusts/${made.provider}`, { login: { email_domains: ['a.example'] } }),
    ],
    ['the rules of a provider', (by) => by.patch(`/trusts/${made.provider}`, { login: { provider: 'microsoft' } })],
    ['an account at a provider', (by) => by.post('/users/bob/identities', { issuer: made.issuer, subject: id() })],
    ['a link to second factors', (by) => by.post('/users/bob/enrolment-link')],
    ['the end of second factors', (by) => by.post('/users/bob/reset-factors')],
    ['a verified address', (by) => by.post('/users/bob/verify-email', { email: 'bob@example.com' })],
    ['an enabled user', (by) => by.patch('/users/carol', { enabled: true })],
    ['looser rules of an API', (by) => by.patch(`/resource-servers/${encodeURIComponent(api)}`, { name: id() })],
  ];
  describe.each(lasting)('%s', (_, way, within) => {
    test('is refused to a key that expires or is restricted', async () => {
      const ending = await mint();
      const restricted = await mint({
        ...{ never_expires: true, expires_in_days: undefined },
        restrictions: { time_window: { from: '00:00', to: '00:00' } },
      });
      for (const by of [direct(ending.key), await tokenFor(ending.key)])
        expect(await way(by)).toMatchObject(refused({ latest: ending.expires_at }));
      expect(await way(direct(restricted.key))).toMatchObject(refused({ restriction: 'time_window' }));
      if (within) expect([201, 204]).toContain((await within(direct(ending.key))).status);
    });
  });

  test('an action that grants nothing is allowed to a key that expires', async () => {
    const { key } = await mint();
    const by = direct(key);
    const username = id();
    const done = [
      await by.post('/clients', web()),
      await by.post('/roles', { name: id(), permissions: [right] }),
      await by.patch('/clients/web', { client_name: 'Another name' }),
      await by.post('/users', { username, password }),
      await by.post(`/users/${username}/password-link`),
      await by.put(`/roles/empty/assignments/user/${username}`, {}),
      await by.delete(`/roles/empty/assignments/user/${username}`),
    ];
    expect(done.map(({ status }) => status)).toEqual([201, 201, 200, 201, 201, 204, 204]);
  });

  test('a password link that a key created is limited to what the key had, even if the user got more later', async () => {
    const { key } = await mint();
    const username = id();
    await owner.post('/users', { username, password });
    const { body } = await direct(key).post(`/users/${username}/password-link`);
    await owner.put(`/roles/reads/assignments/user/${username}`, {});
    const browser = latchkey.browser();
    const page = await browser.get(new URL(String(body.url)).pathname);
    const chosen = 'a password chosen by the link';
    const answer = await browser.submit(page, { password: chosen, password_repeated: chosen }, '/password');
    expect(answer.status).toBe(404);
  });

  test('the creator of an assignment is shown: an API key, a service, a command on the machine', async () => {
    const { id: self, key } = await mint();
    const username = id();
    await owner.post('/users', { username, password });
    const given = async (role: string) => {
      const { items } = (await owner.get(`/assignments/user/${username}`)).body;
      return items.find((assignment) => assignment.role === role)?.granted_by;
    };
    await direct(key).put(`/roles/empty/assignments/user/${username}`, {});
    expect(await given('empty')).toEqual({ kind: 'api_key', id: self, name: expect.any(String) });
    // An actor who changes the expiry of an assignment becomes its creator.
    await owner.put(`/roles/empty/assignments/user/${username}`, { until: inDays(2) });
    expect(await given('empty')).toEqual({ kind: 'client', id: owner_id, name: owner_id });
    await direct(key).put(`/roles/reads/assignments/user/${username}`, { until: inDays(2) });
    await owner.post(`/api-keys/${self}/revoke`);
    expect(await given('reads')).toMatchObject({ kind: 'api_key', id: self });
    const { items } = (await owner.get(`/assignments/client/${owner_id}`)).body;
    expect(items[0]?.granted_by).toMatchObject({ kind: 'system' });
  });
});
