import { adminPermissions, adminRoutes } from '../../../src/entrypoints/admin/index.ts';
import { AdminApi, asOwner, asService } from '../../support/admin.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('a request to the admin API', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let node = '';
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    node = (await latchkey.startNode()).address;
  });

  const service = (client_id: string) => ({ client_id, grant_types: ['client_credentials'] });

  test('without a token, with an invalid one, or with one for another API gets 401 with a challenge (RFC 6750 §3)', async () => {
    const nobody = new AdminApi(latchkey.issuer, undefined);
    for (const path of ['/clients', '/nothing', '/clients/x/secrets']) {
      const { status, headers } = await nobody.get(path);
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    const { body } = await latchkey.clientCredentials();
    for (const token of ['lk_at_garbage', 'a.b.c', body.access_token]) {
      const answer = await new AdminApi(latchkey.issuer, token).get('/clients');
      expect(answer).toMatchObject({ status: 401, body: { type: 'urn:latchkey:problem:invalid_token' } });
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  test('without its permission is refused with the name of the permission and how to get it', async () => {
    const narrow = await asService(latchkey, owner, {
      permissions: ['latchkey:client:*'],
      scope: 'latchkey:client:read',
    });
    expect((await narrow.get('/clients')).status).toBe(200);
    expect(await narrow.post('/clients', service('none'))).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:client:write', detail: expect.stringContaining('The token does not carry') },
    });
    expect(await narrow.get('/users')).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:user:read', detail: expect.stringContaining('Neither a role nor a permission') },
    });
  });

  test.each([
    ['not JSON', '{', {}, 400],
    ['a member named twice', '{"client_id":"a","client_id":"b"}', {}, 400],
    ['__proto__', '{"__proto__":{"client_id":"a"}}', {}, 400],
    ['NUL', '{"client_id":"a","client_name":"\\u0000"}', {}, 400],
    ['half a surrogate', '{"client_id":"a","client_name":"\\ud800"}', {}, 400],
    ['a form', 'client_id=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a deep nest', `{"client_id":"a","x":${'['.repeat(50)}${']'.repeat(50)}}`, {}, 400],
    ['more than 64 KiB', JSON.stringify({ client_id: 'a', client_name: 'x'.repeat(70_000) }), {}, 413],
    ['an If-Match of another kind', '{"client_id":"a"}', { 'if-match': 'W/"x"' }, 400],
  ])('with %s is refused, and changes nothing', async (_, body, headers, status) => {
    expect(await owner.call('POST', '/clients', { body, headers })).toMatchObject({ status });
    expect((await owner.get('/clients/a')).status).toBe(404);
  });

  test('to an unknown address gets 404, with another method 405 with the allowed methods', async () => {
    expect((await owner.get('/nothing')).status).toBe(404);
    const wrong = await owner.call('DELETE', '/clients');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('GET, POST');
    expect((await owner.get('/clients?limit=0')).body).toMatchObject({ pointer: '/limit' });
    expect((await owner.get('/clients?unknown=1')).body).toMatchObject({ pointer: '/unknown' });
    expect((await owner.get('/clients?cursor=x')).body).toMatchObject({ pointer: '/cursor' });
  });

  test.each([
    '/clients?sort=-created_at',
    '/users?sort=-created_at',
    '/consents',
    '/grants',
    '/roles/owner/assignments',
    '/users/alice/sessions',
    '/audit/events',
    '/clients?sort=client_id',
    '/resource-servers',
    '/sessions',
    '/webhooks',
    '/api-keys',
  ])('with a made-up cursor is refused before any query: %s', async (path) => {
    const sort = /sort=(.+)/.exec(path)?.[1] ?? '';
    const places = [
      ['', 'x\u0000'],
      ['yesterday', 'x'],
      ['', 1],
    ];
    const ours = ['-occurred_at', '-allowed_at', '-created_at', '-last_seen_at', 'identifier', 'subject_id', sort];
    const made = ours.flatMap((order) =>
      places.flatMap((place) => [
        [order, 'after', ...place],
        [order, 'before', ...place],
      ]),
    );
    for (const parts of [...made, [], 'x'.repeat(600)]) {
      const cursor = Buffer.from(JSON.stringify(parts)).toString('base64url');
      const answer = await owner.get(`${path}${path.includes('?') ? '&' : '?'}cursor=${cursor}`);
      expect(answer).toMatchObject({ status: 400, body: { pointer: '/cursor' } });
    }
  });

  test('for a list in pages shows each record once, forwards and backwards, while others are created', async () => {
    const create = (username: string, name?: string) => owner.post('/users', { username, name, invite: true });
    for (const n of [1, 2, 3, 4, 5, 6, 7]) await create(`paged-${n}`, `Paged ${n % 2}`);
    const names = (page: Awaited<ReturnType<AdminApi['get']>>) =>
      page.body.items.map(({ username }) => String(username));
    for (const sort of ['username', 'name', 'email', 'created_at'].flatMap((name) => [name, `-${name}`])) {
      const list = `/users?q=paged&sort=${sort}&limit=3&total=true`;
      const all = names(await owner.get(list.replace('limit=3', 'limit=200')));
      const first = await owner.get(list);
      expect(first.body).toMatchObject({ previous: null, total: all.length, total_is_capped: false });
      const pages = [first];
      for (let page = first; page.body.next !== null; pages.push(page)) {
        await create(`paged-late-${pages.length}-${sort.replace('-', 'down-')}`);
        page = await owner.get(`${list}&cursor=${page.body.next}`);
      }
      const forwards = pages.flatMap(names);
      expect(new Set(forwards).size).toBe(forwards.length);
      expect(forwards).toEqual(expect.arrayContaining(all));
      const backwards: string[] = [];
      for (let page = pages.at(-1); page; ) {
        backwards.unshift(...names(page));
        page = page.body.previous === null ? undefined : await owner.get(`${list}&cursor=${page.body.previous}`);
      }
      expect(new Set(backwards).size).toBe(backwards.length);
      expect(backwards).toEqual(expect.arrayContaining(all));
    }
    const refused = await owner.get('/users?sort=shoe_size');
    expect(refused).toMatchObject({ status: 400, body: { pointer: '/sort' } });
    const { body } = await owner.get('/users?sort=name&limit=1');
    expect(await owner.get(`/users?sort=username&limit=1&cursor=${body.next}`)).toMatchObject({
      status: 400,
      body: { pointer: '/cursor' },
    });
  });

  test('to search finds records by name, id, address or key, of the types that the caller may read', async () => {
    await owner.post('/clients', { ...service('findme-billing'), client_name: 'Findme Billing' });
    await owner.post('/users', {
      username: 'findme',
      name: 'Fiona Findme',
      email: 'fiona@findme.example',
      invite: true,
    });
    await owner.post('/roles', { name: 'findme-role', permissions: [] });
    await owner.post('/resource-servers', { identifier: 'https://findme.example/api', name: 'Findme API' });
    const made = await owner.post('/api-keys', {
      ...{
        name: 'findme key',
        environment: 'dev',
        owner: { client_id: 'findme-billing' },
        permissions: ['orders:read'],
      },
    });
    const { id, key, versions } = made.body as unknown as {
      id: string;
      key: string;
      versions: { last_four: string }[];
    };
    await owner.post('/webhooks', { url: 'https://hooks.findme.example/x', events: ['client.*'] });
    const find = async (q: string, by = owner) => {
      const { body } = await by.get(`/search?q=${encodeURIComponent(q)}`);
      const groups = body.groups as { kind: string; items: { id: string }[] }[];
      return groups.map(({ kind, items }) => [kind, ...items.map((item) => item.id)].join(' '));
    };
    const ofApi = 'resource_server https://findme.example/api';
    const all = ['client findme-billing', ofApi, 'user findme', 'role findme-role', `api_key ${id}`];
    expect(await find('FindMe')).toEqual([...all, expect.stringMatching(/^webhook /)]);
    expect(await find('bill find')).toEqual(['client findme-billing']);
    expect(await find('fiona@findme')).toEqual(['user findme']);
    for (const text of [id, key.slice(0, 14), versions[0]?.last_four ?? '', 'findme key'])
      expect(await find(text)).toEqual([`api_key ${id}`]);
    const { items } = (await owner.get('/audit/events?target=findme-role')).body;
    expect(await find(String(items[0]?.id))).toEqual([`audit_event ${items[0]?.id}`]);
    for (const text of ['%', 'no such thing', "'", 'x:*', '\\']) expect(await find(text)).toEqual([]);
    const narrow = await asService(latchkey, owner, { permissions: ['latchkey:search:read', 'latchkey:role:read'] });
    expect(await find('findme', narrow)).toEqual(['role findme-role']);
    expect(await owner.get('/search?q=')).toMatchObject({ status: 400, body: { pointer: '/q' } });
  });

  test('for a page links to the next and the previous one (RFC 8288)', async () => {
    for (const n of [1, 2, 3]) await owner.post('/clients', service(`linked-${n}`));
    const first = await owner.get('/clients?q=linked&limit=1');
    const middle = await owner.get(`/clients?q=linked&limit=1&cursor=${first.body.next}`);
    expect(middle.body.items).toMatchObject([{ client_id: 'linked-2' }]);
    expect(first.headers.get('link')).toMatch(/^<[^>]+>; rel="next"$/);
    expect(middle.headers.get('link')).toMatch(/^<[^>]+>; rel="next", <[^>]+>; rel="prev"$/);
  });

  test('with an Idempotency-Key is executed once, however often it is sent, on any node', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const sent = Array.from({ length: 30 }, (_, n) =>
      owner.post('/clients', service('once'), { headers, ...(n % 2 && { node }) }),
    );
    const answers = await Promise.all(sent);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ body }) => body.client_secret)).size).toBe(1);
    expect(await owner.post('/clients', service('another'), { headers })).toMatchObject({ status: 422 });
    const secret = String(answers[0]?.body.client_secret);
    const { rows } = await latchkey.database.query("select encode(sealed, 'escape') as text from idempotency_keys");
    expect(rows.some(({ text }) => text.includes(secret))).toBe(false);
    await latchkey.advance(24 * 3600 + 1);
    owner = await asOwner(latchkey);
    expect(await owner.post('/clients', service('once'), { headers })).toMatchObject({ status: 409 });
  });

  test('that is refused is not stored: it can be repeated with the same key', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    await owner.post('/clients', service('clash'));
    expect(await owner.post('/clients', service('clash'), { headers })).toMatchObject({ status: 409 });
    expect(await owner.post('/clients', service('clash'), { headers })).toMatchObject({ status: 409 });
  });

  test('gets the remaining limit in its response', async () => {
    const { headers } = await owner.get('/clients');
    expect(headers.get('ratelimit-policy')).toMatch(/^"caller";q=\d+;w=60$/);
    expect(headers.get('ratelimit')).toMatch(/^"caller";r=\d+;t=\d+$/);
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('is described by OpenAPI, every route with its permission', async () => {
    const response = await fetch(`${latchkey.issuer}/admin/v1/openapi.json`);
    const document = (await response.json()) as {
      paths: Record<string, Record<string, { security: { oauth: string[] }[] }>>;
    };
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { security }]) => `${method.toUpperCase()} ${path} ${security[0]?.oauth[0]}`,
      ),
    );
    const routes = adminRoutes.map(({ method, path, permission }) => `${method} /admin/v1${path} ${permission}`);
    expect(described.sort()).toEqual(routes.sort());
    const needed = new Set(adminRoutes.map(({ permission }) => permission));
    // Permissions that depend on the content of the request, or apply at another entrypoint.
    const beside = [
      'latchkey:client:credentials',
      'latchkey:client:register',
      ...['latchkey:token:revoke_all', 'latchkey:api_key:never_expire', 'latchkey:verify'],
      ...[
        'latchkey:permission:give',
        'latchkey:first_party:allow',
        'latchkey:group:export',
        'latchkey:trust:login',
        'latchkey:user:import_password',
      ],
    ];
    const offered = Object.keys(adminPermissions).filter((permission) => !beside.includes(permission));
    expect([...needed].sort()).toEqual(offered.sort());
  });
});
