import { type ConsoleBrowser, consoleAs, linkOn, stateOn, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { api, password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { testRootKey } from '../../support/server.ts';
import type { Page } from '../../support/user-agent.ts';

const withoutPrefix = (address = '') => address.replace('/console', '');

describe('in the console', () => {
  const latchkey = startLatchkey();
  let alice: ConsoleBrowser;
  beforeEach(async () => {
    alice = await consoleAs(latchkey);
  });

  test('a consent of a user is found, and revoked with everything under it', async () => {
    const { access_token } = await latchkey.tokens({}, latchkey.browser(), 'bob');
    const list = await alice.get('/consents?user=bob&standing=true');
    expect(wordsOf(list)).toMatch(/bob Shop web-app Active/);
    const consent = await alice.get(withoutPrefix(linkOn(list, 'bob')));
    expect(wordsOf(consent)).toContain(`${api} read`);
    const page = await alice.get(withoutPrefix(linkOn(consent, 'Revoke access')));
    expect(wordsOf(page)).toMatch(/Revoke the access of Shop for bob\? .*Revoke access, revoke \d credentials?/);
    expect(stateOn(await alice.send(page))).toBe('Revoked');
    expect(await latchkey.isActive(access_token)).toBe(false);
    expect(wordsOf(await alice.get('/consents?user=nobody'))).toContain('No results');
  });

  test('a grant is found, and revoked', async () => {
    const { access_token } = await latchkey.tokens({ client_id: 'web-app' }, latchkey.browser(), 'bob');
    const list = await alice.get('/grants?user=bob&client_id=web-app');
    const grant = await alice.get(withoutPrefix(linkOn(list, 'Shop')));
    const page = await alice.get(withoutPrefix(linkOn(grant, 'Revoke grant')));
    expect(wordsOf(page)).toMatch(/1 access token/);
    expect(wordsOf(await alice.send(page))).toContain('Revoked.');
    expect(await latchkey.isActive(access_token)).toBe(false);
    expect((await alice.get(withoutPrefix(linkOn(list, 'Shop')))).status).toBe(404);
  });

  test('an API is disabled, and its tokens are revoked', async () => {
    const { body } = await latchkey.clientCredentials();
    const list = await alice.get('/apis?q=orders');
    const server = await alice.get(withoutPrefix(linkOn(list, 'Orders API')));
    expect(wordsOf(server)).toMatch(/read Read your orders Default/);
    const page = await alice.get(withoutPrefix(linkOn(server, 'Disable')));
    expect(wordsOf(page)).toMatch(/Disable, revoke \d+ credential/);
    expect(stateOn(await alice.send(page))).toBe('Disabled');
    expect(await latchkey.isActive(body.access_token, 'service')).toBe(false);
    expect(stateOn(await alice.act(`/apis/${encodeURIComponent(api)}/enable`))).toBe('Active');
  });

  test('signing keys are shown with their state, never with their private part', async () => {
    expect(wordsOf(await alice.act('/rotate-key', { alg: 'ES256', leaked: 'false' }))).toContain(
      'The next signing key is created',
    );
    expect((await alice.act('/rotate-key', { alg: 'ES256', leaked: 'false' })).status).toBe(409);
    const page = await alice.get('/signing-keys?q=es256');
    expect(wordsOf(page)).toMatch(/Scheduled .* Active/);
    expect(wordsOf(page)).not.toContain('RS256');
    expect(page.html).not.toContain('"d"');
  });

  test('actions are shown with their actor', async () => {
    await alice.act('/users/bob/roles/assign', { role: 'auditor' });
    expect(wordsOf(await alice.get('/audit-log?q=role.assigned'))).toMatch(/role\.assigned Succeeded alice bob/);
    expect(wordsOf(await alice.get('/audit-log?q=unicorn'))).toContain('No results');
    const alices = wordsOf(await alice.get('/audit-log?actor=alice&target=bob&action=role.assigned&outcome=success'));
    expect(alices).toMatch(/role\.assigned Succeeded alice bob/);
    expect(alices).not.toContain('session.started');
    expect((await alice.get('/audit-log?outcome=draw')).status).toBe(400);
    for (let n = 10; n < 50; n += 1)
      await alice.act('/users/bob/roles/assign', { role: 'auditor', until: `2040-01-01T00:${n}` });
    let page: Page | undefined = await alice.get('/audit-log');
    const pages: string[] = [];
    while (page) {
      pages.push(wordsOf(page));
      const next = linkOn(page, 'Next');
      page = next ? await alice.get(withoutPrefix(next)) : undefined;
    }
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.at(-1)).toContain('signing_key.created');
  });

  test('an event has a page with its details, its request and its position in the chain', async () => {
    await alice.act('/users/bob/roles/assign', { role: 'operator' });
    const list = await alice.get('/audit-log?action=role.assigned&range=1h');
    expect(wordsOf(list)).toMatch(/\d+ events?/);
    const path = withoutPrefix(linkOn(list, 'Role assigned'));
    const event = await eventually(
      () => alice.get(path),
      (page) => wordsOf(page).includes('Verified'),
    );
    expect(wordsOf(event)).toMatch(/Actor alice Target bob .*"role": "operator".*Segment \d+, event \d+ of \d+/);
    expect(event.html).toContain('data-copy');
    const ofRequest = await alice.get(withoutPrefix(linkOn(event, 'Events of this request')));
    expect(wordsOf(ofRequest)).toContain('role.assigned');
    expect(wordsOf(ofRequest)).not.toContain('session.started');
    const ofActor = await alice.get(withoutPrefix(linkOn(event, 'Events of this actor')));
    expect(wordsOf(ofActor)).toMatch(/session\.started Succeeded alice/);
    expect((await alice.get(withoutPrefix(linkOn(event, 'Previous event')))).status).toBe(200);
    expect(wordsOf(await alice.get('/audit-log?from=2001-01-01T00:00&to=2001-01-02T00:00'))).toContain('No results');
    expect((await alice.get('/audit-log?from=yesterday')).status).toBe(400);
    expect((await alice.get(`/audit-log/${crypto.randomUUID()}`)).status).toBe(404);
  });

  test('the chain of the log is verified for a range, and the log is exported with its proofs', async () => {
    const list = await alice.get('/audit-log');
    const verified = await alice.get(withoutPrefix(linkOn(list, 'Verify chain')));
    expect(stateOn(verified)).toBe('Verified');
    expect(wordsOf(verified)).toMatch(/Last hour .*Events \d+ .*Segments \d+/);
    const exported = await alice.act(withoutPrefix(linkOn(list, 'Export')), { range: '24h' });
    expect(exported.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-log-[\d-]+\.ndjson"$/);
    const lines = exported.html
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ type: 'start' });
    expect(lines.map(({ action }) => action)).toContain('session.started');
    expect(wordsOf(await alice.get('/audit-log?action=audit.exported'))).toMatch(/audit\.exported Succeeded alice/);
  });

  test('search finds records of every kind, and links to them', async () => {
    const found = await alice.get('/search?q=bob');
    expect(wordsOf(found)).toMatch(/Users .*bob/);
    expect(found.html).toContain('href="/console/users/bob"');
    expect((await alice.get(withoutPrefix(linkOn(await alice.get('/search?q=orders'), 'Orders API')))).status).toBe(
      200,
    );
    expect(wordsOf(await alice.get('/search?q=%3Cb%3Eunicorn'))).toContain('No results');
    expect((await alice.get('/search')).status).toBe(200);
  });

  test('a thousand clients are paged to the end, each shown once', async () => {
    await latchkey.database.query(`with made as (insert into subjects (id, kind)
        select gen_random_uuid(), 'client' from generate_series(1, 1000) returning id)
      insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, created_at, updated_at)
        select id, 'many-' || row_number() over (), 'service', '{"grant_types":["client_credentials"]}', '{}', '{}', '[]',
          '{}', now(), now() from made`);
    const seen = new Set<string>();
    let pages = 0;
    for (let address: string | undefined = '/console/clients?q=many-'; address; pages += 1) {
      const page: Page = await alice.get(withoutPrefix(address));
      for (const [, id = ''] of page.html.matchAll(/clients\/(many-\d+)"/g)) seen.add(id);
      address = linkOn(page, 'Next');
    }
    expect({ pages, shown: seen.size }).toEqual({ pages: 20, shown: 1000 });
  });

  test('a webhook is created, tested, changed, disabled and deleted', async () => {
    const fields = {
      url: 'https://hooks.example/in',
      description: 'Chat',
      patterns: 'client.*',
      events: 'role.assigned',
    };
    const made = await alice.act('/new-webhook', fields);
    expect(wordsOf(made)).toMatch(/whsec_/);
    const webhook = await alice.get(withoutPrefix(linkOn(await alice.get('/webhooks'), 'Chat')));
    expect(wordsOf(webhook)).toMatch(/https:\/\/hooks\.example\/in .*client\.\* role\.assigned/);
    expect(webhook.html).not.toContain('whsec_');
    const at = (label: string) => withoutPrefix(linkOn(webhook, label));
    expect(wordsOf(await alice.act(at('Send test event')))).toMatch(/Sending now\. .*webhook\.test/);
    expect(wordsOf(await alice.act(at('Rotate secret'), { overlap: '3600' }))).toMatch(/whsec_.*also signs until/);
    expect(wordsOf(await alice.act(at('Edit'), { ...fields, description: 'Team chat' }))).toMatch(
      /Saved\. Team chat Active/,
    );
    expect(stateOn(await alice.act(at('Disable')))).toBe('Disabled');
    expect(wordsOf(await alice.get('/webhooks?enabled=true'))).toContain('No results');
    const refused = await alice.act('/new-webhook', { ...fields, url: 'nowhere', events: 'no.such' });
    expect(refused.status).toBe(400);
    expect(wordsOf(await alice.act(at('Delete')))).toMatch(/The webhook is deleted\..*No webhooks yet/);
    expect((await alice.get(at('Edit'))).status).toBe(404);
  });

  test('uses of credentials are found by check and result, with the names of callers', async () => {
    const { access_token } = await latchkey.tokens({}, latchkey.browser(), 'bob');
    await latchkey.isActive(access_token);
    const list = await eventually(
      () => alice.get('/access-records?kind=introspection&outcome=active&range=1h'),
      (page) => /Token introspected Accepted .* bob/.test(wordsOf(page)),
    );
    expect(linkOn(list, 'bob')).toContain('/console/users/');
    expect(wordsOf(await alice.get('/access-records?kind=exchange'))).toContain('No results');
    expect((await alice.get('/access-records?kind=theft')).status).toBe(400);
  });

  test('settings are shown with their value and source, secrets without their value', async () => {
    const page = await alice.get('/settings');
    expect(wordsOf(page)).toMatch(/LATCHKEY_ACCESS_TOKEN_SECONDS Lifetime of an access token. 600 10 minutes Default/);
    expect(wordsOf(page)).toMatch(/LATCHKEY_ROOT_KEY [^_]* Hidden Environment/);
    expect(page.html).not.toContain(testRootKey);
  });

  test('an address without a record gets 404', async () => {
    for (const path of [
      '/clients/nothing',
      '/clients/%00',
      '/clients/%E0%A4',
      '/apis/a%00b',
      '/users/a%00b',
      '/roles/UPPER',
    ])
      expect({ path, status: (await alice.get(path)).status }).toEqual({ path, status: 404 });
    for (const path of [
      '/consents/x',
      '/grants/x',
      '/clients/spa/secrets/x/revoke',
      '/users/nobody/roles/assign',
      '/robots',
    ])
      expect({ path, status: (await alice.get(path)).status }).toEqual({ path, status: 404 });
  });

  test('the password is requested again after ten minutes, and only once for the next ten', async () => {
    expect((await alice.get('/clients/spa/disable')).html).not.toContain('name="password_again"');
    const late = await alice.get('/clients/spa/secrets/add');
    await latchkey.advance(10 * 60 + 1);
    expect(late.html).not.toContain('name="password_again"');

    const page = await alice.get('/clients/spa/disable');
    expect(page.html).toContain('name="password_again"');
    const without = await alice.send(page);
    expect(without.status).toBe(422);
    expect(wordsOf(without)).toContain('Enter your password to continue.');
    const wrong = await alice.send(page, { password_again: 'not this one' });
    expect(wordsOf(wrong)).toContain('That is not your password.');
    expect(stateOn(await alice.get('/clients/spa'))).toBe('Active');
    const rotation = await alice.act('/clients/service/secrets/rotate', { label: 'kept label', password_again: 'no' });
    expect(rotation.html).toContain('value="kept label"');
    expect(rotation.html).not.toContain('value="no"');

    expect(stateOn(await alice.send(page, { password_again: password }))).toBe('Disabled');
    expect((await alice.get('/clients/native/disable')).html).not.toContain('name="password_again"');
    await latchkey.advance(10 * 60 + 1);
    expect((await alice.get('/clients/native/disable')).html).toContain('name="password_again"');
    expect((await alice.get('/users/bob/roles/assign')).html).toContain('name="password_again"');
  });

  test('a password given in one browser does not count in another', async () => {
    const other = await consoleAs(latchkey);
    await latchkey.advance(10 * 60 + 1);
    await alice.act('/users/bob/revoke', { password_again: password });
    expect((await alice.get('/users/bob/revoke')).html).not.toContain('name="password_again"');
    expect((await other.get('/users/bob/revoke')).html).toContain('name="password_again"');
    // Only the session cookie decides it.
    const path = `${latchkey.issuer}/console/users/bob/revoke`;
    const carried = alice.agent.cookies().filter(({ name }) => !name.startsWith('latchkey_session'));
    const cookie = [other.agent.cookieHeader(path), ...carried.map(({ name, value }) => `${name}=${value}`)].join('; ');
    const page = await fetch(path, { headers: { cookie, accept: 'text/html' } });
    expect(await page.text()).toContain('name="password_again"');
  });

  test('password guesses are throttled as at the sign-in', async () => {
    await latchkey.advance(10 * 60 + 1);
    const page = await alice.get('/users/bob/revoke');
    let answer = page;
    for (let guess = 0; guess < 11; guess += 1) answer = await alice.send(page, { password_again: `guess ${guess}` });
    expect(wordsOf(answer)).toContain('There were too many attempts.');
    expect(wordsOf(await alice.send(page, { password_again: password }))).toContain('There were too many attempts.');
  });
});
