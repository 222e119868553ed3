import { type AdminApi, asOwner } from '../../support/admin.ts';
import { HeldStatement } from '../../support/held-statement.ts';
import { send } from '../../support/http.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { UserAgent } from '../../support/user-agent.ts';

const another = 'another good password';

describe('a copied session cookie stops working (CWE-384, CWE-613; OWASP ASVS 5.0 §7.2.4)', () => {
  const latchkey = startLatchkey();
  let node: string;
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    await makeUsers();
    node = (await latchkey.startNode()).address;
  });

  const headers = (cookie: string) => ({
    cookie,
    accept: 'text/html',
    'x-forwarded-host': new URL(latchkey.issuer).host,
  });
  /** All cookies of the browser, as copied by an attacker. */
  const copyOf = (browser: UserAgent) => browser.cookieHeader(`${latchkey.issuer}/oauth/authorize`);
  const opens = async (cookie: string, at = latchkey.issuer) =>
    (await send(at, '/account', { headers: headers(cookie) })).status === 200;
  /** Whether a client gets a code with it without a prompt. */
  const authorizes = async (cookie: string) => {
    const { pathname, search } = new URL(latchkey.authorizeUrl({ client_id: 'first-party', prompt: 'none' }));
    const answer = await send(latchkey.issuer, pathname + search, { headers: headers(cookie) });
    return new URL(answer.headers.get('location') ?? 'none:').searchParams.has('code');
  };

  async function signedIn(login = 'alice', secret = password): Promise<UserAgent> {
    const browser = latchkey.browser();
    await signIn(browser, login, secret);
    return browser;
  }
  async function signIn(browser: UserAgent, login = 'alice', secret = password): Promise<void> {
    await browser.submit(await browser.get('/sign-in'), { login, password: secret }, '/sign-in');
  }
  /** Created in advance, because the owner's token expires when the clock moves. */
  const users: string[] = [];
  async function makeUsers(): Promise<void> {
    for (let n = 0; n < 10; n += 1) {
      const username = `user-${n}`;
      const { status } = await owner.post('/users', { username, password, roles: ['auditor'] });
      expect(status).toBe(201);
      users.push(username);
    }
  }
  const newUser = () => ({ login: users.pop() ?? '', secret: password });
  const changePassword = async (browser: UserAgent, current: string) =>
    browser.submit(
      await browser.get('/account/password'),
      { current_password: current, password: another, password_repeated: another },
      '/password',
    );

  test('a sign-in whose password was checked before an administrator replaced it starts no session', async () => {
    const { login, secret } = newUser();
    const browser = latchkey.browser();
    const page = await browser.get('/sign-in');
    const held = await HeldStatement.hold(latchkey.database.url, 'insert', 'sessions');
    const late = browser.submit(page, { login, password: secret }, '/sign-in');
    await held.reached();
    const reset = await owner.post(`/users/${login}/password`, { password: another });
    await held.release();
    await late;
    expect(reset.status).toBe(200);
    expect((await browser.get('/account')).url).toContain('/sign-in');
  });

  const renewals: [string, (browser: UserAgent, secret: string) => Promise<unknown>][] = [
    ['the same user signs in again', (browser, secret) => signIn(browser, browserLogin(browser), secret)],
    [
      'an app makes them sign in again',
      async (browser, secret) => {
        const page = await browser.get(latchkey.authorizeUrl({ client_id: 'first-party', prompt: 'login' }));
        await browser.submit(page, { login: browserLogin(browser), password: secret }, '/sign-in');
      },
    ],
    [
      'they prove again that it is them',
      async (browser, secret) => {
        await latchkey.advance(10 * 60 + 1);
        const page = await browser.get('/account/keys/new');
        await browser.submit(page, { name: 'a key', password_again: secret }, '/account/keys/new');
      },
    ],
    ['they change their password', changePassword],
  ];
  const logins = new WeakMap<UserAgent, string>();
  const browserLogin = (browser: UserAgent) => logins.get(browser) ?? '';

  test.each(renewals)('as soon as %s', async (_, renew) => {
    const { login, secret } = newUser();
    const browser = await signedIn(login, secret);
    logins.set(browser, login);
    const copy = copyOf(browser);
    expect([await opens(copy), await opens(copy, node), await authorizes(copy)]).toEqual([true, true, true]);
    await renew(browser, secret);
    expect([await opens(copy), await opens(copy, node), await authorizes(copy)]).toEqual([false, false, false]);
    expect((await browser.get('/account')).url).toBe(`${latchkey.issuer}/account`);
    expect(await authorizes(copyOf(browser))).toBe(true);
  });

  test('not after a wrong password: the session keeps its id', async () => {
    const { login, secret } = newUser();
    const browser = await signedIn(login, secret);
    const before = copyOf(browser);
    await changePassword(browser, 'not my password');
    expect([await opens(before), copyOf(browser)]).toEqual([true, before]);
  });

  test('also one copied before a client was allowed, from the next sign-in on', async () => {
    const { login, secret } = newUser();
    const browser = latchkey.browser();
    await signIn(browser, login, secret);
    const copies = [copyOf(browser)];
    let page = await browser.get(latchkey.authorizeUrl({ prompt: 'consent' }));
    page = await browser.submit(page, { decision: 'allow' }, '/consent');
    copies.push(copyOf(browser));
    await signIn(browser, login, secret);
    expect(await Promise.all(copies.map((copy) => opens(copy)))).toEqual([false, false]);
  });

  test('on every node, when the password is changed in another session', async () => {
    const { login, secret } = newUser();
    const others = await Promise.all([signedIn(login, secret), signedIn(login, secret)]);
    const copies = others.map(copyOf);
    await changePassword(await signedIn(login, secret), secret);
    for (const copy of copies) expect([await opens(copy), await opens(copy, node)]).toEqual([false, false]);
  });

  /** The effect of a renewal on another node on the ids of a session. */
  const retireIdsOf = (login: string) =>
    latchkey.database.query(
      `update session_ids set retired_at = now(), expires_at = now() where session_uid in (
        select uid from sessions where user_id = (select id from users where username = $1))`,
      [login],
    );

  test('also for a request with the copy that began before the change', async () => {
    const { login, secret } = newUser();
    const browser = await signedIn(login, secret);
    const copy = copyOf(browser);
    // The time of last use is written once a minute.
    await latchkey.advance(61);
    const held = await HeldStatement.hold(latchkey.database.url, 'update', 'sessions');
    const late = authorizes(copy);
    await held.reached();
    await retireIdsOf(login);
    await held.release();
    expect(await late).toBe(false);
    expect(await opens(copy)).toBe(false);
  });

  test('a consent that is answered with the copy while the session is renewed sets no other id', async () => {
    const { login, secret } = newUser();
    const browser = await signedIn(login, secret);
    const page = await browser.get(latchkey.authorizeUrl());
    const held = await HeldStatement.hold(latchkey.database.url, 'insert', 'grants');
    const late = browser.submit(page, { decision: 'allow' }, '/consent');
    await held.reached();
    await retireIdsOf(login);
    await held.release();
    expect((await late).status).toBe(409);
    expect(await opens(copyOf(browser))).toBe(false);
  });

  test('and the other cookies of a browser give no access by themselves', async () => {
    const browser = await signedIn();
    const others = browser.cookies().filter(({ name }) => !name.startsWith('latchkey_session'));
    expect(others.map(({ name }) => name)).toContain('latchkey_device');
    const cookie = others.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect([await opens(cookie), await authorizes(cookie)]).toEqual([false, false]);
  });
});
