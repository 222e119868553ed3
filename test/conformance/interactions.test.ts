import { send } from '../support/http.ts';
import { api, clientSecrets, jwtApi, password, redirectUri, standardInstallation } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

const alice = { login: 'alice', password };
const bob = { login: 'bob', password };
const expired = { status: 400, html: expect.stringContaining('This page has expired') };

const markup = {
  client_id: 'markup',
  client_secret: clientSecrets['web-app'],
  client_name: '<script>alert(1)</script>',
  redirect_uris: [redirectUri],
  scope: 'openid',
  resources: { [api]: ['read'] },
};
const installation = { ...standardInstallation, clients: [...standardInstallation.clients, markup] };

describe('an interaction', () => {
  const latchkey = startLatchkey({ apply: installation });
  const cookiesOf = (browser: UserAgent) =>
    browser
      .cookies()
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  const csrfOf = ({ html }: Page) => /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';
  const connectedApps = async (browser: UserAgent) => (await browser.get('/account/apps')).html;

  /** A browser at the consent page, and the page. */
  async function atConsent(person = alice, client: Record<string, string> = {}) {
    const browser = latchkey.browser();
    const signIn = await browser.get(latchkey.authorizeUrl({ scope: 'openid read', ...client }));
    return { browser, page: await browser.submit(signIn, person, '/sign-in') };
  }

  test('belongs to the browser that started it (SESS-02)', async () => {
    const { page } = await atConsent();
    const other = latchkey.browser();
    expect(await other.get(page.url)).toMatchObject(expired);
    const body = new URLSearchParams({ csrf: csrfOf(await other.get('/sign-in')), decision: 'allow' });
    expect(await other.post(`${page.url}/consent`, body)).toMatchObject(expired);
  });

  test('continues in no other session, even with its cookies (RFC 9700 §4.7)', async () => {
    const attacker = await atConsent(bob, { client_id: 'post-app' });
    const victim = latchkey.browser();
    await victim.submit(await victim.get('/sign-in'), alice, '/sign-in');
    const planted = attacker.browser.cookies().filter(({ name }) => name.startsWith('latchkey_interaction'));
    const cookie = [...planted.map(({ name, value }) => `${name}=${value}`), cookiesOf(victim)].join('; ');
    const answer = await send(latchkey.issuer, new URL(attacker.page.url).pathname, {
      headers: { accept: 'text/html', cookie },
    });
    expect(answer).toMatchObject({ status: 400, body: { text: expect.stringContaining('This page has expired') } });
    expect(await connectedApps(victim)).not.toContain('Newsletter');
  });

  test('cannot be completed again by sending one of its pages once more', async () => {
    const browser = latchkey.browser();
    const spa = { client_id: 'spa', redirect_uri: 'https://spa.example/callback' };
    const signIn = await browser.get(latchkey.authorizeUrl({ scope: 'openid read', ...spa }));
    const consent = await browser.submit(signIn, alice, '/sign-in');
    expect((await browser.submit(consent, { decision: 'allow' }, '/consent')).url).toContain('?code=');
    expect(await browser.submit(signIn, alice, '/sign-in')).toMatchObject(expired);
    expect(await browser.submit(consent, { decision: 'allow' }, '/consent')).toMatchObject(expired);
  });

  test('issues one code however often its page is sent at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const browser = latchkey.browser();
      const page = await browser.get(latchkey.authorizeUrl({ client_id: 'first-party' }));
      const answers = await Promise.all(Array.from({ length: 10 }, () => browser.submit(page, alice, '/sign-in')));
      expect(answers.filter(({ url }) => url.startsWith(`${redirectUri}?code=`))).toHaveLength(1);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    }
  });

  test.each([
    [
      'signed out in another tab',
      async (browser: UserAgent) => {
        await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' }, '/oauth/logout');
      },
    ],
    [
      'signed in as another user in another tab',
      async (browser: UserAgent) => {
        await browser.submit(await browser.get('/sign-in'), alice, '/sign-in');
      },
    ],
  ])('records no consent of a user who %s', async (_, inAnotherTab) => {
    const { browser, page } = await atConsent(bob, { client_id: 'post-app' });
    await inAnotherTab(browser);
    expect(await browser.submit(page, { decision: 'allow' }, '/consent')).toMatchObject(expired);
    const own = latchkey.browser();
    await own.submit(await own.get('/sign-in'), bob, '/sign-in');
    expect(await connectedApps(own)).not.toContain('Newsletter');
  });

  test('grants what was asked, whatever else the form contains (CODE-32)', async () => {
    const { browser, page } = await atConsent(alice, { client_id: 'post-app' });
    const tampered = {
      decision: 'allow',
      scope: [`${api} write`, `${jwtApi} report:read`, 'write'],
      client_id: 'web-app',
      user_id: 'bob',
    };
    const { url } = await browser.submit(page, tampered, '/consent');
    const code = new URL(url).searchParams.get('code');
    expect(code).toMatch(/^lk_ac_/);
    const apps = await connectedApps(browser);
    expect(apps).toContain('Read your orders');
    expect(apps).not.toContain('Change your orders');
    expect(apps).not.toContain('reports');
  });

  test('requests each scope only from the service it belongs to', async () => {
    const two = `${latchkey.authorizeUrl({ scope: 'openid read report:read', prompt: 'consent' })}&resource=${encodeURIComponent(jwtApi)}`;
    const browser = latchkey.browser();
    await latchkey.visit(browser, two, { login: 'bob' });
    const page = await browser.get(two);
    const scopes = [...page.html.matchAll(/<small><code>([^<]*)<\/code>/g)].map(([, scope]) => scope);
    expect(scopes.sort()).toEqual(['openid', 'read', 'report:read']);
    await browser.submit(page, { decision: 'allow' }, '/consent');
    const apps = await connectedApps(browser);
    expect(apps.match(/<code>report:read<\/code>/g)).toHaveLength(1);
    expect(apps.match(/<code>read<\/code>/g)).toHaveLength(1);
  });

  test('never grants consent on a GET (CSRF-06)', async () => {
    const { browser, page } = await atConsent(bob, { client_id: 'post-app' });
    for (const path of ['', '/consent', '/sign-in', '/switch-account']) {
      await browser.get(`${page.url}${path}?decision=allow&csrf=${csrfOf(page)}`);
    }
    expect(await connectedApps(browser)).not.toContain('Newsletter');
  });

  test('shows the redirect host, and warns that any app on this computer may claim to be the client (MCP-05)', async () => {
    const local = { client_id: 'native', redirect_uri: 'http://127.0.0.1:4711/callback' };
    expect((await atConsent(alice, local)).page.html).toMatch(/127\.0\.0\.1:4711[\s\S]*runs on this computer/);
    const elsewhere = (await atConsent(bob, { client_id: 'post-app' })).page.html;
    expect(elsewhere).toContain('<strong>client.example</strong>');
    expect(elsewhere).not.toContain('runs on this computer');
  });

  test('shows names and requests of clients as text, never as markup (DCR-04)', async () => {
    const { html } = (await atConsent(bob, { client_id: 'markup', scope: 'openid' })).page;
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).not.toContain('<script>alert');
  });
});
