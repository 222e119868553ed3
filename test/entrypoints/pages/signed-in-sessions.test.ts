import { eventually } from '../../support/eventually.ts';
import { password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { type Latchkey, startLatchkey } from '../../support/latchkey.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const people = ['carol', 'dave', 'erin'].map((username) => ({ username, password }));
const apply = { ...standardInstallation, users: [...standardInstallation.users, ...people] };
const refused = { status: 400, body: { error: 'invalid_grant' } };
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const edge =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0';
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';

const signIn = async (browser: UserAgent, login = 'alice') => {
  await browser.submit(await browser.get('/sign-in'), { login, password });
  return browser;
};
const devices = ({ html }: Page) => [...html.matchAll(/<h2><bdi>([^<]*)</g)].map(([, name]) => name);
const plain = ({ html }: Page) => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
const signOutLinks = ({ html }: Page) =>
  [...html.matchAll(/href="(\/account\/sessions\/[^"]+\/sign-out)"/g)].map(([, href = '']) => href);
const isSignedIn = async (latchkey: Latchkey, browser: UserAgent) =>
  (await browser.get('/account')).url === `${latchkey.issuer}/account`;
const withoutOthers = async (browser: UserAgent) =>
  browser.submit(await browser.get('/account/sessions/sign-out-others'), {}, 'sign-out-others');

describe('the sessions of a user', () => {
  const latchkey = startLatchkey({ apply });

  test('are listed with browser, address, start, and the clients signed in with them', async () => {
    const browser = await signIn(latchkey.browser(firefox));
    await latchkey.tokens({}, latchkey.browser(edge));
    await latchkey.tokens({ scope: 'openid offline_access read', prompt: 'consent' }, latchkey.browser(phone));
    await latchkey.advance(2 * 3600);
    const page = await browser.get('/account/sessions');
    expect(devices(page)).toEqual(['Firefox on Linux', 'Safari on iPhone', 'Microsoft Edge on Windows']);
    expect(plain(page)).toMatch(
      /Firefox on Linux This browser IP address 127\.0\.0\.1 · signed in 2 hours ago No apps/,
    );
    expect(plain(page)).toMatch(
      /Safari on iPhone IP address [\d.]+ · signed in 2 hours ago · last seen 2 hours ago Long-lived connection of Shop/,
    );
    expect(plain(page)).toMatch(/Microsoft Edge on Windows .{60,90} Signed in to Shop/);
  });

  test('show when they were last used, even if only on these pages', async () => {
    const browser = await signIn(latchkey.browser(firefox), 'bob');
    const other = await signIn(latchkey.browser(edge), 'bob');
    await latchkey.advance(3 * 3600);
    await other.get('/account');
    expect(plain(await browser.get('/account/sessions'))).toMatch(/signed in 3 hours ago · last seen just now/);
  });

  test('with an unknown user agent show it as text', async () => {
    const browser = await signIn(latchkey.browser('<script>alert(1)</script>'), 'carol');
    const { html } = await browser.get('/account/sessions');
    expect(html).toContain('<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>');
    expect(html).not.toContain('<script>alert');
  });

  test('are visible to their user only, who alone can sign them out', async () => {
    const alice = await signIn(latchkey.browser(firefox));
    await signIn(latchkey.browser(edge));
    const [link = ''] = signOutLinks(await alice.get('/account/sessions'));
    const dave = await signIn(latchkey.browser(phone), 'dave');
    expect(devices(await dave.get('/account/sessions'))).toEqual(['Safari on iPhone']);
    expect(await dave.get(link)).toMatchObject({ status: 404 });
    const own = await dave.get('/account/data');
    const csrf = /name="csrf" value="([^"]*)"/.exec(own.html)?.[1] ?? '';
    expect(await dave.post(link, new URLSearchParams({ csrf }))).toMatchObject({ status: 404 });
    expect(await alice.get(link)).toMatchObject({ status: 200 });
    for (const unknown of ['nobody-has-this', '..%2f..', '%00', `${'x'.repeat(65)}`])
      expect((await alice.get(`/account/sessions/${unknown}/sign-out`)).status).toBeGreaterThanOrEqual(400);
  });

  test('are paged, even five hundred of them, and all signed out at once', async () => {
    const browser = await signIn(latchkey.browser(firefox), 'erin');
    await latchkey.database.query(`insert into sessions (uid, user_id, login_at, address, user_agent, created_at, last_seen_at, expires_at)
      select 'erin-' || n, u.id, s.login_at, '10.0.0.1', 'curl', s.login_at, s.login_at, s.expires_at
      from users u join sessions s on s.user_id = u.id, generate_series(1, 500) n where u.username = 'erin'`);
    const first = await browser.get('/account/sessions');
    expect(devices(first)).toHaveLength(20);
    expect(devices(first)[0]).toBe('Firefox on Linux');
    expect(plain(first)).toContain('You have 501 active sessions.');
    expect(plain(first)).toContain('Page 1 of 26');
    expect(devices(await browser.get('/account/sessions?page=26'))).toHaveLength(1);
    expect(plain(await browser.get('/account/sessions?page=99'))).toContain('There is nothing on this page.');
    expect(plain(await withoutOthers(browser))).toContain('500 sessions are signed out.');
    expect(devices(await browser.get('/account/sessions'))).toEqual(['Firefox on Linux']);
  });
});

describe('signing out another browser', () => {
  const latchkey = startLatchkey({ apply });

  test('shows first what it does, and then revokes its tokens at once, on every node', async () => {
    const node = await latchkey.startNode();
    const mine = latchkey.browser(firefox);
    const here = await latchkey.tokens({}, mine);
    const other = latchkey.browser(edge);
    const there = await latchkey.tokens({}, other);
    const code = await latchkey.code({}, other);
    const [link = ''] = signOutLinks(await mine.get('/account/sessions'));
    const asked = await mine.get(link);
    expect(plain(asked)).toContain('Sign out Microsoft Edge on Windows ?');
    expect(plain(asked)).toContain('1 app loses access Shop');
    expect(await latchkey.isActive(there.access_token)).toBe(true);
    const done = await mine.submit(asked, {}, link);
    expect(plain(done)).toContain('The session is signed out.');

    for (const at of [latchkey.issuer, node.issuer]) {
      expect(await latchkey.isActive(there.access_token, 'web-app', at)).toBe(false);
      expect(await latchkey.refresh(there.refresh_token, 'web-app', at)).toMatchObject(refused);
    }
    expect(await latchkey.redeem(code)).toMatchObject(refused);
    expect(await isSignedIn(latchkey, other)).toBe(false);
    expect(await isSignedIn(latchkey, mine)).toBe(true);
    expect(await latchkey.isActive(here.access_token)).toBe(true);
  });

  test('is recorded once, with actor and reason, however often it is sent', async () => {
    const mine = await signIn(latchkey.browser(firefox), 'carol');
    await signIn(latchkey.browser(edge), 'carol');
    const [link = ''] = signOutLinks(await mine.get('/account/sessions'));
    const asked = await mine.get(link);
    const before = (await latchkey.auditEvents('session.ended')).length;
    const answers = await Promise.all(Array.from({ length: 8 }, () => mine.submit(asked, {}, link)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    const events = (await latchkey.auditEvents('session.ended')).slice(before);
    expect(events).toMatchObject([{ actor_kind: 'user', reason: 'signed out from another browser' }]);
  });

  test('keeps its long-lived connections, and says so', async () => {
    const mine = await signIn(latchkey.browser(firefox), 'dave');
    const other = latchkey.browser(edge);
    const { refresh_token } = await latchkey.tokens(
      { scope: 'openid offline_access read', prompt: 'consent' },
      other,
      'dave',
    );
    const [link = ''] = signOutLinks(await mine.get('/account/sessions'));
    const asked = await mine.get(link);
    expect(plain(asked)).toContain('Shop keeps its long-lived connection.');
    expect(plain(await mine.get('/account/sessions/sign-out-others'))).toContain(
      '1 long-lived connection stays active',
    );
    await mine.submit(asked, {}, link);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });
  });

  test('is never done by a GET, nor by a form of another site or without the page’s token', async () => {
    const mine = await signIn(latchkey.browser(firefox), 'bob');
    const other = await signIn(latchkey.browser(edge), 'bob');
    const [link = ''] = signOutLinks(await mine.get('/account/sessions'));
    for (const target of [link, '/account/sessions/sign-out-others']) {
      const asked = await mine.get(target);
      expect(await mine.submit(asked, {}, target, { origin: 'https://evil.example' })).toMatchObject({ status: 403 });
      expect(await mine.submit(asked, {}, target, { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 });
      expect(await mine.post(target, new URLSearchParams())).toMatchObject({ status: 403 });
      expect(await mine.post(target, new URLSearchParams({ csrf: 'guessed' }))).toMatchObject({ status: 403 });
    }
    expect(await isSignedIn(latchkey, other)).toBe(true);
  });

  test('is not the way to sign out of this browser', async () => {
    const mine = await signIn(latchkey.browser(firefox), 'erin');
    const { rows } = await latchkey.database.query(
      "select s.uid from sessions s join users u on u.id = s.user_id where u.username = 'erin'",
    );
    const page = await mine.get(`/account/sessions/${rows[0].uid}/sign-out`);
    expect(page.url).toBe(`${latchkey.issuer}/oauth/logout`);
    expect(plain(await mine.get('/account/sessions/sign-out-others'))).toContain('No other sessions');
  });
});

describe('signing out all other browsers', () => {
  const latchkey = startLatchkey({ apply });

  test('leaves no active token of a session that refreshes, signs in to clients, or redeems codes at the same time', async () => {
    const mine = await signIn(latchkey.browser(firefox));
    const others = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const browser = latchkey.browser(edge);
        return { browser, tokens: await latchkey.tokens({}, browser) };
      }),
    );
    const issued: { access_token: string; refresh_token: string }[] = others.map(({ tokens }) => tokens);
    let isOver = false;
    const refreshing = others.map(async ({ tokens }) => {
      let { refresh_token } = tokens;
      while (!isOver) {
        const { status, body } = await latchkey.refresh(refresh_token);
        if (status !== 200) continue;
        issued.push(body);
        refresh_token = body.refresh_token;
      }
    });
    const visiting = others.map(async ({ browser }) => {
      while (!isOver) {
        const page = await browser.get(latchkey.authorizeUrl({ code_verifier: 'v'.repeat(43), prompt: 'none' }));
        const code = new URL(page.url).searchParams.get('code');
        if (!code) continue;
        const redeemed = { code, code_verifier: 'v'.repeat(43), redirect_uri: redirectUri, client_id: 'web-app' };
        const { status, body } = await latchkey.redeem(redeemed);
        if (status === 200) issued.push(body);
      }
    });
    await eventually(
      () => issued.length,
      (count) => count > 2 * others.length,
    );
    const done = await withoutOthers(mine);
    expect(plain(done)).toContain('4 sessions are signed out.');
    await new Promise((resolve) => setTimeout(resolve, 300));
    isOver = true;
    await Promise.all([...refreshing, ...visiting]);
    for (const { access_token, refresh_token } of issued.slice(-60)) {
      expect(await latchkey.isActive(access_token)).toBe(false);
      expect(await latchkey.refresh(refresh_token)).toMatchObject(refused);
    }
    for (const { browser } of others) expect(await isSignedIn(latchkey, browser)).toBe(false);
    expect(await isSignedIn(latchkey, mine)).toBe(true);
  });

  test('succeeds for all of several that sign each other out, change the password or return to a client at once', async () => {
    const browsers = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const browser = latchkey.browser(firefox);
        await latchkey.tokens({}, browser, 'bob');
        return browser;
      }),
    );
    const asked = await Promise.all(browsers.map((browser) => browser.get('/account/sessions/sign-out-others')));
    const form = await browsers[0]?.get('/account/password');
    const change = { current_password: password, password, password_repeated: password };
    const offline = { scope: 'openid offline_access read', prompt: 'consent' };
    const answers = await Promise.all([
      ...browsers.map((browser, n) => browser.submit(asked[n] as Page, {}, 'sign-out-others')),
      ...browsers.map((browser) => browser.get(latchkey.authorizeUrl({ prompt: 'none' }))),
      ...browsers.map((browser) => browser.get(latchkey.authorizeUrl(offline))),
      browsers[0]?.submit(form as Page, change, '/password'),
    ]);
    expect(answers.map((page) => page?.status ?? 0).filter((status) => status >= 500)).toEqual([]);
  });
});
