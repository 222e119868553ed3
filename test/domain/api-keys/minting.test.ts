import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { api } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const forbidden = { status: 403, body: { type: 'urn:latchkey:problem:forbidden' } };
const dayMs = 86_400_000;

describe('API keys in the admin API', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  const mint = (more: object = {}) =>
    owner.post('/api-keys', { name: 'a key', environment: 'dev', permissions: ['database:read:products'], ...more });

  test('are created, shown once, read, changed and found, never with their value', async () => {
    const made = await mint({
      name: 'Recommendations',
      owner: { client_id: 'service' },
      tags: ['ml', 'team:search'],
      metadata: { ticket: 'OPS-1' },
      restrictions: { ip_allowlist: ['10.0.1.50'], rate_limit: '1000 requests/minute' },
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        key: expect.stringMatching(/^sk_dev_[0-9A-Za-z]{49}$/),
        owner: { kind: 'client', name: 'service' },
        state: 'active',
        restrictions_in_words: ['only from 10.0.1.50', 'at most 1000 requests/minute'],
        version: 1,
      },
    });
    const { id, key } = made.body as unknown as { id: string; key: string };
    const read = await owner.get(`/api-keys/${id}`);
    expect(read.body.versions).toMatchObject([{ number: 1, start: key.slice(0, 11), last_four: key.slice(-4) }]);
    expect(JSON.stringify(read.body)).not.toContain(key.slice(12, 40));

    const etag = { headers: { 'if-match': '"1"' } };
    const changed = await owner.patch(
      `/api-keys/${id}`,
      { name: 'Renamed', restrictions: { quota: { day: 5 } } },
      etag,
    );
    expect(changed).toMatchObject({
      status: 200,
      body: { name: 'Renamed', version: 2, restrictions: { ip_allowlist: ['10.0.1.50'], quota: { day: 5 } } },
    });
    expect(await owner.patch(`/api-keys/${id}`, { name: 'Late' }, etag)).toMatchObject({ status: 412 });

    for (const query of ['q=renam', `q=${key.slice(0, 11)}`, 'tag=team:search', 'client_id=service', 'state=active']) {
      const { body } = await owner.get(`/api-keys?${query}`);
      expect(body.items.map((item) => item.id)).toContain(id);
    }
    expect((await owner.get('/api-keys?tag=nothing')).body.items).toEqual([]);
    const { rows } = await latchkey.database.query('select k::text as row from api_key_versions k');
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  test('with a malformed name are refused with the format and an example', async () => {
    const wrong: [string, object, RegExp][] = [
      ['/permissions/0', { permissions: ['read everything'] }, /such as "orders:read".*"resource"/],
      ['/permissions/0/pattern', { permissions: [{ pattern: 'a b' }] }, /such as "orders:read"/],
      ['/restrictions/rate_limit', { restrictions: { rate_limit: 'often' } }, /such as "1000 requests\/minute"/],
      ['/restrictions/rate_limit', { restrictions: { rate_limit: 5 } }, /such as "1000 requests\/minute".*"for"/],
      ['/restrictions/rate_limit', { restrictions: { rate_limit: [5] } }, /such as "1000 requests\/minute".*"for"/],
      ['/restrictions/allowed_values/region', { restrictions: { allowed_values: { region: 5 } } }, /\["eu", "us"\]/],
      ['/owner', { owner: { id: 'billing' } }, /"client_id".*"user"/],
      ['/metadata/seats', { metadata: { seats: [5] } }, /a string.*a number/],
    ];
    for (const [pointer, member, words] of wrong) {
      const { status, body } = await owner.post('/api-keys', { name: 'a key', environment: 'dev', ...member });
      expect({ status, pointer: body.pointer }).toEqual({ status: 400, pointer });
      expect(body.detail).toMatch(words);
    }
  });

  test('are listed page by page to the end', async () => {
    for (const n of [1, 2, 3]) await mint({ name: `page ${n}`, tags: ['paged'] });
    const first = await owner.get('/api-keys?tag=paged&limit=2');
    const rest = await owner.get(`/api-keys?tag=paged&limit=2&cursor=${first.body.next}`);
    expect([...first.body.items, ...rest.body.items].map(({ name }) => name)).toEqual(['page 3', 'page 2', 'page 1']);
    expect(rest.body.next).toBeNull();
  });

  test.each([
    ['high', 30],
    ['medium', 90],
    ['low', 180],
  ])('of %s risk expire after %d days by default', async (risk, days) => {
    const { body } = await mint({ risk });
    const lasts = new Date(String(body.expires_at)).getTime() - new Date(String(body.created_at)).getTime();
    expect(Math.round(lasts / dayMs)).toBe(days);
  });

  test('that never expire need a permission of their own', async () => {
    expect(await mint({ never_expires: true })).toMatchObject({ status: 201, body: { expires_at: null } });
    const minter = await asService(latchkey, owner, {
      permissions: ['latchkey:api_key:create', 'latchkey:api_key:write'],
      scope: 'latchkey:api_key:create latchkey:api_key:write',
    });
    const key = { name: 'x', environment: 'dev' };
    expect(await minter.post('/api-keys', { ...key, never_expires: true })).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:api_key:never_expire' },
    });
    expect(await minter.post('/api-keys', { ...key, expires_at: '2999-01-01T00:00:00Z' })).toMatchObject(forbidden);
    const { body } = await minter.post('/api-keys', key);
    expect(await minter.patch(`/api-keys/${body.id}`, { expires_at: '2999-01-01T00:00:00Z' })).toMatchObject(forbidden);
    expect(await minter.patch(`/api-keys/${body.id}`, { expires_at: null })).toMatchObject(forbidden);
  });

  test('never get an owner or permissions beyond those of the actor who creates or changes them', async () => {
    const minter = await asService(latchkey, owner, {
      permissions: [
        'latchkey:api_key:create',
        'latchkey:api_key:write',
        'latchkey:api_key:rotate',
        'latchkey:client:read',
        'latchkey:permission:give',
      ],
      scope: 'latchkey:api_key:create latchkey:api_key:write latchkey:api_key:rotate latchkey:permission:give',
    });
    const { body: mine } = await owner.get('/clients?q=service-&sort=-created_at&limit=1');
    await owner.post('/roles', {
      name: 'product-reader',
      permissions: [{ resource: api, pattern: 'database:read:*' }],
    });
    await owner.put(`/roles/product-reader/assignments/client/${mine.items[0]?.client_id}`, {});
    await owner.post('/roles', { name: 'everything', permissions: [{ resource: null, pattern: '*' }] });

    const key = { name: 'x', environment: 'dev' };
    const inside = [{ resource: api, pattern: 'database:read:products' }];
    const made = await minter.post('/api-keys', { ...key, permissions: inside });
    expect(made.status).toBe(201);
    // A key for this API only has the same permissions without naming it.
    const narrow = { permissions: ['database:read:products'], restrictions: { resource_servers: [api] } };
    const narrowed = await minter.post('/api-keys', { ...key, ...narrow });
    expect(narrowed.status).toBe(201);
    for (const beyond of [
      { permissions: ['database:read:products'] },
      { permissions: [{ resource: api, pattern: 'database:*' }] },
      { permissions: [{ resource: api, pattern: '*' }] },
      { permissions: [{ resource: 'https://other.example', pattern: 'database:read:products' }] },
      { permissions: ['latchkey:client:read'] },
      { permissions: ['latchkey:*'] },
      { roles: ['everything'] },
      { roles: ['owner'] },
    ]) {
      expect(await minter.post('/api-keys', { ...key, ...beyond })).toMatchObject(forbidden);
      expect(await minter.patch(`/api-keys/${made.body.id}`, beyond)).toMatchObject(forbidden);
    }
    expect(await minter.patch(`/api-keys/${narrowed.body.id}`, { restrictions: null })).toMatchObject(forbidden);
    expect(await minter.post('/api-keys', { ...key, owner: { user: 'alice' } })).toMatchObject(forbidden);
    expect(await minter.post('/api-keys', { ...key, owner: { client_id: 'service' } })).toMatchObject(forbidden);

    const strong = await mint({ permissions: ['database:*'] });
    expect(await minter.post(`/api-keys/${strong.body.id}/rotate`)).toMatchObject(forbidden);
    expect(await minter.patch(`/api-keys/${strong.body.id}`, { permissions: [] })).toMatchObject(forbidden);
  });

  test.each([
    ['an unknown environment', { environment: 'moon' }, '/environment'],
    ['a wrong permission', { permissions: ['database read'] }, '/permissions/0'],
    ['an unknown role', { roles: ['nothing'] }, '/roles/0'],
    ['an unknown owner', { owner: { client_id: 'nothing' } }, '/owner'],
    ['an expiry that is over', { expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ['two expiries', { expires_at: '2999-01-01T00:00:00Z', expires_in_days: 3 }, '/expires_at'],
    ['a wrong network', { restrictions: { ip_allowlist: ['10.0.1'] } }, '/restrictions/ip_allowlist/0'],
    ['a wrong rate', { restrictions: { rate_limit: 'often' } }, '/restrictions/rate_limit'],
    ['an unknown restriction', { restrictions: { moon_phase: 'full' } }, '/restrictions/moon_phase'],
    [
      'an unknown time zone',
      { restrictions: { time_window: { from: '08:00', to: '18:00', time_zone: 'Mars' } } },
      '/restrictions/time_window/time_zone',
    ],
  ])('are refused with %s', async (_, more, pointer) => {
    expect(await mint(more)).toMatchObject({ status: 400, body: { pointer } });
  });

  test('record an event of every action, in the same transaction', async () => {
    const { body } = await mint({ name: 'watched' });
    const id = String(body.id);
    await owner.patch(`/api-keys/${id}`, { description: 'seen' });
    await owner.post(`/api-keys/${id}/rotate`);
    await owner.post(`/api-keys/${id}/disable`);
    await owner.post(`/api-keys/${id}/disable`);
    await owner.post(`/api-keys/${id}/enable`);
    await owner.post(`/api-keys/${id}/revoke`);
    await owner.post(`/api-keys/${id}/revoke`);
    expect(await owner.post(`/api-keys/${id}/enable`)).toMatchObject({ status: 409 });
    const { rows } = await latchkey.database.query(
      "select action from audit_events where target_kind = 'api_key' and target_id = $1 order by id",
      [id],
    );
    expect(rows.map(({ action }) => action)).toEqual(
      ['created', 'updated', 'rotated', 'disabled', 'enabled', 'revoked'].map((action) => `api_key.${action}`),
    );
  });
});
