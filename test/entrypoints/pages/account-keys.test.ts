import { linkOn, stateOn, wordsOf } from '../../support/console.ts';
import { englishOn } from '../../support/english-texts.ts';
import { eventually } from '../../support/eventually.ts';
import { api, password } from '../../support/installation.ts';
import { errorsOn, keyActions, keyOn, OwnKeys, pathOn, startWithOwnKeys } from '../../support/own-keys.ts';
import type { Page } from '../../support/user-agent.ts';

describe('a user’s own API keys', () => {
  const site = startWithOwnKeys(['carol', 'dave', 'erik']);
  const { latchkey, verdict, works } = site;
  let carol: OwnKeys;
  // New for each test: tests move the clock, and a password is accepted for ten minutes.
  beforeEach(async () => {
    carol = await OwnKeys.of(latchkey, 'carol');
  });

  test('are created with permissions of the user: shown once, never cached by the browser, accepted at once', async () => {
    const form = await carol.get('/new');
    expect(wordsOf(form)).toMatch(/Orders API 0 of 2 selected Read your orders read/);
    expect(wordsOf(form)).toMatch(/Change your orders write ?Sensitive/);
    expect(wordsOf(form)).toMatch(/Every API 0 of 2 selected orders:read/);
    expect(form.html).toContain(`type="checkbox" name="permissions_selected" value="read at ${api}"`);
    const made = await carol.send(form, {
      name: 'Nightly report',
      description: 'The one on the server',
      environment: 'staging',
      permissions_selected: ['orders:read', `read at ${api}`],
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
      /API key created Nightly report Copy it now\. You will not see it again.*expires on \d+ \w+ \d{4}, \d\d:\d\d UTC/,
    );
    expect(made.html).toMatch(
      /<code data-copy>sk_staging_\w+<\/code> <button type="button" class="link copy" data-copied="Copied" hidden>/,
    );
    const asked = { key, ip: '127.0.0.1' };
    for (const permission of ['orders:read', 'reports:read:monthly'])
      expect(await site.gateway.verify({ ...asked, permission })).toMatchObject({ valid: true });
    expect(await site.gateway.verify({ ...asked, permission: 'reports:read:daily' })).toMatchObject({ valid: false });
    expect(await site.gateway.verify({ ...asked, permission: 'orders:read', ip: '192.0.2.1' })).toMatchObject({
      code: 'ip_not_allowed',
    });

    const page = await carol.agent.get(linkOn(made, 'Done') ?? '');
    for (const part of [
      `${key.slice(0, 15)}…${key.slice(-4)}`,
      'Nightly report Active Expires in 7 days staging',
      'The one on the server',
      `read at ${api}`,
      'only from 127.0.0.1, 10.0.0.0/8; at most 1000 requests/minute',
    ])
      expect(wordsOf(page)).toContain(part);
    const everywhere = await Promise.all(
      ['', pathOn(made), `${pathOn(made)}/rotate`, '/new'].map((path) => carol.get(path)),
    );
    for (const { html } of everywhere) expect(html).not.toContain(key);
    const used = /Requests 2 Denied 2 \(50%\)/;
    // Uses are written once a second.
    await eventually(
      async () => wordsOf(await carol.get(pathOn(made))),
      (words) => used.test(words),
    );

    const id = pathOn(made).slice(1);
    const events = await latchkey.auditEvents('api_key.created');
    const { rows } = await latchkey.database.query(`select id from users where username = 'carol'`);
    expect(events.find(({ target_id }) => target_id === id)).toMatchObject({
      actor_kind: 'user',
      actor_id: rows[0]?.id,
    });
  });

  test('are listed, searched, filtered, sorted and paged; those of others are not listed', async () => {
    const dave = await OwnKeys.of(latchkey, 'dave');
    await carol.mint({ name: 'Of Carol' });
    for (let n = 10; n < 32; n += 1) await dave.mint({ name: `many ${n}` });
    const needle = await dave.mint({
      name: 'Needle',
      environment: 'staging',
      permissions_selected: ['orders:read', 'reports:*'],
    });
    await dave.act(`${pathOn(needle)}/disable`);
    const first = await dave.get();
    expect(wordsOf(first)).toMatch(/Needle .*many 31 .*many 13 /);
    expect(wordsOf(first)).not.toContain('Of Carol');
    expect(wordsOf(first)).toContain('orders:read reports:*');
    const rest = await dave.agent.get(linkOn(first, 'Next') ?? '');
    expect(wordsOf(rest)).toMatch(/many 12 .*many 10 /);
    expect(linkOn(rest, 'Next')).toBeUndefined();
    for (const query of ['q=needle', `q=${keyOn(needle).slice(0, 15)}`, 'environment=staging', 'state=disabled'])
      expect(wordsOf(await dave.get(`?${query}`))).toMatch(/Needle sk_staging_\w{4}…\w{4}/);
    for (const query of ['q=eedle', 'q=carol', 'q=needle&state=active', 'environment=prod'])
      expect(wordsOf(await dave.get(`?${query}`))).toContain('No results');
    expect(wordsOf(await dave.get('?sort=name'))).toMatch(/many 10 .*many 11 /);
    expect(wordsOf(await dave.get('?sort=expires_at'))).toMatch(/many 10 .*many 11 /);
    for (const query of ['state=odd', 'sort=odd', `environment=${'x'.repeat(40)}`])
      expect(await dave.get(`?${query}`)).toMatchObject({ status: 400 });
  });

  test('that are invalid show an error beside the field, and the input is kept', async () => {
    const wrong: [string, Record<string, string>, RegExp][] = [
      ['name', { name: '' }, /./],
      ['ip_allowlist', { ip_allowlist: '10.0.1' }, /such as 10\.0\.0\.0\/8/],
      ['rate_limit', { rate_limit: 'often' }, /such as &quot;1000 requests\/minute&quot;/],
      ['permissions', { permissions: 'orders:re@d' }, /such as &quot;orders:read&quot;/],
      ['permissions', { permissions: 'read everything' }, /one permission per line/],
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
    const nothing = await carol.mint({ permissions_selected: '' });
    expect(errorsOn(nothing)).toMatchObject({
      permissions: expect.stringContaining('at least one permission or role'),
    });
  });

  test('are rotated with an overlap: both expiries are shown, both versions are accepted, then one', async () => {
    const made = await carol.mint({ name: 'Turning' });
    const [key, path] = [keyOn(made), pathOn(made)];
    const asked = await carol.get(`${path}/rotate`);
    expect(wordsOf(asked)).toMatch(/1 version of this key: sk_dev_\w{4}…\w{4} your programs call APIs with it in dev/);
    const rotated = await carol.send(asked, { overlap_seconds: '3600' });
    const next = keyOn(rotated);
    expect(next).not.toBe(key);
    expect(wordsOf(rotated)).toMatch(
      /accepted until \d+ \w+ \d{4}, \d\d:\d\d UTC\. The new version is active now, until the key expires on \d+ \w+ \d{4}, \d\d:\d\d UTC\./,
    );
    const shown = wordsOf(await carol.get(path));
    expect(shown).toMatch(
      new RegExp(
        `…${next.slice(-4)} Active .* With the key sk_dev_\\w{4}…${key.slice(-4)} Active .* in (1 hour|60 minutes)`,
      ),
    );
    expect([await works(key), await works(next)]).toEqual([true, true]);
    await latchkey.advance(3601);
    await site.renew();
    expect([await works(key), await works(next)]).toEqual([false, true]);
    carol = await OwnKeys.of(latchkey, 'carol');
    expect(wordsOf(await carol.get(path))).toMatch(new RegExp(`…${key.slice(-4)} Expired`));
  });

  test('are changed, within the permissions of their user', async () => {
    const made = await carol.mint({ name: 'Changing', permissions_selected: ['orders:read', 'reports:*'] });
    const path = pathOn(made);
    const page = await carol.get(`${path}/change`);
    expect(page.html).toMatch(/value="orders:read" checked.*\n?[\s\S]*value="reports:\*" checked/);
    const fields = {
      name: 'Changed',
      permissions_selected: 'orders:read',
      risk: 'medium',
      expires_at: /name="expires_at"[^>]*value="([^"]*)"/.exec(page.html)?.[1] ?? '',
    };
    const more = await carol.send(page, { ...fields, permissions: 'orders:write' });
    expect(more.status).toBe(403);
    expect(errorsOn(more)).toHaveProperty('permissions');
    expect(wordsOf(await carol.send(page, fields))).toMatch(/Saved\. Changed Active/);
    expect(await verdict(keyOn(made), 'reports:read')).toMatchObject({ valid: false });
    expect(await works(keyOn(made))).toBe(true);
    expect((await carol.send(page, { ...fields, name: 'Late' })).status).toBe(412);
    const endless = await carol.act(`${path}/change`, { ...fields, expires_at: '' });
    expect(errorsOn(endless)).toEqual({ expires_at: expect.stringContaining('latchkey:api_key:never_expire') });
  });

  test('are disabled, enabled and revoked, after the page said what is refused and the password was entered again', async () => {
    const made = await carol.mint({ name: 'Ending' });
    const [key, path] = [keyOn(made), pathOn(made)];
    expect(stateOn(await carol.act(`${path}/disable`))).toBe('Disabled');
    expect(await works(key)).toBe(false);
    expect(stateOn(await carol.act(`${path}/enable`))).toBe('Active');
    expect(await works(key)).toBe(true);
    await latchkey.advance(11 * 60);
    await site.renew();
    for (const [action, button] of [
      ['rotate', 'Rotate key'],
      ['revoke', 'Revoke 1 key'],
    ] as const) {
      const page = await carol.get(`${path}/${action}`);
      expect(page.html).toContain(button);
      expect(page.html).toContain('name="password_again"');
      expect(wordsOf(await carol.send(page, { overlap_seconds: '0' }))).toContain('Enter your password to continue.');
    }
    expect(wordsOf(await carol.mint())).toContain('Enter your password to continue.');
    expect(await works(key)).toBe(true);
    const asked = await carol.get(`${path}/revoke`);
    expect(wordsOf(asked)).toMatch(
      /Revoke Ending\? .*cannot be undone.*1 version of this key: sk_dev_.*refused from now on/,
    );
    expect((await carol.send(asked, { password_again: 'wrong' })).status).toBe(422);
    const done = await carol.send(asked, { password_again: password });
    expect(wordsOf(done)).toContain('The key is revoked. It is refused from now on.');
    expect(await works(key)).toBe(false);
    for (const action of keyActions) expect(done.html).not.toContain(`${path}/${action}`);
    expect((await carol.forge(`${path}/enable`)).status).toBe(409);
    expect(await works(key)).toBe(false);
  });

  test('and every other page of the account are in German for a browser that asks for it', async () => {
    const german = await OwnKeys.of(latchkey, 'erik', password, 'de-AT,de;q=0.9,en;q=0.1');
    const pages: Page[] = [await latchkey.browser('', 'de').get('/account/keys')];
    const restrictions = { ip_allowlist: '127.0.0.1', rate_limit: '10 calls/minute', day: '9', month: '90' };
    const made = await german.mint({ name: 'Wetter', risk: 'low', ...restrictions });
    const path = pathOn(made);
    pages.push(
      made,
      await german.mint({ name: '', ip_allowlist: 'x', rate_limit: 'x', day: '0', expires_in_days: '0' }),
      await german.mint({ allowed_origins: 'x', from: 'x', time_zone: 'x', allowed_values: 'x' }),
      await german.mint({ name: 'Sonne', days: 'mon', from: '08:00', to: '17:00', allowed_values: 'region: eu' }),
    );
    const tooLong = await german.mint({ name: 'x'.repeat(101) });
    const notHeld = await german.mint({ permissions: 'orders:delete' });
    pages.push(tooLong, notHeld, await german.mint({ preview: '1' }));
    expect(wordsOf(tooLong)).toContain('Geben Sie höchstens 100 Zeichen ein.');
    expect(wordsOf(notHeld)).toContain('Diese Berechtigung haben Sie selbst nicht: orders:delete');
    for (const refused of ['Origin', 'eine Uhrzeit', 'eine Zeitzone', 'einen Parameter'])
      expect(pages.map(wordsOf).join()).toMatch(new RegExp(`Geben Sie (pro Zeile )?(einen )?${refused}`));
    for (const action of keyActions) pages.push(await german.get(`${path}/${action}`));
    pages.push(await german.act(`${path}/rotate`, { overlap_seconds: '3600' }));
    const stale = await german.get(`${path}/change`);
    for (const fields of [{ name: 'Regen' }, { name: 'Schnee' }]) pages.push(await german.send(stale, fields));
    for (const action of ['disable', 'enable']) pages.push(await german.act(`${path}/${action}`));
    for (const query of ['', '?q=wetter', '?q=nichts', '?state=x', '?environment=dev&cursor=9', '/none', path])
      pages.push(await german.get(query));
    pages.push(await german.act(`${path}/revoke`), await german.get(path));
    await latchkey.advance(11 * 60);
    pages.push(await german.mint(), await german.mint({ password_again: 'falsch' }));

    pages.push(await german.agent.get(latchkey.authorizeUrl()));
    await latchkey.visit(german.agent, latchkey.authorizeUrl());
    for (const section of ['', '/apps', '/sessions', '/activity', '/data', '/password', '/language', '/none'])
      pages.push(await german.agent.get(`/account${section}`));
    for (const page of pages.filter(({ url }) => /\/(apps|sessions)$/.test(url)))
      for (const [, href = ''] of page.html.matchAll(/href="(\/account\/(?:apps|sessions)\/[^"]+)"/g))
        pages.push(await german.agent.get(href));
    for (const other of ['/account/sessions/sign-out-others', '/', '/device', '/oauth/logout', '/setup/x'])
      pages.push(await german.agent.get(other));

    const names = ['Read your orders', 'Change your orders', 'A browser of the tests', '10 calls/minute'];
    // Input that is the same in every language.
    names.push('orders:read at https://api.example', '1000 requests/minute', '100 messages/hour for email:send');
    names.push('region: eu for email:send');
    const left = pages.flatMap((page) => englishOn(page, names));
    expect(left).toEqual([]);
    for (const { html, url } of pages)
      expect({ url, lang: /<html lang="(\w+)"/.exec(html)?.[1] }).toEqual({ url, lang: 'de' });
  });
});
