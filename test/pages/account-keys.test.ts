import { type AdminApi, asOwner } from '../support/admin.ts';
import { linkOn, wordsOf } from '../support/console.ts';
import { Gateway } from '../support/gateway.ts';
import { api, password, standardInstallation } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { keyOn, letPeople, OwnKeys, pathOn } from '../support/own-keys.ts';
import type { Page } from '../support/user-agent.ts';

const people = ['carol', 'dave', 'erin', 'frank', 'gina', 'hugo'];
const users = people.map((username) => ({ username, password }));
const rights = [
  { pattern: 'orders:read' },
  { pattern: 'reports:*' },
  { resource: api, pattern: 'read' },
  { resource: api, pattern: 'write' },
];
const deeds = ['change', 'rotate', 'disable', 'enable', 'revoke'];

describe('API keys of one’s own', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, users: [...standardInstallation.users, ...users] },
  });
  let owner: AdminApi;
  let gateway: Gateway;
  let carol: OwnKeys;
  beforeAll(async () => letPeople(await asOwner(latchkey), { role: 'buyer', people, rights }));
  // Anew for each: tests move the clock, and a password and a token count for ten minutes.
  beforeEach(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    carol = await OwnKeys.of(latchkey, 'carol');
  });

  const verdict = (key: string, permission = 'orders:read') => gateway.verify({ key, permission });
  const works = async (key: string) => (await verdict(key)).valid;
  const errorsOn = ({ html }: Page) =>
    Object.fromEntries(
      [...html.matchAll(/<small id="([a-z_]+)-error" class="problem">([^<]*)</g)].map(([, field, text]) => [
        field,
        text,
      ]),
    );

  test('are minted of what one may: shown once, never kept by the browser, and good at once', async () => {
    const form = await carol.get('/new');
    expect(wordsOf(form)).toMatch(/Read your orders read at Orders API/);
    expect(wordsOf(form)).toMatch(/Change your orders risky write at Orders API/);
    expect(wordsOf(form)).toMatch(/orders:read at every API/);
    expect(form.html).toContain(`type="checkbox" name="held" value="read at ${api}"`);
    const made = await carol.send(form, {
      name: 'Nightly report',
      description: 'The one on the server',
      environment: 'staging',
      held: ['orders:read', `read at ${api}`],
      permissions: 'reports:read:monthly',
      ip_allowlist: '127.0.0.1\n10.0.0.0/8',
      rate_limit: '1000 requests/minute',
      risk: 'high',
      expires_in_days: '7',
    });
    const key = keyOn(made);
    expect(key).toMatch(/^sk_staging_/);
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(made.url).toBe(`${latchkey.issuer}/account/keys/new`);
    expect(wordsOf(made)).toMatch(
      /Here is the new key Nightly report You will not see it again.*ends on \d+ \w+ \d{4}, \d\d:\d\d UTC/,
    );
    expect(made.html).toMatch(/<code data-copy>sk_staging_\w+<\/code> <button type="button" class="link copy" hidden>/);
    const asked = { key, ip: '127.0.0.1' };
    for (const permission of ['orders:read', 'reports:read:monthly'])
      expect(await gateway.verify({ ...asked, permission })).toMatchObject({ valid: true });
    expect(await gateway.verify({ ...asked, permission: 'reports:read:daily' })).toMatchObject({ valid: false });
    expect(await gateway.verify({ ...asked, permission: 'orders:read', ip: '192.0.2.1' })).toMatchObject({
      code: 'ip_not_allowed',
    });

    const page = await carol.agent.get(linkOn(made, 'I have it') ?? '');
    for (const part of [
      `${key.slice(0, 15)}…${key.slice(-4)}`,
      'Is for The one on the server',
      'Environment staging',
      'State works',
      `read at ${api}`,
      'only from 127.0.0.1, 10.0.0.0/8; at most 1000 requests/minute',
    ])
      expect(wordsOf(page)).toContain(part);
    const everywhere = await Promise.all(
      ['', pathOn(made), `${pathOn(made)}/rotate`, '/new'].map((path) => carol.get(path)),
    );
    for (const { html } of everywhere) expect(html).not.toContain(key);
    const used = /In the last 30 days: 2 requests allowed, 2 refused/;
    // Uses are written once a second.
    for (const until = Date.now() + 5000; Date.now() < until && !used.test(wordsOf(await carol.get(pathOn(made)))); );
    expect(wordsOf(await carol.get(pathOn(made)))).toMatch(used);

    const id = pathOn(made).slice(1);
    const events = await latchkey.auditEvents('api_key.created');
    const { rows } = await latchkey.database.query(`select id from users where username = 'carol'`);
    expect(events.find(({ target_id }) => target_id === id)).toMatchObject({
      actor_kind: 'user',
      actor_id: rows[0]?.id,
    });
  });

  test('are listed, searched, filtered, sorted and paged; those of others are not among them', async () => {
    const dave = await OwnKeys.of(latchkey, 'dave');
    await carol.mint({ name: 'Of Carol' });
    for (let n = 10; n < 32; n += 1) await dave.mint({ name: `many ${n}` });
    const needle = await dave.mint({ name: 'Needle', environment: 'staging', held: ['orders:read', 'reports:*'] });
    await dave.act(`${pathOn(needle)}/disable`);
    const first = await dave.get();
    expect(wordsOf(first)).toMatch(/Needle .*many 31 .*many 13 /);
    expect(wordsOf(first)).not.toContain('Of Carol');
    expect(wordsOf(first)).toContain('orders:read reports:*');
    const rest = await dave.agent.get(linkOn(first, 'Next page') ?? '');
    expect(wordsOf(rest)).toMatch(/many 12 .*many 10 /);
    expect(linkOn(rest, 'Next page')).toBeUndefined();
    for (const query of ['q=needle', `q=${keyOn(needle).slice(0, 15)}`, 'environment=staging', 'state=disabled'])
      expect(wordsOf(await dave.get(`?${query}`))).toMatch(/Needle sk_staging_\w{4}…\w{4}/);
    for (const query of ['q=carol', 'q=needle&state=active', 'environment=prod'])
      expect(wordsOf(await dave.get(`?${query}`))).toContain('Nothing here is like that.');
    expect(wordsOf(await dave.get('?sort=name'))).toMatch(/many 10 .*many 11 /);
    expect(wordsOf(await dave.get('?sort=expires_at'))).toMatch(/many 10 .*many 11 /);
    for (const query of ['state=odd', 'sort=odd', `environment=${'x'.repeat(40)}`])
      expect(await dave.get(`?${query}`)).toMatchObject({ status: 400 });
  });

  test('that cannot be are told beside what is wrong, and what was typed and ticked stays', async () => {
    const wrong: [string, Record<string, string>, RegExp][] = [
      ['name', { name: '' }, /./],
      ['ip_allowlist', { ip_allowlist: '10.0.1' }, /such as 10\.0\.0\.0\/8/],
      ['rate_limit', { rate_limit: 'often' }, /such as &quot;1000 requests\/minute&quot;/],
      ['permissions', { permissions: 'orders:re@d' }, /such as &quot;orders:read&quot;/],
      ['permissions', { permissions: 'read everything' }, /one permission a line/],
      ['environment', { environment: 'moon' }, /dev, staging, prod/],
      ['day', { day: '0' }, /./],
      ['expires_in_days', { expires_in_days: '99999' }, /./],
    ];
    for (const [field, fields, words] of wrong) {
      const page = await carol.mint({ description: 'Typed', ...fields });
      expect({ field, status: page.status }).toEqual({ field, status: 400 });
      expect(errorsOn(page)).toEqual({ [field]: expect.stringMatching(words) });
      expect(page.html).toMatch(/value="orders:read" checked/);
      expect(page.html).toContain('value="Typed"');
    }
    const nothing = await carol.mint({ held: '' });
    expect(errorsOn(nothing)).toMatchObject({ permissions: expect.stringContaining('Say what it may') });
  });

  test('get nothing that one does not hold: what is missing is named beside the field', async () => {
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
      held: 'orders:write',
      risk: 'low',
    });
    expect(forged.status).toBe(403);
    // Roles and owners are no fields of this form.
    await carol.forge('/new', {
      name: 'Too much',
      environment: 'dev',
      held: 'orders:read',
      risk: 'low',
      roles: 'owner',
      kind: 'user',
      owner: 'alice',
    });
    const { body } = await owner.get('/api-keys?q=Too+much');
    expect(body.items).toMatchObject([{ owner: { name: 'carol' }, roles: [] }]);
  });

  test('are rotated with an overlap: both times are told, both texts work, and then one', async () => {
    const made = await carol.mint({ name: 'Turning' });
    const [key, path] = [keyOn(made), pathOn(made)];
    const asked = await carol.get(`${path}/rotate`);
    expect(wordsOf(asked)).toMatch(/1 text of this key: sk_dev_\w{4}…\w{4} with which your programs call APIs in dev/);
    const rotated = await carol.send(asked, { overlap_seconds: '3600' });
    const next = keyOn(rotated);
    expect(next).not.toBe(key);
    expect(wordsOf(rotated)).toMatch(
      /works until \d+ \w+ \d{4}, \d\d:\d\d UTC\. The new one works at once, until the key ends on \d+ \w+ \d{4}, \d\d:\d\d UTC\./,
    );
    const shown = wordsOf(await carol.get(path));
    expect(shown).toMatch(
      new RegExp(
        `…${next.slice(-4)} works .* with the key sk_dev_\\w{4}…${key.slice(-4)} works .* in (1 hour|60 minutes)`,
      ),
    );
    expect([await works(key), await works(next)]).toEqual([true, true]);
    await latchkey.advance(3601);
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
    expect([await works(key), await works(next)]).toEqual([false, true]);
    carol = await OwnKeys.of(latchkey, 'carol');
    expect(wordsOf(await carol.get(path))).toMatch(new RegExp(`…${key.slice(-4)} over`));
  });

  test('are changed, and no further than one may', async () => {
    const made = await carol.mint({ name: 'Changing', held: ['orders:read', 'reports:*'] });
    const path = pathOn(made);
    const page = await carol.get(`${path}/change`);
    expect(page.html).toMatch(/value="orders:read" checked.*\n?[\s\S]*value="reports:\*" checked/);
    const fields = {
      name: 'Changed',
      held: 'orders:read',
      risk: 'medium',
      expires_at: /name="expires_at"[^>]*value="([^"]*)"/.exec(page.html)?.[1] ?? '',
    };
    const more = await carol.send(page, { ...fields, permissions: 'orders:write' });
    expect(more.status).toBe(403);
    expect(errorsOn(more)).toHaveProperty('permissions');
    expect(wordsOf(await carol.send(page, fields))).toMatch(/It is saved\. What is Changed\?/);
    expect(await verdict(keyOn(made), 'reports:read')).toMatchObject({ valid: false });
    expect(await works(keyOn(made))).toBe(true);
    expect((await carol.send(page, { ...fields, name: 'Late' })).status).toBe(412);
    const endless = await carol.act(`${path}/change`, { ...fields, expires_at: '' });
    expect(errorsOn(endless)).toEqual({ expires_at: expect.stringContaining('latchkey:api_key:never_expire') });
  });

  test('rest, wake and end, after one saw what dies and gave the password again', async () => {
    const made = await carol.mint({ name: 'Ending' });
    const [key, path] = [keyOn(made), pathOn(made)];
    expect(wordsOf(await carol.act(`${path}/disable`))).toContain('State disabled');
    expect(await works(key)).toBe(false);
    expect(wordsOf(await carol.act(`${path}/enable`))).toContain('State works');
    expect(await works(key)).toBe(true);
    await latchkey.advance(11 * 60);
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
    for (const [deed, button] of [
      ['rotate', 'Make a new text'],
      ['revoke', 'Revoke 1 key'],
    ] as const) {
      const page = await carol.get(`${path}/${deed}`);
      expect(page.html).toContain(button);
      expect(page.html).toContain('name="password_again"');
      expect(wordsOf(await carol.send(page, { overlap_seconds: '0' }))).toContain('Enter your password to go on.');
    }
    expect(wordsOf(await carol.mint())).toContain('Enter your password to go on.');
    expect(await works(key)).toBe(true);
    const asked = await carol.get(`${path}/revoke`);
    expect(wordsOf(asked)).toMatch(
      /Revoke Ending\? .*cannot be undone.*1 text of this key: sk_dev_.*at once, for good/,
    );
    expect((await carol.send(asked, { password_again: 'wrong' })).status).toBe(422);
    const done = await carol.send(asked, { password_again: password });
    expect(wordsOf(done)).toContain('The key is revoked: it is refused from now on.');
    expect(await works(key)).toBe(false);
    for (const deed of deeds) expect(done.html).not.toContain(`${path}/${deed}`);
    expect((await carol.forge(`${path}/enable`)).status).toBe(409);
    expect(await works(key)).toBe(false);
  });

  test('of somebody else read as unknown, whatever one may and whatever is tried', async () => {
    const made = await carol.mint({ name: 'Mine' });
    const [key, path] = [keyOn(made), pathOn(made)];
    const before = (await owner.get(`/api-keys${path}`)).body;
    for (const login of ['dave', 'alice']) {
      const other = await OwnKeys.of(latchkey, login);
      expect(await other.get(path)).toMatchObject({ status: 404 });
      for (const deed of deeds) {
        const asked = await other.get(`${path}/${deed}`);
        const done = await other.forge(`${path}/${deed}`, { name: 'Stolen', overlap_seconds: '0' });
        expect({ login, deed, statuses: [asked.status, done.status] }).toEqual({ login, deed, statuses: [404, 404] });
        expect(asked.html + done.html).not.toMatch(/Mine|sk_dev_/);
      }
      const nobodys = await other.get('/00000000-0000-7000-8000-0000000000ff');
      const withoutRequest = ({ html }: Page) => html.replaceAll(/Request[\s\S]*?<\/code>/g, '');
      expect(withoutRequest(await other.get(path))).toBe(withoutRequest(nobodys));
    }
    for (const path of ['/none', '/%00', '/..%2f', `/${'x'.repeat(300)}/revoke`])
      expect({ path, status: (await carol.get(path)).status }).toEqual({ path, status: 404 });
    expect((await owner.get(`/api-keys${path}`)).body).toEqual(before);
    expect(await works(key)).toBe(true);
    const stranger = latchkey.browser();
    expect((await stranger.get(`/account/keys${path}`)).url).toContain('/sign-in?return_to=%2Faccount%2Fkeys');
  });

  test('are dealt with only by forms of our own pages', async () => {
    const made = await carol.mint();
    const path = pathOn(made);
    for (const act of ['/new', ...deeds.map((deed) => `${path}/${deed}`)]) {
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

  test('end where their person ends: stopped, or without the role', async () => {
    const erin = await OwnKeys.of(latchkey, 'erin');
    const made = await erin.mint();
    const key = keyOn(made);
    expect(await works(key)).toBe(true);
    await owner.delete('/roles/buyer/assignments/user/erin');
    expect(await verdict(key)).toMatchObject({ valid: false });
    expect((await erin.forge(`${pathOn(made)}/rotate`, { overlap_seconds: '3600' })).status).toBe(403);
    await owner.put('/roles/buyer/assignments/user/erin', {});
    expect(await works(key)).toBe(true);
    await owner.post('/users/erin/disable');
    expect(await verdict(key)).toMatchObject({ valid: false });
    expect((await erin.get()).url).toContain('/sign-in');
  });

  test('cannot be had by who may nothing, who is told why and whom to ask', async () => {
    const bob = await OwnKeys.of(latchkey, 'bob');
    expect((await bob.agent.get('/account')).html).toContain('href="/account/keys"');
    const why =
      /your account has no role that lets it do anything at an API\. Ask somebody who administers \w+ to give you one/;
    const list = await bob.get();
    expect(wordsOf(list)).toMatch(why);
    expect(linkOn(list, 'Mint a key')).toBeUndefined();
    const page = await bob.get('/new');
    expect(page.status).toBe(403);
    expect(wordsOf(page)).toMatch(why);
    for (const held of ['', 'orders:read', '*'])
      expect((await bob.forge('/new', { name: 'Mine', environment: 'dev', risk: 'low', held })).status).toBe(403);
    expect((await owner.get('/api-keys?user=bob')).body.items).toEqual([]);
  });

  test('are told of in the person’s activity and given with their data, without what opens a door', async () => {
    const frank = await OwnKeys.of(latchkey, 'frank');
    const made = await frank.mint({ name: 'Told' });
    const [key, path] = [keyOn(made), pathOn(made)];
    const rotated = await frank.act(`${path}/rotate`, { overlap_seconds: '0' });
    await owner.post(`/api-keys${path}/disable`);
    await owner.post(`/api-keys${path}/enable`);
    await frank.act(`${path}/revoke`);
    const admin = await OwnKeys.of(latchkey, 'alice');
    await admin.mint({ name: 'Of Alice', held: '*' });
    const told = wordsOf(await frank.agent.get('/account/activity'));
    const parts = [
      'You revoked the API key Told',
      'An administrator enabled the API key Told again',
      'An administrator disabled the API key Told',
      'You made a new text of the API key Told look twice',
      'You minted the API key Told look twice',
    ];
    expect(told).toMatch(new RegExp(parts.join('.*')));
    expect(told).not.toContain('Of Alice');
    expect(wordsOf(await admin.agent.get('/account/activity'))).toContain('You minted the API key Of Alice');
    expect(wordsOf(await admin.agent.get('/account/activity'))).not.toContain('Told');
    const { html } = await frank.agent.submit(await frank.agent.get('/account/data'), {}, '/account/data');
    const copy = JSON.parse(html);
    expect(copy.api_keys).toMatchObject([
      { name: 'Told', environment: 'dev', state: 'revoked', permissions: [{ resource: null, pattern: 'orders:read' }] },
    ]);
    expect(copy.security_events.map(({ what }: { what: string }) => what)).toContain('You minted the API key Told');
    for (const secret of [key, keyOn(rotated)]) expect(html).not.toContain(secret);
    const { rows } = await latchkey.database.query(
      `select encode(digest, 'hex') as hex, encode(digest, 'base64') as base64 from api_key_versions`,
    );
    for (const { hex, base64 } of rows) expect([html.includes(hex), html.includes(base64)]).toEqual([false, false]);
  });

  test('are a thousand at most, until one ends some', async () => {
    const hugo = await OwnKeys.of(latchkey, 'hugo');
    await latchkey.database.query(`insert into api_keys (id, name, environment, owner_id, risk, permissions, restrictions,
        metadata, expires_at, revoked_at, created_at, updated_at)
      select gen_random_uuid(), 'many', 'dev', u.id, 'low', '[]', '{}', '{}', now() + interval '1 year',
        case when n > 999 then now() end, now(), now()
      from users u, generate_series(1, 1500) n where username = 'hugo'`);
    expect(await hugo.mint()).toMatchObject({ status: 200 });
    const refused = await hugo.mint({ description: 'Typed' });
    expect(refused).toMatchObject({ status: 409, html: expect.stringContaining('value="Typed"') });
    expect(wordsOf(refused)).toContain('You have 1000 keys that are not over');
  });

  test('do not come into being when that cannot be recorded', async () => {
    const gina = await OwnKeys.of(latchkey, 'gina');
    await latchkey.database.query(
      `alter table audit_events add constraint refuses check (action <> 'api_key.created') not valid`,
    );
    try {
      expect((await gina.mint()).status).toBeGreaterThanOrEqual(500);
    } finally {
      await latchkey.database.query('alter table audit_events drop constraint refuses');
    }
    expect((await owner.get('/api-keys?user=gina')).body.items).toEqual([]);
  });
});
