import { generateSync } from 'otplib';
import { asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { MailServer, plain } from '../../support/mail-server.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const oneFactor = 'urn:latchkey:acr:one-factor';
const twoFactor = 'urn:latchkey:acr:two-factor';

describe('a second factor', () => {
  let mail: MailServer;
  const latchkey = startLatchkey({
    prepare: async () => {
      mail = await MailServer.open();
      return { env: mail.settings };
    },
  });
  // Clocks move by more than a token lives.
  const owner = () => asOwner(latchkey);
  afterAll(() => mail.close());

  /** The clocks move, so that a code is new. */
  const codeOf = async (secret: string) => {
    await latchkey.advance(60);
    const { rows } = await latchkey.database.query('select extract(epoch from latchkey_now())::int as epoch');
    return generateSync({ secret, epoch: rows[0]?.epoch });
  };
  const newPerson = async () => {
    const username = `p-${crypto.randomUUID().slice(0, 8)}`;
    const { status } = await (await owner()).post('/users', { username, email: `${username}@example.com`, password });
    expect(status).toBe(201);
    return username;
  };
  const enterPassword = async (browser: UserAgent, login: string, at = '/sign-in') =>
    browser.submit(await browser.get(at), { login, password }, '/sign-in');
  const enterCode = (browser: UserAgent, page: Page, code: string) => browser.submit(page, { code }, '/sign-in');
  const isIn = (page: Page) => page.url === `${latchkey.issuer}/account`;

  /** Somebody with an authenticator app, signed in with a browser. */
  const withApp = async () => {
    const username = await newPerson();
    const browser = latchkey.browser();
    await enterPassword(browser, username);
    const form = await browser.get('/account/security/app/new');
    const secret = keyOn(form);
    const done = await browser.submit(form, { code: await codeOf(secret) }, '/app/new');
    expect(done.html).toContain('The authenticator app is set up.');
    return { username, browser, secret };
  };
  const keyOn = ({ html }: Page) => (/Key: ([A-Z2-7 ]+)</.exec(html)?.[1] ?? '').replaceAll(' ', '');
  const recoveryCodes = async (browser: UserAgent) => {
    const page = await browser.submit(await browser.get('/account/security/recovery-codes/new'), {}, '/recovery-codes');
    return page.html.match(/\b[a-z2-9]{5}(-[a-z2-9]{5}){3}\b/g) ?? [];
  };
  const tokensOf = async (username: string, secret: string | undefined, options = {}) => {
    const browser = latchkey.browser();
    const code_verifier = 'v'.repeat(43);
    const url = latchkey.authorizeUrl({ code_verifier, ...options });
    let page = await browser.submit(await browser.get(url), { login: username, password }, '/sign-in');
    if (secret) page = await enterCode(browser, page, await codeOf(secret));
    if (page.html.includes('value="allow"')) page = await browser.submit(page, { decision: 'allow' }, '/consent');
    const { searchParams } = new URL(page.url);
    return { page, browser, error: searchParams.get('error'), code: searchParams.get('code') ?? '', code_verifier };
  };

  test('is asked for after the password, and each code counts once (RFC 6238 §5.2)', async () => {
    const { username, secret } = await withApp();
    const browser = latchkey.browser();
    const step = await enterPassword(browser, username);
    expect(step.html).toContain('Confirm that it’s you');
    expect(isIn(await browser.get('/account'))).toBe(false);
    const code = await codeOf(secret);
    const wrong = await enterCode(browser, step, code === '000000' ? '000001' : '000000');
    expect([wrong.status, wrong.html.includes('The code is wrong')]).toEqual([422, true]);
    expect(isIn(await enterCode(browser, wrong, ` ${code.slice(0, 3)} ${code.slice(3)} `))).toBe(true);

    const other = latchkey.browser();
    const again = await enterCode(other, await enterPassword(other, username), code);
    expect([again.status, isIn(await other.get('/account'))]).toEqual([422, false]);
    const told = await latchkey.auditEvents('session.refused');
    expect(told.filter(({ reason }) => reason === 'wrong code').length).toBeGreaterThan(0);
  });

  test('is judged once where thirty browsers send the same code', async () => {
    const { username, secret } = await withApp();
    const browsers = Array.from({ length: 8 }, () => latchkey.browser());
    const steps = await Promise.all(browsers.map((browser) => enterPassword(browser, username)));
    const code = await codeOf(secret);
    const pages = await Promise.all(browsers.map((browser, n) => enterCode(browser, steps[n] as Page, code)));
    expect(pages.filter(isIn)).toHaveLength(1);
  });

  test('has recovery codes in its place, each of which counts once, and is told by e-mail', async () => {
    const { username, browser } = await withApp();
    const codes = await recoveryCodes(browser);
    expect(new Set(codes).size).toBe(10);
    const [first = '', second = ''] = codes;
    const pages = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const elsewhere = latchkey.browser();
        return enterCode(elsewhere, await enterPassword(elsewhere, username), first.toUpperCase());
      }),
    );
    expect(pages.filter(isIn)).toHaveLength(1);
    expect((await recoveryCodes(browser)).length).toBe(10);
    const later = latchkey.browser();
    expect(isIn(await enterCode(later, await enterPassword(later, username), second))).toBe(false);
    const letters = await eventually(
      async () =>
        mail.letters.filter(({ to }) => to[0] === `${username}@example.com`).map(({ source }) => plain(source)),
      (found) =>
        ['A recovery code was used', 'An authenticator app was set up'].every((words) => found.join().includes(words)),
    );
    expect(letters.join()).toContain('tell an administrator');
  });

  test('cannot be tried more than ten times in a quarter of an hour, from wherever', async () => {
    const { username, secret } = await withApp();
    const browser = latchkey.browser();
    let page = await enterPassword(browser, username);
    for (let guess = 0; guess < 11; guess += 1) page = await enterCode(browser, page, '000000');
    expect(page.status).toBe(429);
    const other = latchkey.browser();
    const code = await codeOf(secret);
    expect((await enterCode(other, await enterPassword(other, username), code)).status).toBe(429);
    await latchkey.advance(16 * 60);
    const later = latchkey.browser();
    expect(isIn(await enterCode(later, await enterPassword(later, username), await codeOf(secret)))).toBe(true);
  });

  test('is not skipped with the step of another browser, of another user, or from before a new password', async () => {
    const { username, secret } = await withApp();
    const mine = await withApp();
    const stepOf = async (browser: UserAgent) =>
      /name="pending" value="([^"]+)"/.exec((await enterPassword(browser, username)).html)?.[1] ?? '';
    const [victim, attacker] = [latchkey.browser(), latchkey.browser()];
    const pending = await stepOf(victim);
    const own = await enterPassword(attacker, mine.username);
    const stolen = await attacker.post(
      '/sign-in',
      new URLSearchParams({ csrf: csrfOf(own), pending, code: await codeOf(secret) }),
    );
    expect(stolen.html).toContain('This took too long');
    // The code of one user is no code of another.
    expect((await enterCode(attacker, own, await codeOf(secret))).status).toBe(422);

    const step = await enterPassword(victim, username);
    const { body } = await (await owner()).post(`/users/username:${username}/password`, {
      password: 'another good password',
    });
    expect(body).toEqual({});
    expect((await enterCode(victim, step, await codeOf(secret))).html).toContain('This took too long');
    await latchkey.advance(11 * 60);
  });
  const csrfOf = ({ html }: Page) => /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';

  test('is what a sensitive action asks for, instead of the password', async () => {
    const { browser, secret } = await withApp();
    await latchkey.advance(11 * 60);
    const form = await browser.get('/account/security/app/remove');
    expect(form.html).not.toContain('password_again');
    const refused = await browser.submit(form, { password_again: password }, '/app/remove');
    expect(refused.status).toBe(422);
    const removed = await browser.submit(refused, { code: await codeOf(secret) }, '/app/remove');
    expect(removed.html).toContain('The sign-in method is removed.');
  });

  test('is set up only after a fresh proof, with a code of the same secret', async () => {
    const username = await newPerson();
    const browser = latchkey.browser();
    await enterPassword(browser, username);
    await latchkey.advance(11 * 60);
    const asked = await browser.get('/account/security/app/new');
    expect([keyOn(asked), asked.html.includes('First confirm')]).toEqual(['', true]);
    const form = await browser.submit(asked, { password_again: password }, '/app/new');
    const secret = keyOn(form);
    const wrong = await browser.submit(form, { code: '000000' }, '/app/new');
    expect([wrong.status, keyOn(wrong)]).toEqual([400, secret]);
    expect((await browser.submit(wrong, { code: await codeOf(secret) }, '/app/new')).html).toContain('is set up');
    expect((await browser.submit(wrong, { code: await codeOf(secret) }, '/app/new')).status).toBe(409);
  });

  test('makes acr and amr true in every token, also after a refresh (OpenID Connect Core §2; RFC 9470 §6)', async () => {
    const { username, secret } = await withApp();
    const { code, code_verifier } = await tokensOf(username, secret);
    const { redirect_uri } = await latchkey.code();
    const { body } = await latchkey.redeem({ code, code_verifier, redirect_uri, client_id: 'web-app' });
    const expected = { acr: twoFactor, amr: ['pwd', 'otp', 'mfa'] };
    expect(claimsOf(body.id_token)).toMatchObject(expected);
    const introspected = await latchkey.post('/oauth/introspect', { token: body.access_token }, 'web-app');
    expect(introspected.body).toMatchObject({ ...expected, auth_time: expect.any(Number) });
    const refreshed = await latchkey.refresh(body.refresh_token);
    expect(claimsOf(refreshed.body.id_token)).toMatchObject(expected);
    const plainTokens = await latchkey.tokens();
    expect(claimsOf(plainTokens.id_token)).toMatchObject({ acr: oneFactor, amr: ['pwd'] });
  });
  const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());

  test('is required by acr_values: one who is signed in with less signs in again (RFC 9470 §5)', async () => {
    const plainPerson = await newPerson();
    const unmet = await tokensOf(plainPerson, undefined, { acr_values: `unknown ${twoFactor}` });
    expect(unmet.page.html).toContain('requires a second factor');
    const back = await unmet.browser.submit(unmet.page, { decision: 'cancel' }, '/sign-in');
    expect(new URL(back.url).searchParams.get('error')).toBe('unmet_authentication_requirements');

    const { username, secret } = await withApp();
    const met = await tokensOf(username, secret, { acr_values: twoFactor });
    expect(met.code).not.toBe('');
    const silent = await met.browser.get(latchkey.authorizeUrl({ acr_values: 'phr', prompt: 'none' }));
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
    const asked = await met.browser.get(latchkey.authorizeUrl({ acr_values: 'phr' }));
    expect(asked.html).toContain('asks you to sign in with a second factor or a passkey');
    const essential = JSON.stringify({ id_token: { acr: { essential: true, values: [oneFactor] } } });
    expect(
      new URL(
        (await met.browser.get(latchkey.authorizeUrl({ claims: essential, prompt: 'none' }))).url,
      ).searchParams.get('error'),
    ).not.toBe('login_required');
  });

  test('is not skipped with a link to choose a password', async () => {
    const { username, secret } = await withApp();
    const { rows } = await latchkey.database.query(`update users set email = null where username = $1 returning id`, [
      username,
    ]);
    const { body } = await (await owner()).post(`/users/id:${rows[0].id}/password-link`);
    const browser = latchkey.browser();
    const chosen = { password: 'a new good password', password_repeated: 'a new good password' };
    const after = await browser.submit(await browser.get(String(body.url)), chosen, '/password/');
    expect([after.url, isIn(await browser.get('/account'))]).toEqual([`${latchkey.issuer}/sign-in`, false]);
    const step = await browser.submit(after, { login: username, password: chosen.password }, '/sign-in');
    expect(isIn(await enterCode(browser, step, await codeOf(secret)))).toBe(true);
  });

  test('is removed by an administrator who holds all that the user holds, which signs them out', async () => {
    const { username, browser } = await withApp();
    const { items } = (await (await owner()).get(`/users/username:${username}/factors`)).body as {
      items: { kind: string }[];
    };
    expect(items.map(({ kind }) => kind)).toEqual(['password', 'totp']);
    expect(JSON.stringify(items)).not.toMatch(/secret|sealed|hash/);
    const { body } = await (await owner()).post(`/users/username:${username}/reset-factors`);
    expect(body).toEqual({ removed: 1 });
    expect(isIn(await browser.get('/account'))).toBe(false);
    expect(isIn(await enterPassword(latchkey.browser(), username))).toBe(true);
    const events = await latchkey.auditEvents('user.factors_reset');
    expect(events).toHaveLength(1);
  });

  test('leaves no secret readable in the database', async () => {
    const { username, secret, browser } = await withApp();
    const codes = await recoveryCodes(browser);
    const { rows } = await latchkey.database.query(
      `select row_to_json(f)::text as text from factors f join users u on u.id = f.user_id where u.username = $1`,
      [username],
    );
    const stored = rows.map(({ text }) => text).join();
    for (const each of [secret, ...codes]) expect(stored).not.toContain(each);
    const hex = Buffer.from(secret).toString('hex');
    expect(stored).not.toContain(hex);
  });
});
