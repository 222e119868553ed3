import { linkOn, wordsOf } from '../../support/console.ts';
import { api } from '../../support/installation.ts';
import { errorsOn, keyActions, keyOn, OwnKeys, pathOn, startWithOwnKeys } from '../../support/own-keys.ts';
import type { Page } from '../../support/user-agent.ts';

describe('a user’s own API keys, within their limits,', () => {
  const site = startWithOwnKeys(['carol', 'dave', 'erin', 'frank', 'gina', 'hugo']);
  const { latchkey, verdict, works } = site;
  let carol: OwnKeys;
  // New for each test: tests move the clock, and a password is accepted for ten minutes.
  beforeEach(async () => {
    carol = await OwnKeys.of(latchkey, 'carol');
  });

  test('that an administrator disabled are enabled by an administrator', async () => {
    const made = await carol.mint({ name: 'Suspect' });
    const [key, path] = [keyOn(made), pathOn(made)];
    const id = path.slice(1);
    await site.owner.post(`/api-keys/${id}/disable`);
    const refused = await carol.act(`${path}/enable`);
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain('Another user disabled this key');
    expect(await works(key)).toBe(false);
    await site.owner.post(`/api-keys/${id}/enable`);
    expect(await works(key)).toBe(true);
    await carol.act(`${path}/disable`);
    await carol.act(`${path}/enable`);
    expect(await works(key)).toBe(true);
  });

  test('get no permission that their creator lacks: the field names the missing one', async () => {
    for (const permission of ['orders:write', 'orders:*', 'latchkey:verify', `delete at ${api}`, '*']) {
      const page = await carol.mint({ name: 'Too much', permissions: permission });
      expect({ permission, status: page.status }).toEqual({ permission, status: 403 });
      expect(errorsOn(page)).toEqual({
        permissions: expect.stringContaining(`&quot;${permission.split(' ')[0]}&quot;`),
      });
    }
    const forged = await carol.forge('/new', {
      name: 'Too much',
      environment: 'dev',
      permissions_selected: 'orders:write',
      risk: 'low',
    });
    expect(forged.status).toBe(403);
    // Roles and owners are not fields of this form.
    await carol.forge('/new', {
      name: 'Too much',
      environment: 'dev',
      permissions_selected: 'orders:read',
      risk: 'low',
      roles: 'owner',
      kind: 'user',
      owner: 'alice',
    });
    const { body } = await site.owner.get('/api-keys?q=Too+much');
    expect(body.items).toMatchObject([{ owner: { name: 'carol' }, roles: [] }]);
  });

  test('of another user read as unknown, with any permissions and any action', async () => {
    const made = await carol.mint({ name: 'Mine' });
    const [key, path] = [keyOn(made), pathOn(made)];
    const before = (await site.owner.get(`/api-keys${path}`)).body;
    for (const login of ['dave', 'alice']) {
      const other = await OwnKeys.of(latchkey, login);
      expect(await other.get(path)).toMatchObject({ status: 404 });
      for (const action of keyActions) {
        const asked = await other.get(`${path}/${action}`);
        const done = await other.forge(`${path}/${action}`, { name: 'Stolen', overlap_seconds: '0' });
        expect({ login, action, statuses: [asked.status, done.status] }).toEqual({
          login,
          action,
          statuses: [404, 404],
        });
        expect(asked.html + done.html).not.toMatch(/Mine|sk_dev_/);
      }
      const nobodys = await other.get('/00000000-0000-7000-8000-0000000000ff');
      const withoutRequest = ({ html }: Page) => html.replaceAll(/Request[\s\S]*?<\/code>/g, '');
      expect(withoutRequest(await other.get(path))).toBe(withoutRequest(nobodys));
    }
    for (const path of ['/none', '/%00', '/..%2f', `/${'x'.repeat(300)}/revoke`])
      expect({ path, status: (await carol.get(path)).status }).toEqual({ path, status: 404 });
    expect((await site.owner.get(`/api-keys${path}`)).body).toEqual(before);
    expect(await works(key)).toBe(true);
    const stranger = latchkey.browser();
    expect((await stranger.get(`/account/keys${path}`)).url).toContain('/sign-in?return_to=%2Faccount%2Fkeys');
  });

  test('accept only forms of our own pages', async () => {
    const made = await carol.mint();
    const path = pathOn(made);
    for (const act of ['/new', ...keyActions.map((action) => `${path}/${action}`)]) {
      const evil = { origin: 'https://evil.example' };
      const page = await carol.get(act.endsWith('enable') ? `${path}/disable` : act);
      expect({ act, status: (await carol.send(page, {}, evil)).status }).toEqual({ act, status: 403 });
      const unsigned = await carol.agent.post(`/account/keys${act}`, new URLSearchParams({ name: 'a' }));
      expect({ act, status: unsigned.status }).toEqual({ act, status: 403 });
    }
    expect(await works(keyOn(made))).toBe(true);
    const got = await carol.agent.get(`/account/keys${path}/revoke?csrf=x`);
    expect(got.status).toBe(200);
    expect(await works(keyOn(made))).toBe(true);
  });

  test('are refused when their user is disabled or loses the role', async () => {
    const erin = await OwnKeys.of(latchkey, 'erin');
    const made = await erin.mint();
    const key = keyOn(made);
    expect(await works(key)).toBe(true);
    await site.owner.delete('/roles/buyer/assignments/user/erin');
    expect(await verdict(key)).toMatchObject({ valid: false });
    expect((await erin.forge(`${pathOn(made)}/rotate`, { overlap_seconds: '3600' })).status).toBe(403);
    await site.owner.put('/roles/buyer/assignments/user/erin', {});
    expect(await works(key)).toBe(true);
    await site.owner.post('/users/erin/disable');
    expect(await verdict(key)).toMatchObject({ valid: false });
    expect((await erin.get()).url).toContain('/sign-in');
  });

  test('cannot be created by a user without permissions, who sees why and whom to ask', async () => {
    const bob = await OwnKeys.of(latchkey, 'bob');
    expect((await bob.agent.get('/account')).html).toContain('href="/account/keys"');
    const why = /none of your roles gives you one at an API\. Ask an administrator of \w+ for a role/;
    const list = await bob.get();
    expect(wordsOf(list)).toMatch(why);
    expect(linkOn(list, 'Create API key')).toBeUndefined();
    const page = await bob.get('/new');
    expect(page.status).toBe(403);
    expect(wordsOf(page)).toMatch(why);
    for (const held of ['', 'orders:read', '*'])
      expect(
        (await bob.forge('/new', { name: 'Mine', environment: 'dev', risk: 'low', permissions_selected: held })).status,
      ).toBe(403);
    expect((await site.owner.get('/api-keys?user=bob')).body.items).toEqual([]);
  });

  test('are not created if the event cannot be recorded', async () => {
    const gina = await OwnKeys.of(latchkey, 'gina');
    await latchkey.database.query(
      `alter table audit_events add constraint refuses check (action <> 'api_key.created') not valid`,
    );
    try {
      expect((await gina.mint()).status).toBeGreaterThanOrEqual(500);
    } finally {
      await latchkey.database.query('alter table audit_events drop constraint refuses');
    }
    expect((await site.owner.get('/api-keys?user=gina')).body.items).toEqual([]);
  });

  test('are a thousand at most, until some are revoked', async () => {
    const hugo = await OwnKeys.of(latchkey, 'hugo');
    await latchkey.database.query(`insert into api_keys (id, name, environment, owner_id, risk, permissions, restrictions,
        metadata, expires_at, revoked_at, created_at, updated_at)
      select gen_random_uuid(), 'many', 'dev', u.id, 'low', '[]', '{}', '{}', now() + interval '1 year',
        case when n > 999 then now() end, now(), now()
      from users u, generate_series(1, 1500) n where username = 'hugo'`);
    expect(await hugo.mint()).toMatchObject({ status: 200 });
    const refused = await hugo.mint({ description: 'Typed' });
    expect(refused).toMatchObject({ status: 409, html: expect.stringContaining('value="Typed"') });
    expect(wordsOf(refused)).toContain('You have 1000 active keys');
  });

  test('are in the user’s activity and in their data, without their values', async () => {
    const frank = await OwnKeys.of(latchkey, 'frank');
    const made = await frank.mint({ name: 'Told' });
    const [key, path] = [keyOn(made), pathOn(made)];
    const rotated = await frank.act(`${path}/rotate`, { overlap_seconds: '0' });
    await site.owner.post(`/api-keys${path}/disable`);
    await site.owner.post(`/api-keys${path}/enable`);
    await frank.act(`${path}/revoke`);
    const admin = await OwnKeys.of(latchkey, 'alice');
    await admin.mint({ name: 'Of Alice', permissions_selected: '*' });
    const told = wordsOf(await frank.agent.get('/account/activity'));
    const parts = [
      'You revoked the API key Told',
      'An administrator enabled the API key Told',
      'An administrator disabled the API key Told',
      'You rotated the API key Told Check this',
      'You created the API key Told Check this',
    ];
    expect(told).toMatch(new RegExp(parts.join('.*')));
    expect(told).not.toContain('Of Alice');
    expect(wordsOf(await admin.agent.get('/account/activity'))).toContain('You created the API key Of Alice');
    expect(wordsOf(await admin.agent.get('/account/activity'))).not.toContain('Told');
    const { html } = await frank.agent.submit(await frank.agent.get('/account/data'), {}, '/account/data');
    const copy = JSON.parse(html);
    expect(copy.api_keys).toMatchObject([
      { name: 'Told', environment: 'dev', state: 'revoked', permissions: [{ resource: null, pattern: 'orders:read' }] },
    ]);
    expect(copy.security_events.map(({ what }: { what: string }) => what)).toContain('You created the API key Told');
    for (const secret of [key, keyOn(rotated)]) expect(html).not.toContain(secret);
    const { rows } = await latchkey.database.query(
      `select encode(digest, 'hex') as hex, encode(digest, 'base64') as base64 from api_key_versions`,
    );
    for (const { hex, base64 } of rows) expect([html.includes(hex), html.includes(base64)]).toEqual([false, false]);
  });
});
