import { startLatchkey } from '../../support/latchkey.ts';

const refused = { status: 400, body: { error: 'invalid_grant' } };

describe('signing out', () => {
  const latchkey = startLatchkey();
  const signOut = async (browser: ReturnType<typeof latchkey.browser>) =>
    browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });

  test('revokes the tokens of that browser session, and of no other', async () => {
    const browser = latchkey.browser();
    const here = await latchkey.tokens({}, browser);
    const elsewhere = await latchkey.tokens();
    await signOut(browser);
    expect(await latchkey.isActive(here.access_token)).toBe(false);
    expect(await latchkey.refresh(here.refresh_token)).toMatchObject(refused);
    expect(await latchkey.isActive(elsewhere.access_token)).toBe(true);
    expect(await latchkey.refresh(elsewhere.refresh_token)).toMatchObject({ status: 200 });
  });

  test('keeps the consent, so the next sign-in asks nothing more', async () => {
    const browser = latchkey.browser();
    await latchkey.tokens({}, browser);
    await signOut(browser);
    let page = await browser.get(latchkey.authorizeUrl());
    expect(page.html).toContain('name="password"');
    page = await browser.submit(page, { login: 'alice', password: 'correct horse battery staple' }, '/sign-in');
    expect(new URL(page.url).searchParams.get('code')).toMatch(/^lk_ac_/);
  });

  test('keeps tokens with offline_access, and those of native apps (they outlive the browser session)', async () => {
    for (const options of [
      { scope: 'openid offline_access read', prompt: 'consent' },
      { client_id: 'native', redirect_uri: 'http://127.0.0.1:4711/callback', scope: 'openid read' },
    ]) {
      const browser = latchkey.browser();
      const { access_token, refresh_token } = await latchkey.tokens(options, browser);
      await signOut(browser);
      const client_id = options.client_id ?? 'web-app';
      expect(await latchkey.isActive(access_token, client_id)).toBe(true);
      expect(await latchkey.refresh(refresh_token, client_id)).toMatchObject({ status: 200 });
    }
  });

  test('of an app only asks the user first, and declining keeps the session', async () => {
    const browser = latchkey.browser();
    const { id_token } = await latchkey.tokens({}, browser);
    const query = new URLSearchParams({
      id_token_hint: id_token,
      post_logout_redirect_uri: 'https://client.example/signed-out',
      state: 's',
    });
    const page = await browser.get(`/oauth/logout?${query}`);
    expect(page.html).toContain('Sign out of');
    const stayed = await browser.submit(page, {});
    expect(stayed.url).toBe('https://client.example/signed-out?state=s');
    expect((await browser.get('/account')).url).toBe(`${latchkey.issuer}/account`);
  });
});

describe('revoking a consent', () => {
  const latchkey = startLatchkey();

  test('revokes every token under it at once, in every session, and the client has to ask again', async () => {
    const browser = latchkey.browser();
    const here = await latchkey.tokens({}, browser);
    const elsewhere = await latchkey.tokens({ scope: 'openid offline_access read', prompt: 'consent' });
    const code = await latchkey.code({}, browser);
    const apps = await browser.get('/account/apps');
    const link = /href="(\/account\/apps\/[^"]+\/revoke-access)"/.exec(apps.html)?.[1] ?? '';
    const asked = await browser.get(link);
    expect((await browser.get(link.replace('revoke-access', 'take-back'))).url).toBe(asked.url);
    expect(asked.html).toContain('2 long-lived connections');
    await browser.submit(asked, {}, '/revoke-access');

    for (const { access_token, refresh_token } of [here, elsewhere]) {
      expect(await latchkey.isActive(access_token)).toBe(false);
      expect(await latchkey.refresh(refresh_token)).toMatchObject(refused);
    }
    expect(await latchkey.redeem(code)).toMatchObject(refused);
    expect((await browser.get(latchkey.authorizeUrl())).html).toContain('value="allow"');
    expect(await latchkey.auditEvents('consent.revoked')).toHaveLength(1);
  });

  test('is only possible for the user who gave it', async () => {
    await latchkey.tokens();
    const { rows } = await latchkey.database.query('select id from consents where revoked_at is null');
    const bob = latchkey.browser();
    await bob.submit(await bob.get('/sign-in'), { login: 'bob', password: 'correct horse battery staple' });
    const page = await bob.get(`/account/apps/${rows[0].id}/revoke-access`);
    expect(page.status).toBe(404);
    expect(page.html).not.toContain('Shop');
  });
});

describe('changing the password', () => {
  const latchkey = startLatchkey();

  test('ends all other sessions and apps of the user, keeps this browser signed in, and the old password stops working', async () => {
    const browser = latchkey.browser();
    const mine = await latchkey.tokens({}, browser);
    const other = latchkey.browser();
    const theirs = await latchkey.tokens({ scope: 'openid offline_access read', prompt: 'consent' }, other);
    const fields = {
      current_password: 'correct horse battery staple',
      password: 'another good password',
      password_repeated: 'another good password',
    };
    const changed = await browser.submit(await browser.get('/account/password'), fields, '/password');
    expect(changed.html).toContain('Password changed');

    expect((await browser.get('/account')).url).toBe(`${latchkey.issuer}/account`);
    expect((await other.get('/account')).url).toContain('/sign-in');
    expect(await latchkey.isActive(theirs.access_token)).toBe(false);
    expect(await latchkey.refresh(theirs.refresh_token)).toMatchObject(refused);
    expect(await latchkey.isActive(mine.access_token)).toBe(true);
    const again = latchkey.browser();
    const wrong = await again.submit(await again.get('/sign-in'), {
      login: 'alice',
      password: 'correct horse battery staple',
    });
    expect(wrong.status).toBe(422);
  });
});
