import * as oidc from 'openid-client';
import { clientSecrets, redirectUri } from '../../../support/installation.ts';
import { startLatchkey } from '../../../support/latchkey.ts';
import { authorizationRequest, discover, signIn } from '../../../support/openid-client.ts';
import type { Page } from '../../../support/user-agent.ts';

const latchkey = startLatchkey();
const webApp = () => discover(latchkey, 'web-app', oidc.ClientSecretBasic(clientSecrets['web-app']));
const isSignInPage = ({ html }: Page) => html.includes('name="password"');
const answerTo = ({ page }: { page: Page }) => new URL(page.url).searchParams;

describe('an app that uses openid-client', () => {
  test('finds the same metadata at both well-known addresses (RFC 8414 §3)', async () => {
    const found = (await webApp()).serverMetadata();
    const byRfc8414 = await discover(latchkey, 'web-app', oidc.None(), 'oauth2');
    expect({ ...byRfc8414.serverMetadata() }).toEqual({ ...found });
    expect(found).toMatchObject({
      issuer: latchkey.issuer,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      revocation_endpoint_auth_methods_supported: found.token_endpoint_auth_methods_supported,
      authorization_response_iss_parameter_supported: true,
    });
  });

  test('reads from a signed ID token who signed in, and from userinfo what they shared', async () => {
    const config = await webApp();
    const tokens = await (await signIn(latchkey, config)).tokens();
    const claims = tokens.claims();
    expect(claims).toMatchObject({
      iss: latchkey.issuer,
      aud: 'web-app',
      sub: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await oidc.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')).toEqual({
      sub: claims?.sub,
      name: 'Alice Example',
      preferred_username: 'alice',
      updated_at: expect.any(Number),
      email: 'alice@example.com',
      email_verified: false,
    });
  });

  test('keeps a user signed in by refreshing', async () => {
    const config = await webApp();
    const first = await (await signIn(latchkey, config)).tokens();
    const next = await oidc.refreshTokenGrant(config, first.refresh_token ?? '');
    expect(next).toMatchObject({ scope: 'openid profile email', refresh_token: expect.stringMatching(/^lk_rt_/) });
    expect(next.refresh_token).not.toBe(first.refresh_token);
    expect(next.access_token).not.toBe(first.access_token);
    expect(next.claims()).toMatchObject({ sub: first.claims()?.sub, aud: 'web-app', nonce: first.claims()?.nonce });
  });

  test('gets with a refresh the scopes it requests, and no more than it had (RFC 6749 §6)', async () => {
    const config = await webApp();
    const first = await (await signIn(latchkey, config, { parameters: { scope: 'openid profile' } })).tokens();
    const sub = first.claims()?.sub ?? '';
    const narrow = await oidc.refreshTokenGrant(config, first.refresh_token ?? '', { scope: 'openid' });
    expect(narrow.scope).toBe('openid');
    expect(await oidc.fetchUserInfo(config, narrow.access_token, sub)).toEqual({ sub });
    await expect(
      oidc.refreshTokenGrant(config, narrow.refresh_token ?? '', { scope: 'openid email' }),
    ).rejects.toMatchObject({ status: 400, error: 'invalid_scope' });
    const again = await oidc.refreshTokenGrant(config, narrow.refresh_token ?? '');
    expect(again.scope).toBe('openid profile');
  });

  test('sees its own tokens as active until it revokes them (RFC 7662 §2.2, RFC 7009 §2.1)', async () => {
    const config = await webApp();
    const { access_token, refresh_token = '', claims } = await (await signIn(latchkey, config)).tokens();
    const { sub } = claims() ?? {};
    const told = { sub, username: 'alice', scope: 'openid profile email' };
    const common = { active: true, client_id: 'web-app', iss: latchkey.issuer, ...told };
    expect(await oidc.tokenIntrospection(config, access_token)).toEqual({
      ...common,
      token_type: 'Bearer',
      iat: expect.any(Number),
      exp: expect.any(Number),
      ...{ acr: 'urn:latchkey:acr:one-factor', amr: ['pwd'], auth_time: expect.any(Number) },
    });
    expect(await oidc.tokenIntrospection(config, refresh_token)).toMatchObject(common);

    await oidc.tokenRevocation(config, access_token);
    expect(await oidc.tokenIntrospection(config, access_token)).toEqual({ active: false });
    const next = await oidc.refreshTokenGrant(config, refresh_token);
    await oidc.tokenRevocation(config, next.refresh_token ?? '');
    expect(await oidc.tokenIntrospection(config, next.access_token)).toEqual({ active: false });
    await expect(oidc.refreshTokenGrant(config, next.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('gets the code by a form post when it asks for form_post', async () => {
    const config = await webApp();
    const { url, checks } = await authorizationRequest(config, { response_mode: 'form_post' });
    const page = await latchkey.visit(latchkey.browser(), url.href);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.html).toContain(`<form method="post" action="${redirectUri}">`);
    const inputs = [...page.html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    const answer = new Request(redirectUri, { method: 'POST', body: new URLSearchParams(Object.fromEntries(inputs)) });
    expect(await oidc.authorizationCodeGrant(config, answer, checks)).toMatchObject({ scope: 'openid profile email' });
  });
});

describe('an app that controls the sign-in', () => {
  test('gets a code with prompt=none if the user is signed in and consented', async () => {
    const config = await webApp();
    const browser = latchkey.browser();
    const first = await (await signIn(latchkey, config, { browser })).tokens();
    const { url, checks } = await authorizationRequest(config, { prompt: 'none' });
    const page = await browser.get(url.href);
    const tokens = await oidc.authorizationCodeGrant(config, new URL(page.url), checks);
    expect(tokens.claims()?.sub).toBe(first.claims()?.sub);
  });

  test('gets an error with prompt=none if no one is signed in, or consent is missing', async () => {
    const config = await webApp();
    const browser = latchkey.browser();
    const quiet = { prompt: 'none' };
    const refused = await signIn(latchkey, config, { browser, parameters: quiet });
    expect(answerTo(refused).get('error')).toBe('login_required');
    await expect(refused.tokens()).rejects.toMatchObject({ error: 'login_required' });

    await signIn(latchkey, config, { browser, login: 'bob', parameters: { scope: 'openid' } });
    const more = await signIn(latchkey, config, { browser, parameters: { ...quiet, scope: 'openid email' } });
    await expect(more.tokens()).rejects.toMatchObject({ error: 'consent_required' });
  });

  test('requires a new sign-in with prompt=login, with any account', async () => {
    const config = await webApp();
    const browser = latchkey.browser();
    const alice = await (await signIn(latchkey, config, { browser })).tokens();
    const parameters = { prompt: 'login', login_hint: 'bob@example.com' };
    const page = await browser.get((await authorizationRequest(config, parameters)).url.href);
    expect(isSignInPage(page)).toBe(true);
    expect(page.html).toContain('value="bob@example.com"');
    const bob = await (await signIn(latchkey, config, { browser, login: 'bob', parameters })).tokens();
    expect(bob.claims()?.sub).not.toBe(alice.claims()?.sub);
    expect(await oidc.fetchUserInfo(config, bob.access_token, bob.claims()?.sub ?? '')).toMatchObject({
      email: 'bob@example.com',
    });
  });

  test('requires a new sign-in when the last one is older than max_age', async () => {
    const config = await webApp();
    const browser = latchkey.browser();
    const parameters = { max_age: '600' };
    const first = await (await signIn(latchkey, config, { browser, parameters })).tokens();
    const soon = await browser.get((await authorizationRequest(config, parameters)).url.href);
    expect(isSignInPage(soon)).toBe(false);
    await latchkey.advance(601);
    const later = await browser.get((await authorizationRequest(config, parameters)).url.href);
    expect(isSignInPage(later)).toBe(true);
    const again = await (await signIn(latchkey, config, { browser, parameters })).tokens();
    expect(Number(again.claims()?.auth_time) - Number(first.claims()?.auth_time)).toBeGreaterThan(600);
  });

  test('gets no other user than the id_token_hint names', async () => {
    const config = await webApp();
    const [browser, other] = [latchkey.browser(), latchkey.browser()];
    const alice = await (await signIn(latchkey, config, { browser })).tokens();
    const bob = await (await signIn(latchkey, config, { browser: other, login: 'bob' })).tokens();
    const hint = (id_token = '') => ({ prompt: 'none', id_token_hint: id_token });
    const same = await signIn(latchkey, config, { browser, parameters: hint(alice.id_token) });
    expect((await same.tokens()).claims()?.sub).toBe(alice.claims()?.sub);
    const different = await signIn(latchkey, config, { browser, parameters: hint(bob.id_token) });
    await expect(different.tokens()).rejects.toMatchObject({ error: 'login_required' });
  });
});

describe('signing out with openid-client', () => {
  const signedOut = 'https://client.example/signed-out';
  const logoutUrl = (config: oidc.Configuration, id_token_hint = '', more = {}) =>
    oidc.buildEndSessionUrl(config, { id_token_hint, post_logout_redirect_uri: signedOut, state: 'bye', ...more }).href;

  test('ends the session and its tokens, and redirects to the client (RP-Initiated Logout §2)', async () => {
    const config = await webApp();
    const browser = latchkey.browser();
    const tokens = await (await signIn(latchkey, config, { browser })).tokens();
    const question = await browser.get(logoutUrl(config, tokens.id_token));
    expect(await oidc.tokenIntrospection(config, tokens.access_token)).toMatchObject({ active: true });
    const page = await browser.submit(question, { logout: 'yes' }, '/oauth/logout');
    expect(page.url).toBe(`${signedOut}?state=bye`);

    const after = await signIn(latchkey, config, { browser, parameters: { prompt: 'none' } });
    await expect(after.tokens()).rejects.toMatchObject({ error: 'login_required' });
    expect(await oidc.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
    await expect(oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('keeps the refresh token of a client that was allowed offline_access (OpenID Connect Core §11)', async () => {
    const config = await webApp();
    const browser = latchkey.browser();
    const parameters = { scope: 'openid offline_access', prompt: 'consent' };
    const tokens = await (await signIn(latchkey, config, { browser, parameters })).tokens();
    expect(tokens.scope).toBe('openid offline_access');
    await browser.submit(await browser.get(logoutUrl(config, tokens.id_token)), { logout: 'yes' }, '/oauth/logout');
    expect(await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).toMatchObject({
      scope: 'openid offline_access',
    });
  });

  test('requires the confirmation of the user, and redirects only to a registered address', async () => {
    const config = await webApp();
    const browser = latchkey.browser();
    const { id_token } = await (await signIn(latchkey, config, { browser })).tokens();
    const elsewhere = logoutUrl(config, id_token, { post_logout_redirect_uri: 'https://evil.example/' });
    expect(await browser.get(elsewhere)).toMatchObject({ status: 400, url: elsewhere });
    const page = await browser.submit(await browser.get(logoutUrl(config, id_token)), {}, '/oauth/logout');
    expect(page.url).toBe(`${signedOut}?state=bye`);
    expect(isSignInPage(await browser.get((await authorizationRequest(config)).url.href))).toBe(false);
  });
});

describe('a native app that uses openid-client', () => {
  test.each(['localhost', '127.0.0.1', '[::1]'])('gets its code on any port of %s (RFC 8252 §7.3)', async (host) => {
    const config = await discover(latchkey, 'native');
    const port = 49_152 + Math.floor(Math.random() * 16_000);
    const parameters = { redirect_uri: `http://${host}:${port}/callback`, scope: 'openid profile' };
    const browser = latchkey.browser();
    const tokens = await (await signIn(latchkey, config, { browser, parameters })).tokens();
    const logout = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '' });
    await browser.submit(await browser.get(logout.href), { logout: 'yes' }, '/oauth/logout');
    expect(await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).toMatchObject({
      scope: 'openid profile',
    });
  });

  test('gets no code at another path, nor at another host (RFC 8252 §8.1)', async () => {
    const config = await discover(latchkey, 'native');
    for (const redirect_uri of [
      'http://127.0.0.1:5000/other',
      'http://127.0.0.2:5000/callback',
      'http://localhost.example:5000/callback',
    ]) {
      const { page } = await signIn(latchkey, config, { parameters: { redirect_uri } });
      expect(page).toMatchObject({ status: 400, url: expect.stringContaining(`${latchkey.issuer}/oauth/authorize?`) });
    }
  });
});
