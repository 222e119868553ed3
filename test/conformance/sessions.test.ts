import { send } from '../support/http.ts';
import { password } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import type { UserAgent } from '../support/user-agent.ts';

const alice = { login: 'alice', password };
const day = 24 * 60 * 60;

describe('a browser session', () => {
  const latchkey = startLatchkey();
  const jar = (browser: UserAgent) => new Map(browser.cookies().map(({ name, value }) => [name, value]));
  const sessionCookie = (browser: UserAgent) => {
    const cookies = jar(browser);
    return `latchkey_session=${cookies.get('latchkey_session')}; latchkey_session.sig=${cookies.get('latchkey_session.sig')}`;
  };
  const isSignedIn = async (cookie: string) =>
    (await send(latchkey.issuer, '/account', { headers: { cookie, accept: 'text/html' } })).status === 200;

  async function signedIn(person = alice, browser = latchkey.browser()): Promise<UserAgent> {
    await browser.submit(await browser.get('/sign-in'), person, '/sign-in');
    return browser;
  }

  test('gets another id when a user signs in, and the earlier id gives no access (CWE-384)', async () => {
    const browser = latchkey.browser();
    await browser.get('/oauth/logout');
    const before = sessionCookie(browser);
    await signedIn(alice, browser);
    expect(await isSignedIn(sessionCookie(browser))).toBe(true);
    expect(sessionCookie(browser)).not.toBe(before);
    expect(await isSignedIn(before)).toBe(false);
  });

  test('ends when the user signs out, with its cookie and tokens (SESS-04, REFRESH-14)', async () => {
    const browser = latchkey.browser();
    const { access_token, refresh_token } = await latchkey.tokens({}, browser);
    const cookie = sessionCookie(browser);
    await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' }, '/oauth/logout');
    expect(await isSignedIn(cookie)).toBe(false);
    expect(await latchkey.isActive(access_token)).toBe(false);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('is not shared between users who sign in one after the other', async () => {
    const browser = await signedIn();
    const before = sessionCookie(browser);
    await signedIn({ login: 'bob', password }, browser);
    expect((await browser.get('/account')).html).toContain('Bob Example');
    expect(await isSignedIn(before)).toBe(false);
  });

  test.each([
    { what: 'no signature', ref: 'CWE-565', forge: (value: string) => `latchkey_session=${value}` },
    {
      what: 'another signature',
      ref: 'CWE-565',
      forge: (value: string) => `latchkey_session=${value}; latchkey_session.sig=AAAAAAAAAAAAAAAAAAAAAAAAAAA`,
    },
    {
      what: 'the signature of another cookie',
      ref: 'CWE-565',
      forge: (value: string, csrf: string) => `latchkey_session=${value}; latchkey_session.sig=${csrf}`,
    },
    { what: 'an empty value', ref: 'CWE-565', forge: () => 'latchkey_session=; latchkey_session.sig=' },
    {
      what: 'the name of a prototype',
      ref: 'CWE-1321',
      forge: () => 'latchkey_session=__proto__; latchkey_session.sig=__proto__',
    },
    { what: 'an escaped NUL', ref: 'CWE-158', forge: () => 'latchkey_session=%00; latchkey_session.sig=%00' },
    {
      what: 'bytes that are no text',
      ref: 'CWE-20',
      forge: () => 'latchkey_session=\u00ff\u00fe; latchkey_session.sig=\u00ff',
    },
  ])('has no user with $what in its cookie ($ref)', async ({ forge }) => {
    const cookies = jar(await signedIn());
    const forged = forge(cookies.get('latchkey_session') ?? '', cookies.get('latchkey_csrf.sig') ?? '');
    const { status, headers } = await send(latchkey.issuer, '/account', { headers: { cookie: forged } });
    expect({ status, location: headers.get('location') }).toEqual({
      status: 302,
      location: '/sign-in?return_to=%2Faccount',
    });
  });

  test('asks again for a password when the app wants it (LOGIN-08)', async () => {
    const browser = latchkey.browser();
    await latchkey.visit(browser, latchkey.authorizeUrl());
    for (const parameters of [{ prompt: 'login' }, { max_age: '0' }]) {
      expect((await browser.get(latchkey.authorizeUrl(parameters))).html).toContain('name="password"');
    }
    expect((await browser.get(latchkey.authorizeUrl({ max_age: '60' }))).url).toContain('?code=');
  });

  test('without a sign-in is deleted within the hour (DOS-08)', async () => {
    const browsers = Array.from({ length: 5 }, () => latchkey.browser());
    await Promise.all(browsers.map((browser) => browser.get('/oauth/logout')));
    await Promise.all(browsers.map((browser) => browser.get(latchkey.authorizeUrl())));
    const { rows } = await latchkey.database.query(
      `select max(extract(epoch from expires_at - $1)) as seconds from (
        select expires_at from sessions where user_id is null union all select expires_at from interactions) rows`,
      [new Date()],
    );
    expect(Number(rows[0].seconds)).toBeGreaterThan(3000);
    expect(Number(rows[0].seconds)).toBeLessThanOrEqual(3600);
  });

  test('ends after its lifetime', async () => {
    const browser = await signedIn();
    const cookie = sessionCookie(browser);
    await latchkey.advance(15 * day);
    expect(await isSignedIn(cookie)).toBe(false);
  });
});
