import { type ConsoleBrowser, consoleAs, linkOn, stateOn, wordsOf } from '../../support/console.ts';
import { clientSecrets } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const secretOn = (html: string) => /lk_cs_[\w-]+/.exec(html)?.[0] ?? '';

describe('clients in the console', () => {
  const latchkey = startLatchkey();
  let alice: ConsoleBrowser;
  beforeAll(async () => {
    alice = await consoleAs(latchkey);
  });

  test('are searched, filtered and sorted by URL parameters', async () => {
    const all = wordsOf(await alice.get('/clients'));
    expect(all).toContain('Shop');
    expect(all).toContain('Billing service');
    const services = wordsOf(await alice.get('/clients?type=service'));
    expect(services).toContain('Billing service');
    expect(services).not.toContain('Newsletter');
    const none = await alice.get('/clients?q=%25');
    expect(wordsOf(none)).toContain('No results');
    expect(linkOn(none, 'Clear filters')).toBe('/console/clients');
    const newest = await alice.get('/clients?sort=-created_at&q=s');
    expect(newest.html).toMatch(/aria-sort="descending"><a href="[^"]*">Registered</);
    expect(linkOn(newest, 'Registered')).toBe('/console/clients?q=s&sort=created_at');
    expect(newest.html).toContain('name="q" value="s"');
  });

  test('explain an invalid filter', async () => {
    const page = await alice.get('/clients?type=robot');
    expect(page.status).toBe(400);
    expect(page.html).toMatch(/role="alert"[\s\S]*Type: this value does not exist/);
    expect((await alice.get('/clients?cursor=made-up')).status).toBe(400);
  });

  test('show their endpoints, a quickstart, their permissions and their activity', async () => {
    const page = wordsOf(await alice.get('/clients/web-app'));
    expect(page).toContain('Clients / Shop');
    expect(page).toContain('https://client.example/callback');
    expect(page).toContain(`${latchkey.issuer}/oauth/authorize`);
    expect(page).toContain('auth({ issuerBaseURL:');
    const permissions = wordsOf(await alice.get('/clients/web-app?tab=permissions'));
    expect(permissions).toMatch(/On behalf of users .* https:\/\/api\.example read write/);
    expect(wordsOf(await alice.get('/clients/web-app?tab=activity'))).toContain('Client created');
    expect((await alice.get('/clients/nothing')).status).toBe(404);
  });

  test('get another secret, which is shown once and accepted beside the first', async () => {
    const made = await alice.act('/clients/service/secrets/add', { label: 'second', expires_in_days: '30' });
    const secret = secretOn(made.html);
    expect(wordsOf(made)).toMatch(/New client secret Billing service Copy it now\. You will not see it again/);
    expect(made.html).toContain('curl');
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(await latchkey.isLetIn('service', secret)).toBe(true);
    expect(await latchkey.isLetIn('service', clientSecrets.service)).toBe(true);
    expect((await alice.get('/clients/service?tab=credentials')).html).not.toContain(secret);
    const { stdout } = await latchkey.command(['audit', 'tail', '--json']);
    expect(stdout).not.toContain(secret);
  });

  test('get a new secret that replaces the present ones after an overlap', async () => {
    await latchkey.commandJson(['client', 'add-secret', 'post-app']);
    const page = await alice.get('/clients/post-app/secrets/rotate');
    expect(wordsOf(page)).toMatch(/This revokes: 2 present secrets/);
    const made = await alice.send(page, { overlap: '0' });
    expect(secretOn(made.html)).not.toBe('');
    expect(wordsOf(await alice.get('/clients/post-app?tab=credentials')).match(/Expired/g)).toHaveLength(2);
  });

  test('have secrets in the list of all credentials, which are found there and revoked', async () => {
    const made = await alice.act('/clients/service/secrets/add', { label: 'to be found' });
    const found = await alice.get('/credentials?q=to+be+found');
    expect(wordsOf(found)).toMatch(/to be found .*Client secret service .*Active/);
    const sessions = await alice.get('/credentials?kind=session&user=alice');
    expect(wordsOf(sessions)).toMatch(/Session alice/);
    const address = linkOn(found, 'Revoke to be found')?.replace('/console', '') ?? '';
    const page = await alice.get(address);
    expect(wordsOf(page)).toMatch(/1 secret refused from the next request/);
    expect(wordsOf(await alice.send(page))).toContain('Revoked.');
    expect(await latchkey.isLetIn('service', secretOn(made.html))).toBe(false);
    expect(await latchkey.isLetIn('service', clientSecrets.service)).toBe(true);
    expect(wordsOf(await alice.get('/credentials?q=to+be+found&state=revoked'))).toContain('to be found');
    expect((await alice.get('/credentials?kind=spoon')).status).toBe(400);
  });

  test('lose one secret, and the others stay active', async () => {
    const made = await alice.act('/clients/web-app/secrets/add', { label: 'leaked' });
    const secret = secretOn(made.html);
    const list = await alice.get('/clients/web-app?tab=credentials');
    const address = linkOn(list, 'Revoke secret leaked')?.replace('/console', '') ?? '';
    const page = await alice.get(address);
    expect(wordsOf(page)).toContain('1 other secret stays active.');
    const after = await alice.send(page);
    expect(wordsOf(after)).toContain('The secret is revoked');
    expect(await latchkey.isLetIn('web-app', secret)).toBe(false);
    expect(await latchkey.isLetIn('web-app', clientSecrets['web-app'])).toBe(true);
  });

  test('show what is revoked before they are disabled, are disabled, and enabled again', async () => {
    const { access_token, refresh_token } = await latchkey.tokens({
      scope: 'openid read offline_access',
      prompt: 'consent',
    });
    const page = await alice.get('/clients/web-app/disable');
    expect(wordsOf(page)).toMatch(/1 refresh token .* 1 access token/);
    expect(wordsOf(page)).toContain('Disable, revoke 2 credentials');
    expect(await latchkey.isActive(access_token)).toBe(true);
    const after = await alice.send(page);
    expect(after.url).toContain('/console/clients/web-app?done=disabled');
    expect(stateOn(after)).toBe('Disabled');
    expect((await latchkey.refresh(refresh_token)).status).toBe(401);
    const enabled = await alice.act('/clients/web-app/enable');
    expect(stateOn(enabled)).toBe('Active');
    expect(await latchkey.isActive(access_token)).toBe(false);
  });

  test('lose all credentials and stay active', async () => {
    const { access_token } = await latchkey.tokens();
    const page = await alice.get('/clients/web-app/revoke');
    expect(wordsOf(page)).toMatch(/Revoke \d credentials?/);
    await alice.send(page);
    expect(await latchkey.isActive(access_token)).toBe(false);
    expect(stateOn(await alice.get('/clients/web-app'))).toBe('Active');
  });

  test('show an error beside the field, and keep the input', async () => {
    const page = await alice.act('/clients/service/secrets/add', { label: 'kept label', expires_in_days: '99999' });
    expect(page.status).toBe(400);
    expect(page.html).toContain('value="kept label"');
    expect(page.html).toMatch(/id="expires_in_days"[^>]*aria-invalid="true"/);
    expect(page.html).toContain('id="expires_in_days-error"');
  });

  test('that another administrator changed in the meantime are not overwritten', async () => {
    const page = await alice.get('/clients/native/enable');
    await latchkey.command(['client', 'disable', 'native', '--yes']);
    const late = await alice.send(page);
    expect(late.status).toBe(412);
    expect(wordsOf(late)).toMatch(/Someone else changed this .* Current values State Disabled/);
    expect(stateOn(await alice.send(late))).toBe('Active');
  });
});
