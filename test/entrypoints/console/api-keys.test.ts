import { type AdminApi, asOwner } from '../../support/admin.ts';
import { type ConsoleBrowser, consoleAs, consoleOfNew, linkOn, stateOn, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { api } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { Page } from '../../support/user-agent.ts';

describe('API keys in the console', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let gateway: Gateway;
  let alice: ConsoleBrowser;
  // New for each test: tests move the clock, and a password and a token are accepted for ten minutes.
  beforeEach(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    alice = await consoleAs(latchkey);
  });

  const keyOn = ({ html }: Page) => /sk_dev_[0-9A-Za-z]{49}/.exec(html)?.[0] ?? '';
  const works = async (key: string, query = '?permission=orders:read') =>
    (await gateway.forwardAuth(query, { 'x-api-key': key })).status;
  const some = { owner: 'client:service', environment: 'dev', permissions: 'orders:read' };

  test('are created for a service: shown once, with a curl command to try them, and accepted at once', async () => {
    const rights = `orders:read\norders:write at ${api}`;
    const made = await alice.act('/new-api-key', {
      ...some,
      name: 'Nightly report',
      permissions: rights,
      ip_allowlist: '127.0.0.1\n10.0.0.0/8',
      rate_limit: '1000 requests/minute\n5 orders/hour for orders:write',
      day: '500',
      risk: 'high',
      roles: 'auditor',
      tags: 'team:search\nnightly',
      metadata: 'ticket=OPS-17\nlink = https://wiki.example/?a=b',
    });
    const key = keyOn(made);
    expect(wordsOf(made)).toMatch(/API key created Nightly report Copy it now\. You will not see it again.*expires on/);
    expect(wordsOf(made)).toContain(`/gateway/forward-auth?permission=orders%3Aread' \\ -H 'X-API-Key: ${key}'`);
    expect(await works(key)).toBe(200);
    expect(await works(key, '?permission=orders:delete')).toBe(403);

    const page = await alice.get(linkOn(made, 'Done')?.replace('/console', ''));
    expect(page.html).not.toContain(key);
    expect(wordsOf(page)).toContain(`${key.slice(0, 11)}…${key.slice(-4)}`);
    for (const part of [
      'Owner service',
      `orders:write at ${api}`,
      'Risk high',
      'Roles auditor',
      'Tags nightly team:search',
      'ticket=OPS-17',
      'link=https://wiki.example/?a=b',
    ])
      expect(wordsOf(page)).toContain(part);
    expect(wordsOf(page)).toContain(
      'only from 127.0.0.1, 10.0.0.0/8; at most 1000 requests/minute, at most 5 orders/hour for orders:write; at most 500 in a day',
    );
    const used = /Requests 1 Denied 1 \(50%\)/;
    const path = new URL(page.url).pathname.replace('/console', '');
    // Uses are written once a second.
    await eventually(
      async () => wordsOf(await alice.get(path)),
      (words) => used.test(words),
    );
    expect(wordsOf(await alice.get('/audit-log?action=api_key.created'))).toContain('alice');
    const id = path.split('/').at(-1);
    await eventually(
      async () => (await owner.get(`/api-keys/${id}/uses`)).body,
      ({ items }) => Array.isArray(items) && items.length === 1,
    );
    expect((await owner.get(`/api-keys/${id}/uses`)).body).toMatchObject({
      versions: [{ version: 1 }],
      items: [{ version: 1, permission: 'orders:read', uses: 1, day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) }],
    });
    expect(wordsOf(await alice.get(path))).toMatch(/Permissions used, 30 days .* orders:read 1 1 /);
  });

  test('are found by name, start, owner, environment and state, page by page', async () => {
    const needle = await gateway.mint({ name: 'Needle', owner: { client_id: 'service' }, environment: 'staging' });
    await owner.post(`/api-keys/${needle.id}/disable`);
    for (const query of [
      'q=needle',
      `q=${needle.key.slice(0, 15)}`,
      'environment=staging',
      'state=disabled',
      'client_id=service',
    ])
      expect(wordsOf(await alice.get(`/api-keys?${query}`))).toContain('Needle');
    for (const query of ['q=needle&state=active', 'user=bob', 'user=nobody', 'environment=prod'])
      expect(wordsOf(await alice.get(`/api-keys?${query}`))).toContain('No results');
    expect(await alice.get('/api-keys?state=odd')).toMatchObject({ status: 400 });
    for (let n = 0; n < 60; n += 1) await gateway.mint({ name: `many ${n}`, environment: 'prod' });
    const first = await alice.get('/api-keys?environment=prod');
    expect(wordsOf(first)).toContain('many 59');
    const rest = await alice.get(linkOn(first, 'Next')?.replace('/console', ''));
    expect(wordsOf(rest)).toContain('many 0 ');
  });

  test('that are invalid show an error beside the field, and the input is kept', async () => {
    const wrong: [string, Record<string, string>][] = [
      ['ip_allowlist', { ip_allowlist: '10.0.1' }],
      ['rate_limit', { rate_limit: 'often' }],
      ['owner', { owner: 'nobody' }],
      ['permissions', { permissions: 'read everything' }],
      ['environment', { environment: 'moon' }],
      ['day', { day: '0' }],
      ['allowed_origins', { allowed_origins: 'app.example' }],
      ['allowed_values', { allowed_values: 'eu' }],
      ['from', { from: 'morning', to: '17:00' }],
      ['from', { to: '17:00' }],
      ['time_zone', { from: '08:00', to: '17:00', time_zone: 'Mars' }],
      ['expires_in_days', { expires_in_days: '99999' }],
      ['name', { name: '' }],
      ['roles', { roles: 'nobody' }],
      ['tags', { tags: 'two words' }],
      ['metadata', { metadata: 'without a value' }],
      ['metadata', { metadata: '__proto__=1' }],
    ];
    for (const [field, fields] of wrong) {
      const page = await alice.act('/new-api-key', { name: 'Typed', ...some, ...fields });
      expect({ field, status: page.status }).toEqual({ field, status: 400 });
      expect(page.html).toContain(`id="${field}-error"`);
      expect(page.html).toContain('orders:read</textarea>'.slice(field === 'permissions' ? 11 : 0));
    }
  });

  test('are rotated with an overlap: both expiries are shown, both versions are accepted, then one', async () => {
    const { id, key } = await gateway.mint({ name: 'Turning', permissions: ['orders:read'] });
    const asked = await alice.get(`/api-keys/${id}/rotate`);
    expect(wordsOf(asked)).toMatch(/1 version of this key: sk_dev_\w{4}….*refused after the overlap/);
    const made = await alice.send(asked, { overlap_seconds: '3600', expires_in_days: '365' });
    const next = keyOn(made);
    expect(wordsOf(made)).toMatch(
      /The previous version, sk_dev_\w{4}…\w{4}, is accepted until \d+ \w+ \d{4}, \d\d:\d\d UTC\. The new version is active now, until the key expires on \d+ \w+ \d{4}, \d\d:\d\d UTC, later than before\./,
    );
    expect([await works(key), await works(next)]).toEqual([200, 200]);
    await latchkey.advance(3601);
    expect([await works(key), await works(next)]).toEqual([401, 200]);
    alice = await consoleAs(latchkey);
    expect(wordsOf(await alice.get(`/api-keys/${id}`))).toMatch(/sk_dev_\w{4}…\w{4} Expired/);
  });

  test('are changed: members without a field are kept, and a concurrent change is reported', async () => {
    const window = { from: '00:00', to: '23:59' };
    const { id, key } = await gateway.mint({
      name: 'Changing',
      permissions: ['orders:read'],
      roles: ['auditor'],
      tags: ['old', 'kept'],
      metadata: { seats: 5, gone: true },
      restrictions: { time_window: window, ip_allowlist: ['10.9.9.9'], quota: { day: 5 } },
    });
    expect(await works(key)).toBe(403);
    const page = await alice.get(`/api-keys/${id}/change`);
    const typed = {
      name: 'Changed',
      permissions: 'orders:read',
      ip_allowlist: '',
      rate_limit: '7 requests/minute',
      day: '',
      month: '900',
      risk: 'low',
      roles: '',
      tags: 'kept\nnew',
      metadata: 'seats=5\nticket=OPS-17',
      expires_at: /name="expires_at"[^>]*value="([^"]*)"/.exec(page.html)?.[1] ?? '',
    };
    expect(wordsOf(await alice.send(page, typed))).toMatch(/Saved\. Changed Active/);
    expect((await owner.get(`/api-keys/${id}`)).body).toMatchObject({
      restrictions: { time_window: window, rate_limit: ['7 requests/minute'], quota: { month: 900 } },
      permissions: [{ resource: null, pattern: 'orders:read' }],
      risk: 'low',
      roles: [],
      tags: ['kept', 'new'],
      metadata: { seats: 5, ticket: 'OPS-17' },
    });
    const changed = ['metadata', 'name', 'restrictions', 'risk', 'roles', 'tags'];
    const events = await latchkey.auditEvents('api_key.updated');
    expect(events.at(-1)?.details).toMatchObject({ changed: expect.arrayContaining(changed) });
    expect(events.at(-1)?.details).not.toMatchObject({ changed: expect.arrayContaining(['description']) });
    expect(await works(key)).toBe(200);
    const late = await alice.send(page, { ...typed, name: 'Late' });
    expect(late.status).toBe(412);
    expect(late.html).toContain('Someone else changed this');
  });

  test('have a field for each restriction; one that the form cannot express is kept', async () => {
    const templates = { values: ['welcome'], for: ['email:send'] };
    const { id } = await gateway.mint({
      name: 'Restricted',
      permissions: ['orders:read'],
      restrictions: { allowed_templates: templates, allowed_values: { region: ['eu'], size: ['s'] } },
    });
    const page = await alice.get(`/api-keys/${id}/change`);
    expect(page.html).not.toContain('name="allowed_templates"');
    const typed = {
      name: 'Restricted',
      permissions: 'orders:read',
      allowed_values: 'region: eu, us for email:send',
      allowed_origins: 'https://app.example',
      days: 'mon',
      from: '08:00',
      to: '17:00',
      time_zone: 'Europe/Berlin',
    };
    expect(wordsOf(await alice.send(page, typed))).toContain('Saved.');
    const window = { days: ['mon'], from: '08:00', to: '17:00', time_zone: 'Europe/Berlin' };
    expect((await owner.get(`/api-keys/${id}`)).body).toMatchObject({
      restrictions: {
        allowed_templates: templates,
        allowed_values: { region: { values: ['eu', 'us'], for: ['email:send'] } },
        allowed_origins: ['https://app.example'],
        time_window: window,
      },
    });
    expect((await owner.get(`/api-keys/${id}`)).body).not.toHaveProperty('restrictions.allowed_values.size');
    const again = await alice.get(`/api-keys/${id}/change`);
    await alice.send(again, { ...typed, days: '', from: '', to: '', time_zone: '', allowed_values: '' });
    expect((await owner.get(`/api-keys/${id}`)).body).toHaveProperty('restrictions', {
      allowed_templates: templates,
      allowed_origins: ['https://app.example'],
    });
  });

  test('are disabled and enabled; revoking shows what is refused, asks for the password, and is final', async () => {
    const { id, key } = await gateway.mint({
      name: 'Ending',
      owner: { client_id: 'service' },
      permissions: ['orders:read'],
    });
    expect(stateOn(await alice.act(`/api-keys/${id}/disable`))).toBe('Disabled');
    expect(await works(key)).toBe(401);
    expect(stateOn(await alice.act(`/api-keys/${id}/enable`))).toBe('Active');
    expect(await works(key)).toBe(200);
    await latchkey.advance(11 * 60);
    const asked = await alice.get(`/api-keys/${id}/revoke`);
    expect(wordsOf(asked)).toMatch(
      /1 version of this key: sk_dev_.* service calls APIs with it in dev, .*refused from now on/,
    );
    expect(wordsOf(await alice.send(asked))).toContain('Enter your password to continue.');
    expect(await works(key)).toBe(200);
    const done = await alice.send(asked, { password_again: 'correct horse battery staple' });
    expect(wordsOf(done)).toContain('The key is revoked. It is refused from now on.');
    expect(await works(key)).toBe(401);
    for (const label of ['Edit', 'Rotate', 'Disable', 'Enable', 'Revoke']) expect(linkOn(done, label)).toBeUndefined();
  });

  test('are visible, but not editable, for an auditor; and no one creates one with more than they hold', async () => {
    const { id } = await gateway.mint({ name: 'Watched' });
    const auditor = await consoleOfNew(latchkey, 'auditor');
    const page = await auditor.get(`/api-keys/${id}`);
    expect(wordsOf(page)).toContain('API keys / Watched');
    expect(linkOn(page, 'Revoke')).toBeUndefined();
    expect((await auditor.get('/api-keys')).html).not.toContain('/console/new-api-key');
    expect((await auditor.forge(`/api-keys/${id}/revoke`)).status).toBe(403);
    const administrator = await consoleOfNew(latchkey, 'administrator');
    const refused = await administrator.act('/new-api-key', { ...some, name: 'Too much', permissions: 'latchkey:*' });
    expect(refused.status).toBe(403);
    expect(wordsOf(refused)).toContain('You cannot grant or change a permission that you do not hold yourself');
  });
});
