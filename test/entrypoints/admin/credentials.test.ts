import { type AdminAnswer, type AdminApi, asOwner, asService } from '../../support/admin.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { api } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

type Item = Record<string, unknown>;

const kindsIn = ({ body }: AdminAnswer) => [...new Set(body.items.map(({ kind }) => kind))].sort();

describe('the inventory of credentials', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let other: RunningServer;
  let key: Item;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    other = await latchkey.startNode();
    await owner.post('/clients', {
      client_id: 'stocked',
      grant_types: ['client_credentials'],
      service_permissions: { [api]: ['read'] },
      risk: 'low',
    });
    const made = await owner.post('/api-keys', {
      name: 'stock key',
      environment: 'dev',
      owner: { client_id: 'stocked' },
      permissions: ['stock:read'],
      risk: 'high',
    });
    key = made.body;
    await owner.post('/webhooks', { url: 'https://hooks.example/stock', events: ['*'], description: 'stock hook' });
    await owner.post('/users', { username: 'stocker', password: 'a long enough password' });
    await owner.post('/users/stocker/password-link');
  });
  const list = (query = '') => owner.get(`/credentials${query}`);
  const namesIn = ({ body }: AdminAnswer) => body.items.map(({ name }) => name);

  test('shows keys, secrets and other managed credentials in one shape, never with a value', async () => {
    const all = await list('?limit=200');
    expect(kindsIn(all)).toEqual(['api_key', 'client_secret', 'password_link', 'signing_key', 'webhook_secret']);
    const shown = all.body.items.find(({ id }) => id === key.id);
    expect(shown).toEqual({
      kind: 'api_key',
      id: key.id,
      name: 'stock key',
      owner: { kind: 'client', id: expect.any(String), name: 'stocked' },
      risk: 'high',
      environment: 'dev',
      version: 1,
      state: 'active',
      created_at: key.created_at,
      last_used_at: null,
      expires_at: key.expires_at,
      due_at: key.expires_at,
      location: null,
      revoked_at: null,
    });
    expect(all.body.items).toContainEqual(
      expect.objectContaining({ kind: 'webhook_secret', name: 'stock hook', location: 'https://hooks.example/stock' }),
    );
    expect(JSON.stringify(all.body)).not.toContain(String(key.key));
  });

  test('shows sessions, grants, passwords and tokens if their kind or owner is named', async () => {
    const { access_token } = await latchkey.tokens({ scope: 'openid read offline_access', prompt: 'consent' });
    const ofAlice = await list('?user=alice&limit=200');
    expect(kindsIn(ofAlice)).toEqual(['access_token', 'grant', 'password', 'refresh_token', 'session']);
    const states = (answer: AdminAnswer) => new Set(answer.body.items.map(({ state }) => state));
    expect(states(ofAlice)).toEqual(new Set(['active']));
    const tokens = await list('?kind=access_token&state=active');
    expect(tokens.body.items.length).toBeGreaterThan(0);
    await owner.post('/revocations', { handle: { token: access_token } });
    expect((await list('?user=alice&kind=access_token')).body.items).toMatchObject([{ state: 'revoked' }]);
    // Revokes everything that the user's credentials were derived from; their own rows do not show it.
    await owner.post('/revocations', { handle: { user: 'alice' } });
    expect(kindsIn(await list('?user=alice&state=active&limit=200'))).toEqual(['password']);
  });

  test('is searched, filtered by owner and state, sorted, and paged to the end in every order', async () => {
    expect(namesIn(await list('?q=stock%20ke'))).toEqual(['stock key']);
    expect(namesIn(await list(`?q=${String(key.id).slice(0, 30)}`))).toEqual(['stock key']);
    expect(namesIn(await list('?q=stocke%20ke'))).toEqual(['stock key']);
    expect(kindsIn(await list('?client_id=stocked'))).toEqual(['api_key', 'client_secret']);
    expect((await list('?client_id=nobody-at-all')).body.items).toEqual([]);
    for (const [n, risk] of ['high', 'medium', 'low', 'low'].entries())
      await owner.post('/api-keys', {
        ...{
          name: `paged ${n}`,
          environment: 'dev',
          owner: { client_id: 'stocked' },
          permissions: ['stock:read'],
          risk,
        },
      });
    const idsIn = ({ body }: AdminAnswer) => body.items.map(({ kind, id }) => `${kind} ${id}`);
    const names = ['created_at', 'name', 'expires_at', 'due_at', 'last_used_at'];
    const orders = names.flatMap((name) => [name, `-${name}`]).map((sort) => `kind=api_key&sort=${sort}`);
    for (const order of [...orders, 'sort=name']) {
      const seen: string[] = [];
      for (let cursor = ''; ; ) {
        const page = await list(`?${order}&limit=2${cursor}`);
        seen.push(...idsIn(page));
        if (page.body.next === null) break;
        cursor = `&cursor=${page.body.next}`;
      }
      expect(seen).toEqual(idsIn(await list(`?${order}&limit=200`)));
      expect(new Set(seen).size).toBeGreaterThan(4);
    }
    expect(namesIn(await list('?q=paged&sort=name'))).toEqual(['paged 0', 'paged 1', 'paged 2', 'paged 3']);
    const byExpiry = (await list('?q=paged&sort=expires_at')).body.items;
    expect(byExpiry.map(({ risk }) => risk)).toEqual(['high', 'medium', 'low', 'low']);
  });

  test.each([
    ['a kind that there is not', '?kind=spoon', '/kind'],
    ['a state that there is not', '?state=asleep', '/state'],
    ['an order that there is not', '?sort=id', '/sort'],
    ['an order that no index has for all of a numerous kind', '?kind=session&sort=name', '/sort'],
    [
      'a cursor of an id that is none',
      `?cursor=${Buffer.from('["-created_at","after","2026-01-01T00:00:00Z","api_key y"]').toString('base64url')}`,
      '/cursor',
    ],
    [
      'a cursor of another order',
      `?sort=name&cursor=${Buffer.from('["-created_at","after","x","y"]').toString('base64url')}`,
      '/cursor',
    ],
    [
      'a cursor with a text for a time',
      `?cursor=${Buffer.from('["-created_at","after","x","y"]').toString('base64url')}`,
      '/cursor',
    ],
    [
      'a cursor with a NUL',
      `?sort=name&cursor=${Buffer.from('["name","after","\\u0000","y"]').toString('base64url')}`,
      '/cursor',
    ],
    ['too many on a page', '?limit=1000', '/limit'],
  ])('refuses %s and names the field', async (_, query, pointer) => {
    expect(await list(query)).toMatchObject({ status: 400, body: { pointer } });
  });

  test('lists what is due for rotation by its risk, and what has expired', async () => {
    const made = await owner.post('/api-keys', {
      ...{ name: 'lasting', environment: 'dev', owner: { client_id: 'stocked' }, permissions: ['stock:read'] },
      ...{ risk: 'high', expires_in_days: 300 },
    });
    expect(namesIn(await list('?due=true'))).toEqual([]);
    const day = 86_400;
    await latchkey.advance(31 * day);
    owner = await asOwner(latchkey);
    expect(namesIn(await list('?due=true&kind=api_key'))).toEqual(['lasting']);
    expect(namesIn(await list('?state=expired&kind=api_key'))).toEqual(['paged 0', 'stock key']);
    await owner.post(`/api-keys/${made.body.id}/rotate`, {});
    expect(namesIn(await list('?due=true&kind=api_key'))).toEqual([]);
  });

  test('shows nothing of a kind to callers who may not read that kind', async () => {
    const permissions = ['latchkey:credential:read', 'latchkey:api_key:read'];
    const keysOnly = await asService(latchkey, owner, { permissions });
    expect(kindsIn(await keysOnly.get('/credentials?limit=200'))).toEqual(['api_key']);
    expect(kindsIn(await keysOnly.get('/credentials?client_id=stocked'))).toEqual(['api_key']);
    expect(await keysOnly.get('/credentials?kind=client_secret')).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:client:read' },
    });
    const none = await asService(latchkey, owner, { permissions: ['latchkey:credential:read'] });
    expect((await none.get('/credentials')).body).toMatchObject({ items: [], next: null, previous: null, total: null });
    const outsider = await asService(latchkey, owner, { permissions: ['latchkey:api_key:read'] });
    expect(await outsider.get('/credentials')).toMatchObject({ status: 403 });
  });

  const revoke = (credential: object, more: object = {}) =>
    owner.post('/revocations', { handle: { credential }, ...more });

  test('revokes by kind and id, once for simultaneous requests', async () => {
    const { body } = await owner.post('/clients', { client_id: 'by-kind', grant_types: ['client_credentials'] });
    const secret = String(body.client_secret);
    const [credential] = (await list('?client_id=by-kind')).body.items.map(({ kind, id }) => ({ kind, id }));
    const planned = await revoke(credential ?? {}, { dry_run: true });
    expect(planned.body).toMatchObject({ revoked_at: null, impact: { access_tokens: 0, other_credentials: 1 } });
    expect(await latchkey.isLetIn('by-kind', secret)).toBe(true);
    const answers = await Promise.all(Array.from({ length: 10 }, () => revoke(credential ?? {})));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map((answer) => answer.body.revoked_at)).size).toBe(1);
    expect(answers.filter(({ body }) => (body.impact as Item).other_credentials === 1)).toHaveLength(1);
    expect(await latchkey.isLetIn('by-kind', secret)).toBe(false);
    const events = await latchkey.auditEvents('client.secret.revoked');
    expect(events.filter(({ target_id }) => target_id === 'by-kind')).toHaveLength(1);
  });

  test.each(['access_token', 'refresh_token', 'grant', 'session'])(
    'revokes one %s by its kind and id, with everything issued under it',
    async (kind) => {
      const { access_token, refresh_token } = await latchkey.tokens({ scope: 'openid read' });
      const [newest] = (await list(`?user=alice&kind=${kind}&state=active&limit=1`)).body.items;
      const { status, body } = await revoke({ kind, id: newest?.id });
      expect({ status, impact: body.impact }).toMatchObject({ status: 200, impact: { access_tokens: 1 } });
      expect(await latchkey.isActive(access_token)).toBe(false);
      expect((await latchkey.refresh(refresh_token)).status).toBe(kind === 'access_token' ? 200 : 400);
      expect((await revoke({ kind, id: newest?.id })).body.revoked_at).not.toBeNull();
    },
  );

  test.each([
    ['a kind that there is not', { kind: 'spoon', id: 'x' }, 400, { pointer: '/handle/credential/kind' }],
    ['an id that there is not', { kind: 'api_key', id: '00000000-0000-7000-8000-0000000000ff' }, 404, {}],
    ['an id that is none', { kind: 'api_key', id: 'x' }, 404, {}],
    ['a kind that is replaced, not revoked', { kind: 'signing_key', id: 'x' }, 409, {}],
  ])('refuses to revoke by %s', async (_, credential, status, body) => {
    expect(await revoke(credential)).toMatchObject({ status, body });
  });

  test('refuses a revocation without the permission for the kind', async () => {
    const service = await asService(latchkey, owner, { permissions: ['latchkey:token:revoke'] });
    const handle = { credential: { kind: 'api_key', id: key.id } };
    for (const dry_run of [true, false])
      expect(await service.post('/revocations', { handle, dry_run })).toMatchObject({
        status: 403,
        body: { permission: 'latchkey:api_key:revoke' },
      });
  });

  test('shows a revocation to every reader on every node after its response', async () => {
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        owner.post('/api-keys', {
          ...{ name: `raced ${n}`, environment: 'dev', owner: { client_id: 'stocked' }, permissions: ['stock:read'] },
        }),
      ),
    );
    await Promise.all(
      made.map(async ({ body }, n) => {
        const node = n % 2 === 0 ? latchkey.issuer : other.address;
        await owner.post(`/api-keys/${body.id}/revoke`, undefined, { node });
        const elsewhere = n % 2 === 0 ? other.address : latchkey.issuer;
        const { body: seen } = await owner.get(`/credentials?q=${body.id}`, { node: elsewhere });
        expect(seen.items).toMatchObject([{ state: 'revoked', revoked_at: expect.any(String) }]);
      }),
    );
  });
});
