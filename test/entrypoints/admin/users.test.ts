import { type AdminApi, asOwner } from '../../support/admin.ts';
import { withConfiguration } from '../../support/configuration-file.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const chosen = 'a password of my own';

describe('users in the admin API', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  const signIn = async (login: string, password: string) => {
    const browser = latchkey.browser();
    const page = await browser.submit(await browser.get('/sign-in'), { login, password }, '/sign-in');
    return { browser, isIn: page.url === `${latchkey.issuer}/account` };
  };

  test('are created, with a password shown once; read; changed; disabled; enabled again', async () => {
    const made = await owner.post('/users', { username: 'nora', email: 'nora@example.com', roles: ['auditor'] });
    expect(made).toMatchObject({ status: 201, body: { username: 'nora', roles: ['auditor'], has_password: true } });
    const password = String(made.body.password);
    expect((await signIn('nora', password)).isIn).toBe(true);
    expect((await owner.get('/users/nora@example.com')).body).not.toHaveProperty('password');
    const factors = await owner.get('/users/nora/factors');
    expect(factors.body.items).toEqual([
      {
        ...{ id: expect.any(String), kind: 'password', name: null, last_used_at: null },
        ...{ created_at: expect.any(String), updated_at: expect.any(String) },
      },
    ]);
    const changed = await owner.patch('/users/nora', { name: 'Nora', email: null });
    expect(changed.body).toMatchObject({ name: 'Nora', email: null, version: 2 });
    const { browser } = await signIn('nora', password);
    expect((await owner.post('/users/nora/disable')).body).toMatchObject({ enabled: false });
    expect((await browser.get('/account')).url).toContain('/sign-in');
    expect((await signIn('nora', password)).isIn).toBe(false);
    await owner.patch('/users/nora', { enabled: true });
    expect((await signIn('nora', password)).isIn).toBe(true);
    expect((await browser.get('/account')).url).toContain('/sign-in');
  });

  test('are searched, filtered and sorted', async () => {
    for (const n of [1, 2, 3]) await owner.post('/users', { username: `crowd-${n}`, name: 'One of Many' });
    const page = await owner.get('/users?q=of%20many&limit=2');
    expect(page.body.items.map(({ username }) => username)).toEqual(['crowd-1', 'crowd-2']);
    const rest = await owner.get(`/users?q=of%20many&limit=2&cursor=${page.body.next}`);
    expect(rest.body).toMatchObject({ items: [{ username: 'crowd-3' }], next: null });
    expect((await owner.get('/users?role=owner')).body.items.map(({ username }) => username)).toEqual(['alice']);
  });

  test('hold a role until it expires: then it is not listed, and can be assigned again', async () => {
    await owner.post('/users', { username: 'temp', email: 'temp@example.com' });
    await owner.put('/roles/auditor/assignments/user/temp', { until: new Date(Date.now() + 60_000) });
    const named = async () => {
      const [one, all, holders, exported] = await Promise.all([
        owner.get('/users/temp'),
        owner.get('/users?q=temp@example.com'),
        owner.get('/users?role=auditor&q=temp@example.com'),
        latchkey.commandJson(['export']) as Promise<{ users: { username: string; roles: string[] }[] }>,
      ]);
      const inExport = exported.users.find(({ username }) => username === 'temp')?.roles;
      return [one.body.roles, all.body.items[0]?.roles, holders.body.items.length, inExport];
    };
    expect(await named()).toEqual([['auditor'], ['auditor'], 1, ['auditor']]);
    await latchkey.advance(61);
    expect(await named()).toEqual([[], [], 0, []]);
    const users = [{ username: 'temp', roles: ['auditor'] }];
    const applied = await withConfiguration({ users }, (file) => latchkey.command(['apply', file]));
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect((await owner.get('/users/temp')).body.roles).toEqual(['auditor']);
  });

  test('are disabled together with their password link, in each of the ways', async () => {
    for (const stop of [
      () => owner.post('/users/linked/disable'),
      () => owner.patch('/users/linked', { enabled: false }),
    ]) {
      await owner.post('/users', { username: 'linked' });
      const { url } = (await owner.post('/users/linked/password-link')).body;
      expect((await latchkey.browser().get(String(url))).status).toBe(200);
      expect((await stop()).body).toMatchObject({ enabled: false });
      await owner.patch('/users/linked', { enabled: true });
      expect((await latchkey.browser().get(String(url))).status).toBe(404);
    }
  });

  test('are invited with a one-time link, with which they choose a password and are signed in', async () => {
    const invited = await owner.post('/users', { username: 'ivy', email: 'ivy@example.com', invite: true });
    expect(invited.body).toMatchObject({
      has_password: false,
      invitation: { url: expect.stringContaining('/password/lk_pw_') },
    });
    expect(invited.body.password).toBeUndefined();
    const { url } = invited.body.invitation as { url: string };
    const browser = latchkey.browser();
    const page = await browser.get(url);
    expect(page.html).toContain('ivy@example.com');
    const weak = await browser.submit(page, { password: 'ivy', password_repeated: 'ivy' }, '/password/');
    expect(weak.status).toBe(422);
    const unequal = await browser.submit(page, { password: chosen, password_repeated: 'another' }, '/password/');
    expect(unequal.html).toContain('not the same');
    const done = await browser.submit(page, { password: chosen, password_repeated: chosen }, '/password/');
    expect(done.url).toBe(`${latchkey.issuer}/account`);
    expect((await signIn('ivy', chosen)).isIn).toBe(true);
    expect((await browser.get(url)).status).toBe(404);
    expect((await browser.submit(page, { password: chosen, password_repeated: chosen }, '/password/')).status).toBe(
      404,
    );
  });

  test('recover access with a link that revokes their sessions; only the newest works, for three days', async () => {
    const tokens = await latchkey.tokens(
      { scope: 'openid offline_access read', prompt: 'consent' },
      latchkey.browser(),
      'bob',
    );
    const [first, second] = [
      await owner.post('/users/bob/password-link'),
      await owner.post('/users/bob/password-link'),
    ];
    const browser = latchkey.browser();
    expect((await browser.get(String(first.body.url))).status).toBe(404);
    const page = await browser.get(String(second.body.url));
    const [one, other] = await Promise.all(
      [1, 2].map(() => browser.submit(page, { password: chosen, password_repeated: chosen }, '/password/')),
    );
    expect([one?.status, other?.status].sort()).toEqual([200, 404]);
    expect(await latchkey.isActive(tokens.access_token)).toBe(false);
    expect(await latchkey.refresh(tokens.refresh_token)).toMatchObject({ status: 400 });
    const late = await owner.post('/users/bob/password-link');
    await latchkey.advance(3 * 86_400 + 1);
    expect((await browser.get(String(late.body.url))).status).toBe(404);
    expect(latchkey.server.output()).not.toContain('lk_pw_');
  });
});
