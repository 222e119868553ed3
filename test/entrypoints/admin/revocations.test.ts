import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { api } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { UserAgent } from '../../support/user-agent.ts';

describe('a revocation', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let nodes: string[] = [];
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    nodes = [latchkey.issuer, (await latchkey.startNode()).address];
  });

  const life = async ({ access_token, refresh_token }: { access_token: string; refresh_token?: string }) => {
    const actives = await Promise.all(nodes.map((node) => latchkey.isActive(access_token, 'web-app', node)));
    const refreshed = refresh_token
      ? (await latchkey.refresh(refresh_token, 'web-app', nodes[1])).status === 200
      : undefined;
    return { actives, refreshed };
  };
  const dead = { actives: [false, false], refreshed: false };

  const grantIdOf = async (user: string) =>
    (await owner.get(`/grants?user=${user}&client_id=web-app&limit=1`)).body.items[0]?.id;

  const sessionIdOf = async (user: string) =>
    (await owner.get(`/users/${user}/sessions?limit=1`)).body.items[0]?.session_id;

  /** All tokens of the rows below; their state is checked at the endpoints, not in the revocation's response. */
  const got: { browser: UserAgent; access_token: string; refresh_token: string }[] = [];
  async function alive() {
    const count = async (looks: Promise<boolean>[]) => (await Promise.all(looks)).filter(Boolean).length;
    return {
      sessions: await count(got.map(async ({ browser }) => !(await browser.get('/account')).url.includes('/sign-in'))),
      refresh_families: await count(got.map(({ refresh_token }) => latchkey.isActive(refresh_token))),
      access_tokens: await count(got.map(({ access_token }) => latchkey.isActive(access_token))),
      api_keys: 0,
    };
  }

  test.each([
    ['token (refresh token)', async (tokens: { refresh_token: string }) => ({ token: tokens.refresh_token })],
    ['grant', async () => ({ grant_id: await grantIdOf('bob') })],
    ['session', async () => ({ session_id: await sessionIdOf('bob') })],
    ['person', async () => ({ user: 'bob' })],
    ['client', async () => ({ client_id: 'web-app' })],
  ])(
    'by %s shows what would be revoked, revokes exactly that on every node at once, and then nothing more',
    async (_, handleOf) => {
      for (const browser of [latchkey.browser(), latchkey.browser()])
        got.push({ browser, ...(await latchkey.tokens({}, browser, 'bob')) });
      const tokens = got.at(-1) as (typeof got)[number];
      const service = await latchkey.clientCredentials({ resource: api });
      const handle = await handleOf(tokens);
      const before = await alive();
      const planned = await owner.post('/revocations', { handle, dry_run: true });
      expect(planned).toMatchObject({ status: 200, body: { dry_run: true, revoked_at: null } });
      expect(await alive()).toEqual(before);

      const done = await owner.post('/revocations', { handle });
      expect(await life(tokens)).toEqual(dead);
      const after = await alive();
      const impact = Object.fromEntries(
        Object.entries(before).map(([kind, n]) => [kind, n - after[kind as keyof typeof after]]),
      );
      expect(planned.body.impact).toEqual(impact);
      expect(done.body).toEqual({ dry_run: false, revoked_at: expect.stringMatching(/Z$/), impact });
      const again = await owner.post('/revocations', { handle, dry_run: true });
      expect(again.body.impact).toEqual({ sessions: 0, refresh_families: 0, access_tokens: 0, api_keys: 0 });

      expect(await latchkey.isActive(service.body.access_token, 'service')).toBe(true);
      const browser = latchkey.browser();
      const fresh = { browser, ...(await latchkey.tokens({}, browser, 'bob')) };
      got.push(fresh);
      expect(await latchkey.isActive(fresh.access_token)).toBe(true);
    },
  );

  test('of an access token by value revokes only it', async () => {
    const tokens = await latchkey.tokens({}, latchkey.browser(), 'bob');
    await owner.post('/revocations', { handle: { token: tokens.access_token } });
    expect(await life({ access_token: tokens.access_token })).toMatchObject({ actives: [false, false] });
    expect(await latchkey.refresh(tokens.refresh_token)).toMatchObject({ status: 200 });
    expect(await owner.post('/revocations', { handle: { token: tokens.access_token } })).toMatchObject({ status: 404 });
  });

  test('of an API revokes the tokens for it, of users and services', async () => {
    const tokens = await latchkey.tokens({}, latchkey.browser(), 'bob');
    const service = await latchkey.clientCredentials({ resource: api });
    expect(await owner.post('/revocations', { handle: { resource_server: api } })).toMatchObject({ status: 200 });
    expect(await latchkey.isActive(tokens.access_token)).toBe(false);
    expect(await latchkey.isActive(service.body.access_token, 'service')).toBe(false);
    expect(await latchkey.refresh(tokens.refresh_token)).toMatchObject({ status: 200 });
  });

  test('of a consent revokes all under it, and the user is asked again', async () => {
    const browser = latchkey.browser();
    const tokens = await latchkey.tokens({ client_id: 'web-app' }, browser, 'bob');
    const { body } = await owner.get('/consents?user=bob&client_id=web-app&standing=true');
    expect(body.items).toHaveLength(1);
    expect((await owner.post(`/consents/${body.items[0]?.consent_id}/revoke`)).status).toBe(204);
    expect(await life(tokens)).toEqual(dead);
    expect((await browser.get(latchkey.authorizeUrl())).html).toContain('value="allow"');
  });

  test('of all issued before a time needs a permission of its own', async () => {
    const operator = await asService(latchkey, owner, {
      roles: ['operator'],
      scope: 'latchkey:token:revoke',
      permissions: ['latchkey:client:read'],
    });
    const handle = { issued_before: new Date().toISOString() };
    expect(await operator.post('/revocations', { handle })).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:token:revoke_all' },
    });
    const { access_token } = await latchkey.tokens({}, latchkey.browser(), 'bob');
    handle.issued_before = new Date().toISOString();
    expect(await owner.post('/revocations', { handle })).toMatchObject({ status: 200 });
    expect(await latchkey.isActive(access_token)).toBe(false);
    // Its own token was revoked as well.
    expect(await owner.get('/clients')).toMatchObject({ status: 401 });
    owner = await asOwner(latchkey);
  });

  test.each([
    [{ user: 'nobody' }, 404],
    [{ client_id: 'nothing' }, 404],
    [{ token: 'garbage' }, 400],
    [{}, 400],
    [{ user: 'bob', client_id: 'web-app' }, 400],
    [{ issued_before: '2999-01-01T00:00:00Z' }, 400],
    [{ issued_before: 'yesterday' }, 400],
  ])('by %j is refused', async (handle, status) => {
    expect(await owner.post('/revocations', { handle })).toMatchObject({ status });
  });
});
