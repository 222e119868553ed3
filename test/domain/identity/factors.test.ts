import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oidc from 'openid-client';
import { generateSync } from 'otplib';
import { createGuard, nodeGuard } from '../../../packages/guard/src/index.ts';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { api, clientSecrets, jwtApi, password, redirectUri } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';
import { MailServer, plain } from '../../support/mail-server.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const oneFactor = 'urn:latchkey:acr:one-factor';
const twoFactor = 'urn:latchkey:acr:two-factor';

describe('a second factor', () => {
  let mail: MailServer;
  const latchkey = startLatchkey({
    prepare: async () => {
      mail = await MailServer.open();
      return { env: { ...mail.settings, LATCHKEY_NEW_BROWSER_MAIL: 'on' } };
    },
  });
  // The clock moves by more than the lifetime of a token.
  const owner = () => asOwner(latchkey);
  afterAll(() => mail.close());

  /** Moves the clocks, so that the code is new. */
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

  /** A user with an authenticator app, signed in with a browser. */
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
  const keyOn = ({ html }: Page) => (/Key: (?:<code>)?([A-Z2-7 ]+)</.exec(html)?.[1] ?? '').replaceAll(' ', '');
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

  test('is required after the password, and each code is accepted once (RFC 6238 §5.2)', async () => {
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

  test('is accepted one time step early or late, and no more (RFC 6238 §5.2)', async () => {
    const { username, secret } = await withApp();
    // At the start of a step, some steps after the code of the setup.
    await latchkey.advance(120 - (latchkey.seconds % 30));
    const { seconds } = latchkey;
    const isAccepted = async (steps: number) => {
      const browser = latchkey.browser();
      const code = generateSync({ secret, epoch: seconds + steps * 30 });
      return isIn(await enterCode(browser, await enterPassword(browser, username), code));
    };
    const accepted: boolean[] = [];
    for (const steps of [-2, 2, -1, 1]) accepted.push(await isAccepted(steps));
    expect(accepted).toEqual([false, false, true, true]);
  });

  test('is accepted once when thirty browsers send the same code', async () => {
    const { username, secret } = await withApp();
    const browsers = Array.from({ length: 30 }, () => latchkey.browser());
    const steps = await Promise.all(browsers.map((browser) => enterPassword(browser, username)));
    const code = await codeOf(secret);
    const pages = await Promise.all(browsers.map((browser, n) => enterCode(browser, steps[n] as Page, code)));
    expect(pages.filter(isIn)).toHaveLength(1);
  });

  test('can be replaced by recovery codes; each is accepted once and reported by e-mail', async () => {
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

  test('cannot be tried more than ten times in a quarter of an hour, from any address', async () => {
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

  test('is not skipped with the state of another browser, of another user, or from before a new password', async () => {
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
    // The code of one user is not accepted for another.
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

  test('is required for a sensitive action, instead of the password', async () => {
    const { browser, secret } = await withApp();
    await latchkey.advance(11 * 60);
    const form = await browser.get('/account/security/app/remove');
    expect(form.html).not.toContain('password_again');
    const refused = await browser.submit(form, { password_again: password }, '/app/remove');
    expect(refused.status).toBe(422);
    const removed = await browser.submit(refused, { code: await codeOf(secret) }, '/app/remove');
    expect(removed.html).toContain('The sign-in method is removed.');
  });

  test('is required before the password is changed, once the last proof is ten minutes old', async () => {
    const { username, browser, secret } = await withApp();
    await latchkey.advance(11 * 60);
    const chosen = 'eleven purple lanterns';
    const typed = { current_password: password, password: chosen, password_repeated: chosen };
    const refused = await browser.submit(await browser.get('/account/password'), typed, '/account/password');
    expect([refused.status, refused.html.includes('name="code"')]).toEqual([422, true]);
    const wrong = await browser.submit(refused, { ...typed, code: '000000' }, '/account/password');
    expect(wrong.status).toBe(422);
    const done = await browser.submit(wrong, { ...typed, code: await codeOf(secret) }, '/account/password');
    expect([done.status, isIn(await browser.get('/account'))]).toEqual([200, true]);
    const other = latchkey.browser();
    const step = await other.submit(await other.get('/sign-in'), { login: username, password: chosen }, '/sign-in');
    expect(step.html).toContain('name="pending"');
  });

  test('does not replace notices: a first sign-in with a browser is recorded and reported by e-mail', async () => {
    const username = await newPerson();
    const id = (await (await owner()).get(`/users/username:${username}`)).body.id;
    const told = () =>
      mail.letters.filter(({ to, source }) => to[0] === `${username}@example.com` && source.includes('New sign-in'));
    const recorded = async () =>
      (await latchkey.auditEvents('user.new_browser')).filter(({ target_id }) => target_id === id);
    const browser = latchkey.browser();
    for (const _ of ['first', 'again']) expect(isIn(await enterPassword(browser, username))).toBe(true);
    // A wrong password sends no notice.
    await browser.submit(await latchkey.browser().get('/sign-in'), { login: username, password: 'wrong' }, '/sign-in');
    expect(await recorded()).toHaveLength(1);
    await enterPassword(latchkey.browser(), username);
    expect(await recorded()).toMatchObject([{ address: expect.any(String) }, {}]);
    const letters = await eventually(told, ({ length }) => length >= 2);
    expect(letters).toHaveLength(2);
    expect(plain(letters[0]?.source ?? '')).toMatch(/from the address 127\.0\.0\.1, on .* UTC\. If it was you/);
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

  test('is required by acr_values: a user signed in with less signs in again (RFC 9470 §5)', async () => {
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

  /** Two APIs whose routes need a second factor, one for opaque tokens and one for JWTs; the former also a recent sign-in. */
  const guardedApis = async () => {
    const gateway = await Gateway.open(latchkey, await owner());
    const { key } = await gateway.mint({ permissions: ['latchkey:verify'] });
    const guardOf = (resource: string) =>
      nodeGuard(createGuard({ issuer: latchkey.issuer, resource, key, cacheMs: 0 }));
    const [opaque, jwt] = [guardOf(api), guardOf(jwtApi)];
    const server = createServer(async (request, response) => {
      const who =
        request.url === '/orders'
          ? await opaque(request, response, { permission: 'read', acr_values: twoFactor, max_age: 300 })
          : await jwt(request, response, { permission: 'report:read', acr_values: twoFactor });
      if (who) response.end(JSON.stringify(who));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const close = () => new Promise((resolve) => server.close(resolve));
    return { gateway, key, at: (path: string) => new URL(path, `http://127.0.0.1:${port}`), close };
  };
  type Challenge = { status: number; parameters: Record<string, string | undefined> };

  test('is required by an API, with a challenge that a client library turns into a request (RFC 9470)', async () => {
    const apis = await guardedApis();
    const config = await oidc.discovery(
      new URL(latchkey.issuer),
      'web-app',
      {},
      oidc.ClientSecretBasic(clientSecrets['web-app']),
      { execute: [oidc.allowInsecureRequests] },
    );
    const { username, browser, secret } = await withApp();
    const plainPerson = await newPerson();
    const challengeAt = async (path: string, token: string): Promise<Challenge> => {
      const refused = await oidc.fetchProtectedResource(config, token, apis.at(path), 'GET').catch((error) => error);
      expect(refused).toBeInstanceOf(oidc.WWWAuthenticateChallengeError);
      return { status: refused.status, parameters: refused.cause[0].parameters };
    };
    const tokenFor = async (
      person: { username: string; browser: UserAgent; secret?: string },
      resource: string,
      asked: Record<string, string> = {},
    ) => {
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
      const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
      const scope = resource === api ? 'openid read' : 'openid report:read';
      const pkce = { code_challenge, code_challenge_method: 'S256' };
      const url = oidc.buildAuthorizationUrl(config, { redirect_uri: redirectUri, resource, scope, ...pkce, ...asked });
      let page = await person.browser.get(url.href);
      if (page.html.includes('name="login"'))
        page = await person.browser.submit(page, { login: person.username, password }, '/sign-in');
      if (page.html.includes('name="pending"'))
        page = await enterCode(person.browser, page, await codeOf(person.secret ?? ''));
      if (page.html.includes('value="allow"'))
        page = await person.browser.submit(page, { decision: 'allow' }, '/consent');
      return (await oidc.authorizationCodeGrant(config, new URL(page.url), { pkceCodeVerifier })).access_token;
    };

    // The session of this browser began before the app was set up: with the password alone.
    const person = { username, browser, secret };
    for (const [path, resource, asked] of [
      ['/orders', api, { acr_values: twoFactor, max_age: '300' }],
      ['/reports', jwtApi, { acr_values: twoFactor }],
    ] as const) {
      const alone = { username: plainPerson, browser: latchkey.browser() };
      const weak = await tokenFor(alone, resource);
      const { status, parameters } = await challengeAt(path, weak);
      expect({ status, parameters }).toMatchObject({
        status: 401,
        parameters: { error: 'insufficient_user_authentication', ...asked },
      });
      const { acr_values = '', max_age } = parameters;
      const strong = await tokenFor(person, resource, { acr_values, ...(max_age && { max_age }) });
      const answer = await oidc.fetchProtectedResource(config, strong, apis.at(path), 'GET');
      expect(await answer.json()).toMatchObject({
        subject_kind: 'user',
        acr: twoFactor,
        auth_time: expect.any(Number),
      });
    }

    const token = await tokenFor(person, api, { acr_values: twoFactor });
    await latchkey.advance(301);
    expect((await challengeAt('/orders', token)).parameters).toMatchObject({ max_age: '300' });
    const again = await tokenFor(person, api, { acr_values: twoFactor, max_age: '300' });
    expect((await oidc.fetchProtectedResource(config, again, apis.at('/orders'), 'GET')).status).toBe(200);

    const verdict = { token: again, resource: api, permission: 'read' };
    expect(await apis.gateway.verify({ ...verdict, acr_values: twoFactor, max_age: 300 })).toMatchObject({
      code: 'valid',
      acr: twoFactor,
    });
    expect(await apis.gateway.verify({ ...verdict, acr_values: 'phr' })).toMatchObject({
      valid: false,
      code: 'insufficient_user_authentication',
    });
    expect((await apis.gateway.post({ ...verdict, acr_values: 'gold' })).status).toBe(400);
    const proxied = async (query: string, headers: Record<string, string>) => {
      const answer = await apis.gateway.forwardAuth(`?permission=read&resource=${api}&${query}`, headers);
      return [answer.status, answer.headers.get('www-authenticate') ?? ''] as const;
    };
    const bearer = { authorization: `Bearer ${again}` };
    expect((await proxied(`acr_values=${twoFactor}&max_age=300`, bearer))[0]).toBe(200);
    const [status, challenge] = await proxied('acr_values=phr&max_age=60', bearer);
    expect([status, challenge]).toEqual([401, expect.stringContaining('acr_values="phr", max_age="60"')]);
    expect(challenge).toContain('error="insufficient_user_authentication"');
    for (const query of ['acr_values=gold', 'max_age=soon', 'max_age=0'])
      expect((await proxied(query, bearer))[0]).toBe(400);
    // An API key or a service has no signed-in user.
    const { key } = await apis.gateway.mint({ permissions: ['read'] });
    expect((await proxied('max_age=60', { 'x-api-key': key }))[1]).toContain('insufficient_user_authentication');
    expect((await proxied('', { 'x-api-key': key }))[0]).toBe(200);
    const service = (await latchkey.clientCredentials()).body.access_token;
    expect((await challengeAt('/orders', service)).parameters.error).toBe('insufficient_user_authentication');
    await apis.close();
  });

  test('can be required by an API for every token of users, also by refresh, and by the registration of a client', async () => {
    const vault = 'https://vault.example';
    const scopes = [{ name: 'vault:open', description: 'Open the vault', default: true }];
    await (await owner()).post('/resource-servers', { identifier: vault, name: 'Vault', scopes });
    const { body: client } = await (await owner()).post('/clients', {
      client_id: 'keeper',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      scope: 'openid',
      resources: { [vault]: ['vault:open'] },
      service_permissions: { [vault]: ['vault:open'] },
      first_party: true,
    });
    const asKeeper = async (parameters: Record<string, string>) => {
      const response = await fetch(`${latchkey.issuer}/oauth/token`, {
        method: 'POST',
        headers: { authorization: basic('keeper', String(client.client_secret)) },
        body: new URLSearchParams(parameters),
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const flow = { client_id: 'keeper', resource: vault, scope: 'openid vault:open' };
    const redeem = ({ code, code_verifier }: { code: string; code_verifier: string }) =>
      asKeeper({ grant_type: 'authorization_code', code, code_verifier, redirect_uri: redirectUri });
    const plainPerson = await newPerson();
    const before = await tokensOf(plainPerson, undefined, flow);
    const weak = await redeem(before);
    expect(weak.status).toBe(200);
    const early = await tokensOf(plainPerson, undefined, flow);
    const required = { required_acr: twoFactor };
    expect((await (await owner()).patch(`/resource-servers/${encodeURIComponent(vault)}`, required)).status).toBe(200);

    // An earlier code and refresh token are not enough any more; a service is not affected.
    for (const answer of [
      await redeem(early),
      await asKeeper({ grant_type: 'refresh_token', refresh_token: weak.body.refresh_token ?? '' }),
    ])
      expect([answer.status, answer.body.error]).toEqual([400, 'insufficient_user_authentication']);
    expect((await asKeeper({ grant_type: 'client_credentials', resource: vault })).status).toBe(200);
    const silent = await before.browser.get(
      latchkey.authorizeUrl({ ...flow, prompt: 'none', code_verifier: 'v'.repeat(43) }),
    );
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
    const { username, secret } = await withApp();
    const strong = await redeem(await tokensOf(username, secret, flow));
    expect(claimsOf(strong.body.id_token ?? '')).toMatchObject({ acr: twoFactor });
    const refreshed = await asKeeper({ grant_type: 'refresh_token', refresh_token: strong.body.refresh_token ?? '' });
    expect(refreshed.status).toBe(200);

    // A client's default is a minimum: what a request names only adds to it.
    const minimum = { default_acr_values: [twoFactor] };
    expect(await (await owner()).patch('/clients/first-party', minimum)).toMatchObject({ status: 200, body: minimum });
    const silently = { client_id: 'first-party', prompt: 'none', code_verifier: 'v'.repeat(43) };
    const lowered = latchkey.authorizeUrl({ ...silently, acr_values: oneFactor });
    expect(new URL((await before.browser.get(lowered)).url).searchParams.get('error')).toBe('login_required');
  });

  const withPolicy = async (policy: object, work: () => Promise<void>) => {
    const none = {
      required_acr: null,
      administrator_required_acr: null,
      allowed_factors: null,
      remember_browser_days: 0,
    };
    expect((await (await owner()).patch('/sign-in-policy', policy)).status).toBe(200);
    await work().finally(async () => expect((await (await owner()).patch('/sign-in-policy', none)).status).toBe(200));
  };
  test('must be one of the methods that the policy allows, also where the user has another', async () => {
    const { username, browser: signedIn, secret } = await withApp();
    const [recovery = ''] = await recoveryCodes(signedIn);
    const plainPerson = await newPerson();
    const browser = latchkey.browser();
    await withPolicy({ allowed_factors: ['password', 'recovery_code'] }, async () => {
      const step = await enterPassword(browser, username);
      expect(step.html).toContain('Recovery code');
      expect(isIn(await enterCode(browser, step, await codeOf(secret)))).toBe(false);
      expect((await latchkey.auditEvents('session.refused')).at(-1)).toMatchObject({
        reason: 'the method totp is not allowed',
      });
      expect((await signedIn.get('/account/activity')).html).toContain('a method that is not allowed');
      expect(isIn(await enterCode(browser, step, recovery))).toBe(true);
      // One that no one could sign in with cannot be added.
      const other = latchkey.browser();
      await enterPassword(other, plainPerson);
      expect((await other.get('/account/security')).html).not.toContain('/account/security/app/new');
      const form = await other.get('/account/security/app/new');
      const refused = await other.submit(form, { code: await codeOf(keyOn(form)) }, '/app/new');
      expect(refused.html).toContain('does not allow this sign-in method');
    });
    await withPolicy({ allowed_factors: ['password'] }, async () => {
      const closed = await enterPassword(latchkey.browser(), username);
      expect(closed.html).toContain('None of your sign-in methods is allowed any more');
      expect(closed.html).not.toContain('name="code"');
      expect(isIn(await enterPassword(latchkey.browser(), plainPerson))).toBe(true);
    });
  });

  test('must be one of the methods that a client or an API accepts; others get no token, and an offer of these', async () => {
    const at = { client: '/clients/web-app', api: `/resource-servers/${encodeURIComponent(api)}` };
    const accept = async (path: string, allowed_factors: string[] | null) => {
      expect((await (await owner()).patch(path, { allowed_factors })).status).toBe(200);
    };
    const redeemed = async ({ code, code_verifier }: { code: string; code_verifier: string }) =>
      (await latchkey.redeem({ code, code_verifier, redirect_uri: redirectUri, client_id: 'web-app' })).body;
    const refusalOf = async (refresh_token: string) => (await latchkey.refresh(refresh_token)).body.error;
    const errorAt = async (browser: UserAgent) =>
      new URL((await browser.get(latchkey.authorizeUrl({ prompt: 'none' }))).url).searchParams.get('error');
    const { username, browser: signedIn, secret } = await withApp();
    const [recovery = ''] = await recoveryCodes(signedIn);
    const person = await newPerson();
    const early = await tokensOf(person, undefined);
    const { refresh_token } = await redeemed(early);
    const waiting = await tokensOf(await newPerson(), undefined);

    for (const path of [at.client, at.api]) {
      await accept(path, ['passkey', 'provider']);
      await eventually(
        () => errorAt(early.browser),
        (error) => error === 'login_required',
      );
      expect(await refusalOf(refresh_token)).toBe('insufficient_user_authentication');
      const page = await early.browser.get(latchkey.authorizeUrl());
      expect(page.html).toContain('accepts only: passkey, identity provider. If you have none of these, add one');
      expect(page.html).not.toContain('name="password"');
      const typed = new URLSearchParams({ csrf: csrfOf(page), login: person, password });
      expect(
        (await early.browser.post(new URL(page.url).pathname.replace(/(\/sign-in)?$/, '/sign-in'), typed)).status,
      ).toBe(422);
      expect((await latchkey.browser().get(latchkey.authorizeUrl())).html).toContain('accepts only: passkey, identity');
      const back = await early.browser.submit(page, { decision: 'cancel' }, '/sign-in');
      expect(new URL(back.url).searchParams.get('error')).toBe('unmet_authentication_requirements');
      await accept(path, null);
    }
    await eventually(
      () => errorAt(early.browser),
      (error) => error !== 'login_required',
    );
    expect(await refusalOf(refresh_token)).toBeUndefined();

    // Only accepted methods count toward the required class: here a recovery code adds nothing.
    await accept(at.client, ['password', 'totp']);
    await accept(at.api, ['password', 'totp', 'passkey']);
    expect((await redeemed(waiting)).access_token).toEqual(expect.any(String));
    const asked = { acr_values: twoFactor };
    const browser = latchkey.browser();
    const step = await enterPassword(browser, username, latchkey.authorizeUrl(asked));
    const refused = await enterCode(browser, step, recovery);
    expect([refused.status, refused.html]).toEqual([
      422,
      expect.stringContaining('accepts only: password, code of an'),
    ]);
    const met = await tokensOf(username, secret, asked);
    expect(claimsOf((await redeemed(met)).id_token)).toMatchObject({ acr: twoFactor, amr: ['pwd', 'otp', 'mfa'] });
    for (const path of [at.client, at.api]) await accept(path, null);
  });

  test('can be required of a client or an API only if users can still sign in, and be relaxed only with the permission', async () => {
    const { api: server, client } = { api: `/resource-servers/${encodeURIComponent(api)}`, client: '/clients/web-app' };
    const refusedAs = async (path: string, body: object, as?: AdminApi) =>
      `${(await (as ?? (await owner())).patch(path, body)).status}`;
    for (const path of [server, client]) {
      expect(await refusedAs(path, { allowed_factors: ['totp', 'recovery_code'] })).toBe('400');
      expect(await refusedAs(path, { allowed_factors: ['password', 'password'] })).toBe('400');
      expect(await refusedAs(path, { allowed_factors: [] })).toBe('400');
    }
    expect(await refusedAs(server, { allowed_factors: ['password'], required_acr: twoFactor })).toBe('400');
    expect(await refusedAs(client, { allowed_factors: ['provider'], default_acr_values: ['phr'] })).toBe('400');

    const mayWrite = ['latchkey:client:write', 'latchkey:client:read', 'latchkey:resource_server:write'];
    const writer = await asService(latchkey, await owner(), { permissions: mayWrite });
    expect(await refusedAs(server, { allowed_factors: ['password', 'passkey'] }, writer)).toBe('200');
    expect(await refusedAs(server, { allowed_factors: ['passkey'] }, writer)).toBe('200');
    for (const wider of [['passkey', 'password'], ['provider'], null])
      expect(await refusedAs(server, { allowed_factors: wider }, writer)).toBe('403');
    await (await owner()).post('/clients', { client_id: 'plain', redirect_uris: [redirectUri], scope: 'openid' });
    expect(await refusedAs('/clients/plain', { allowed_factors: ['passkey'] }, writer)).toBe('200');
    for (const wider of [['passkey', 'email_code'], null])
      expect(await refusedAs('/clients/plain', { allowed_factors: wider }, writer)).toBe('403');
    expect((await (await owner()).get('/clients/plain')).body.allowed_factors).toEqual(['passkey']);
    expect(await latchkey.commandJson(['client', 'update', 'plain', '--allow', 'passkey,provider'])).toMatchObject({
      allowed_factors: ['passkey', 'provider'],
    });
    const updated = (await latchkey.auditEvents('client.updated')).at(-1);
    expect(updated).toMatchObject({ details: { changed: { allowed_factors: { old: ['passkey'] } } } });
    expect(await refusedAs(server, { allowed_factors: null })).toBe('200');

    // The forms of the console: none selected is no list.
    const alice = latchkey.browser();
    await enterPassword(alice, 'alice');
    const save = async (path: string, fields: Record<string, string>) => {
      const { status, html } = await alice.submit(await alice.get(`${path}/change`), fields, '/change');
      return `${status} ${html}`;
    };
    const shown = { client_name: 'Plain', redirect_uris: redirectUri, scope: 'openid' };
    const form = await alice.get('/console/clients/plain/change');
    expect(form.html).toMatch(/value="passkey"[^>]* checked/);
    expect(await save('/console/clients/plain', { ...shown, allowed_factors: 'provider' })).toMatch(
      /^200.*Identity provider/s,
    );
    expect((await (await owner()).get('/clients/plain')).body.allowed_factors).toEqual(['provider']);
    const ofApi = { name: 'Orders', access_token_format: 'opaque', open_to: 'registered' };
    const apiPath = `/console/apis/${encodeURIComponent(api)}`;
    for (const [fields, stored] of [
      [{ allowed_factors: 'passkey' }, ['passkey']],
      [{}, undefined],
    ] as const) {
      expect(await save(apiPath, { ...ofApi, ...fields })).toMatch(/^200/);
      expect((await (await owner()).get(server)).body.allowed_factors).toEqual(stored);
    }
  });

  test('cannot be restricted so that no one could sign in', async () => {
    const refusedAs = async (allowed_factors: unknown, more: object = {}) => {
      const { status, body } = await (await owner()).patch('/sign-in-policy', { allowed_factors, ...more });
      return `${status} ${String(body.detail)}`;
    };
    expect(await refusedAs([])).toMatch(/^400/);
    expect(await refusedAs(['telepathy'])).toMatch(/^400/);
    expect(await refusedAs(['password', 'password'])).toMatch(/^400/);
    expect(await refusedAs(['totp', 'recovery_code'])).toMatch(/Name a method to sign in with/);
    expect(await refusedAs(['password', 'recovery_code'], { required_acr: 'phr' })).toMatch(/do not reach phr/);
    expect(await refusedAs(['passkey'])).toMatch(/^409/);
    // The owner of this installation has only a password.
    expect(await refusedAs(['provider'])).toMatch(/^409 No owner could sign in any more/);
    // The command on the server's machine can set it, and undo it.
    const set = (allow: string) => latchkey.commandJson(['sign-in-policy', 'set', '--allow', allow]);
    expect(await set('provider')).toMatchObject({ allowed_factors: ['provider'] });
    const page = () => latchkey.browser().get('/sign-in');
    const closed = await eventually(page, ({ html }) => html.includes('You cannot sign in with a password here'));
    expect(closed.html).not.toContain('name="password"');
    const browser = latchkey.browser();
    const csrf = /name="csrf" value="([^"]*)"/.exec((await browser.get('/sign-in')).html)?.[1] ?? '';
    const forged = new URLSearchParams({ csrf, login: 'alice', password });
    expect((await browser.post('/sign-in', forged)).status).toBe(422);
    expect(isIn(await browser.get('/account'))).toBe(false);
    expect(await set('all')).toMatchObject({ allowed_factors: null });
    await eventually(page, ({ html }) => html.includes('name="password"'));
  });

  test('is skipped in a browser where its user chose that, as one factor, until a credential of the account changes', async () => {
    const { username, browser: signedIn, secret } = await withApp();
    const [recovery = ''] = await recoveryCodes(signedIn);
    const browser = latchkey.browser();
    const again = async (login = username) => {
      await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
      return enterPassword(browser, login);
    };
    const choose = async () => {
      const step = await again();
      return browser.submit(step, { code: await codeOf(secret), remember: 'yes' }, '/sign-in');
    };
    // It is never skipped unless the policy allows it, whatever the form contains.
    expect((await enterPassword(browser, username)).html).not.toContain('name="remember"');
    expect(isIn(await choose())).toBe(true);
    expect((await again()).html).toContain('name="code"');

    await withPolicy({ remember_browser_days: 30 }, async () => {
      expect((await again()).html).toContain('name="remember"');
      expect(isIn(await choose())).toBe(true);
      expect(isIn(await again())).toBe(true);
      expect((await browser.get('/account/security')).html).toContain('Browsers without the second factor');
      // It applies to one user in one browser.
      const other = await withApp();
      expect((await again(other.username)).html).toContain('name="code"');
      expect((await enterPassword(latchkey.browser(), username)).html).toContain('name="code"');

      // One factor: a request for more requires it, and so do forms that grant permissions.
      await again();
      const url = (options: object) => latchkey.authorizeUrl({ code_verifier: 'v'.repeat(43), ...options });
      const silent = await browser.get(url({ prompt: 'none', acr_values: twoFactor }));
      expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
      const asked = await browser.get(url({ acr_values: twoFactor }));
      expect((await browser.submit(asked, { login: username, password }, '/sign-in')).html).toContain('name="code"');
      const anew = await browser.get(url({ prompt: 'login' }));
      expect((await browser.submit(anew, { login: username, password }, '/sign-in')).html).toContain('name="code"');
      await latchkey.advance(11 * 60);
      expect((await browser.get('/account/security/recovery-codes/new')).html).toContain('name="code"');
      const stranger = latchkey.browser();
      const fresh = await stranger.get(latchkey.authorizeUrl({ acr_values: twoFactor }));
      expect((await stranger.submit(fresh, { login: username, password }, '/sign-in')).html).toContain('name="code"');

      // The user ends it, alone or with what else they change.
      const path = /href="(\/account\/security\/browsers\/[^"]+\/forget)"/.exec(
        (await browser.get('/account/security')).html,
      )?.[1];
      const asking = await signedIn.get(path ?? '');
      const forgotten = await signedIn.submit(asking, { code: await codeOf(secret) }, '/forget');
      expect(forgotten.html).toContain('in that browser again');
      expect((await again()).html).toContain('name="code"');
      expect(await latchkey.auditEvents('user.browser_forgotten')).toHaveLength(1);

      const ends = async (what: () => Promise<unknown>) => {
        expect(isIn(await choose())).toBe(true);
        expect(isIn(await again())).toBe(true);
        await what();
        expect((await again()).html).toContain('name="code"');
      };
      const others = latchkey.browser();
      await enterCode(others, await enterPassword(others, username), recovery);
      await ends(async () =>
        others.submit(await others.get('/account/sessions/sign-out-others'), {}, '/sign-out-others'),
      );
      await ends(async () => {
        await (await owner()).post(`/users/username:${username}/disable`);
        await (await owner()).patch(`/users/username:${username}`, { enabled: true });
      });
      await ends(async () => {
        const { items } = (
          await (await owner()).get(`/credentials?kind=remembered_browser&user=${username}&state=active`)
        ).body;
        expect(items).toMatchObject([{ state: 'active', owner: { name: username } }]);
        const handle = { credential: { kind: 'remembered_browser', id: items[0]?.id } };
        expect((await (await owner()).post('/revocations', { handle })).status).toBe(200);
      });
      await ends(() => latchkey.advance(31 * 86_400));
      expect(isIn(await choose())).toBe(true);
      await (await owner()).patch('/sign-in-policy', { remember_browser_days: 0 });
      expect((await again()).html).toContain('name="code"');
      await (await owner()).patch('/sign-in-policy', { remember_browser_days: 30, required_acr: twoFactor });
      expect((await again()).html).toContain('name="code"');
    });
  });

  describe('a code by e-mail', () => {
    const named = { allowed_factors: ['password', 'totp', 'recovery_code', 'email_code'] };
    const ask = async (browser: UserAgent, login: string, at = '/sign-in') =>
      browser.submit(await browser.get(at), { login, email_code: 'send' }, '/sign-in');
    const codesTo = (address: string) =>
      mail.letters
        .filter(({ to }) => to[0] === address)
        .flatMap(({ source }) => /: ([a-z2-9]{5}-[a-z2-9]{5}) /.exec(plain(source).replaceAll(/\s+/g, ' '))?.[1] ?? []);
    const mailed = async (address: string, count = 1) =>
      (
        await eventually(
          () => codesTo(address),
          ({ length }) => length >= count,
        )
      ).at(-1) ?? '';

    test('is neither offered nor mailed unless the policy names it', async () => {
      const username = await newPerson();
      const email = await verified(username);
      const browser = latchkey.browser();
      expect((await browser.get('/sign-in')).html).not.toContain('name="email_code"');
      const csrf = /name="csrf" value="([^"]*)"/.exec((await browser.get('/sign-in')).html)?.[1] ?? '';
      const forged = await browser.post('/sign-in', new URLSearchParams({ csrf, login: email, email_code: 'send' }));
      expect(forged.status).toBe(422);
      const { rows } = await latchkey.database.query('select count(*)::int as count from sign_in_codes');
      expect(rows[0]?.count).toBe(0);
    });

    test('signs in once, in the browser that requested it, as one factor', async () => {
      const username = await newPerson();
      const email = await verified(username);
      await withPolicy(named, async () => {
        const browser = latchkey.browser();
        const page = await ask(browser, username);
        expect(page.html).toContain('If there is an account with a verified e-mail address');
        const code = await mailed(email);
        // Another browser, with its own form and this one's code or request.
        const thief = latchkey.browser();
        const own = await ask(thief, username);
        expect((await thief.submit(own, { code }, '/sign-in')).html).toContain('The code is wrong');
        const request = /name="mailed" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
        const csrf = /name="csrf" value="([^"]*)"/.exec(own.html)?.[1] ?? '';
        const stolen = await thief.post('/sign-in', new URLSearchParams({ csrf, mailed: request, code }));
        expect([stolen.status, stolen.html]).toEqual([422, expect.stringContaining('This took too long')]);
        const sent = await Promise.all(
          Array.from({ length: 4 }, () => browser.submit(page, { code: code.toUpperCase() }, '/sign-in')),
        );
        expect(sent.filter(isIn)).toHaveLength(1);
        expect(await latchkey.auditEvents('user.sign_in_code_mailed')).not.toHaveLength(0);

        // The code of the other browser is not accepted in this one.
        await mailed(email, 2);
        const app = latchkey.browser();
        const url = latchkey.authorizeUrl({ code_verifier: 'v'.repeat(43) });
        const asked = await ask(app, email.toUpperCase(), url);
        let done = await app.submit(asked, { code: await mailed(email, 3) }, '/sign-in');
        if (done.html.includes('value="allow"')) done = await app.submit(done, { decision: 'allow' }, '/consent');
        expect(new URL(done.url).searchParams.get('code')).toMatch(/^lk_ac_/);
        const tokens = await latchkey.tokens({}, app);
        expect(claimsOf(tokens.id_token)).toMatchObject({ acr: oneFactor, amr: ['email'] });
        const more = await app.get(latchkey.authorizeUrl({ prompt: 'none', acr_values: twoFactor }));
        expect(new URL(more.url).searchParams.get('error')).toBe('login_required');
      });
    });

    test('is never a second factor beside itself: with an app it stays one factor', async () => {
      const { username, secret } = await withApp();
      const email = await verified(username);
      await withPolicy(named, async () => {
        const browser = latchkey.browser();
        const step = await browser.submit(await ask(browser, username), { code: await mailed(email) }, '/sign-in');
        expect(step.html).toContain('Confirm that it’s you');
        expect(isIn(await browser.get('/account'))).toBe(false);
        expect(isIn(await enterCode(browser, step, await codeOf(secret)))).toBe(true);
        expect(claimsOf((await latchkey.tokens({}, browser)).id_token)).toMatchObject({
          acr: oneFactor,
          amr: ['email', 'otp'],
        });
      });
      await withPolicy({ ...named, required_acr: twoFactor }, async () => {
        const browser = latchkey.browser();
        const before = codesTo(email).length;
        const step = await browser.submit(
          await ask(browser, username),
          { code: await mailed(email, before + 1) },
          '/sign-in',
        );
        const stopped = await enterCode(browser, step, await codeOf(secret));
        expect(isIn(stopped)).toBe(false);
        expect((await browser.get('/account')).url).toContain('/sign-in');
      });
    });

    test('expires after five guesses, ten minutes, or a revocation of all of the account; unknown users get the same answers', async () => {
      const username = await newPerson();
      const email = await verified(username);
      const unverified = await newPerson();
      await withPolicy(named, async () => {
        const guessed = latchkey.browser();
        const page = await ask(guessed, username);
        const code = await mailed(email);
        for (let n = 0; n < 5; n += 1)
          expect((await guessed.submit(page, { code: 'aaaaa-aaaaa' }, '/sign-in')).status).toBe(422);
        expect(isIn(await guessed.submit(page, { code }, '/sign-in'))).toBe(false);
        const late = latchkey.browser();
        const opened = await ask(late, username);
        const second = await mailed(email, 2);
        await latchkey.advance(601);
        expect((await late.submit(opened, { code: second }, '/sign-in')).html).toContain('This took too long');
        const ends = async (what: () => Promise<unknown>) => {
          const browser = latchkey.browser();
          const before = codesTo(email).length;
          const waiting = await ask(browser, username);
          const sent = await mailed(email, before + 1);
          await what();
          expect(isIn(await browser.submit(waiting, { code: sent }, '/sign-in'))).toBe(false);
        };
        const user = `/users/username:${username}`;
        await ends(async () => (await owner()).post(`${user}/reset-factors`));
        const moveTo = async (address: string) =>
          expect((await (await owner()).patch(user, { email: address })).status).toBe(200);
        await ends(() => moveTo(`${username}@evil.example`));
        await moveTo(email);
        await verified(username);
        await latchkey.database.query('delete from throttles');

        const wordsOf = ({ html, status }: Page) => [
          status,
          html.replaceAll(/(?:value|content|src|href)="[^"]*"/g, '').replaceAll(/nonce-[\w+/=-]+/g, ''),
        ];
        const known = wordsOf(await ask(latchkey.browser(), username));
        for (const login of ['nobody@example.com', unverified, 'no such person'])
          expect(wordsOf(await ask(latchkey.browser(), login))).toEqual(known);
        const reasons = async () =>
          (await latchkey.auditEvents('session.refused'))
            .map(({ reason }) => reason)
            .filter((each) => String(each).startsWith('no code'));
        await eventually(reasons, (all) =>
          ['no code mailed: unknown account', 'no code mailed: unverified e-mail address'].every((each) =>
            all.includes(each),
          ),
        );
        expect(codesTo(`${unverified}@example.com`)).toEqual([]);
      });
    });
  });

  const linkTo = async (address: string) => {
    const links = () =>
      mail.letters
        .filter(({ to }) => to[0] === address)
        .flatMap(({ source }) => /http:\/\/\S+\/second-factor\/lk_en_\w+/.exec(plain(source)) ?? []);
    return (await eventually(links, ({ length }) => length > 0)).at(-1) ?? '';
  };
  const verified = async (username: string) => {
    const email = `${username}@example.com`;
    expect((await (await owner()).post(`/users/username:${username}/verify-email`, { email })).status).toBe(200);
    return email;
  };

  test('a password link is not mailed to an address that only a user of another method claimed', async () => {
    const link = async (username: string) =>
      (await (await owner()).post(`/users/username:${username}/password-link`)).body as Record<string, unknown>;
    const invited = await newPerson();
    expect(await link(invited)).toMatchObject({ mailed_to: `${invited}@example.com` });
    const { username } = await withApp();
    expect(await link(username)).toMatchObject({ url: expect.any(String) });
    const account = { issuer: 'https://elsewhere.example', subject: crypto.randomUUID() };
    const federated = await newPerson();
    await (await owner()).post(`/users/username:${federated}/identities`, account);
    expect(await link(federated)).toMatchObject({ url: expect.any(String) });
    await verified(federated);
    expect(await link(federated)).toMatchObject({ mailed_to: `${federated}@example.com` });
  });

  test('is required by the sign-in policy, and added with a mailed link: the password alone is not enough', async () => {
    const username = await newPerson();
    const email = await verified(username);
    const [before, thief, user] = [latchkey.browser(), latchkey.browser(), latchkey.browser()];
    expect(isIn(await enterPassword(before, username))).toBe(true);
    await withPolicy({ required_acr: twoFactor }, async () => {
      expect(isIn(await before.get('/account'))).toBe(false);
      const silent = await before.get(latchkey.authorizeUrl({ prompt: 'none' }));
      expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
      const stopped = await enterPassword(thief, username);
      expect(stopped.html).toContain('A second factor is required');
      for (const path of ['/account', '/account/security/app/new', '/console'])
        expect((await thief.get(path)).url).toContain('/sign-in');
      const sent = await thief.submit(stopped, {}, '/sign-in');
      expect(sent.html).toContain('Check your e-mail');
      expect((await thief.get('/account')).url).toContain('/sign-in');

      const link = await linkTo(email);
      const form = await user.get(link);
      const [secret, other] = [keyOn(form), keyOn(await thief.get(link))];
      expect([secret.length, secret === other]).toEqual([32, false]);
      const wrong = await user.submit(
        form,
        { password: 'a wrong guess', code: await codeOf(secret) },
        '/second-factor',
      );
      expect([wrong.status, keyOn(wrong)]).toEqual([422, secret]);
      // Of several concurrent uses one succeeds, and the link becomes invalid.
      const code = await codeOf(secret);
      const done = await Promise.all(
        Array.from({ length: 4 }, () => user.submit(wrong, { password, code }, '/second-factor')),
      );
      expect(done.filter(({ url }) => url.includes('/account/security?done=app-added'))).toHaveLength(1);
      expect((await latchkey.browser().get(link)).status).toBe(404);
      const id = (await (await owner()).get(`/users/username:${username}`)).body.id;
      const events = await latchkey.auditEvents('user.enrolment_link_created');
      expect(events.filter(({ target_id }) => target_id === id)).toMatchObject([{ details: { by_mail: true } }]);
      const { code: authorization, error } = await tokensOf(username, secret);
      expect([authorization === '', error]).toEqual([false, null]);
      expect(isIn(await before.get('/account'))).toBe(false);

      // The next link is refused: it must not replace what the user has.
      const { stdout } = await latchkey.command(['user', 'enrolment-link', username]);
      const again = latchkey.browser();
      const second = await again.get(stdout.split('\n')[0] ?? '');
      const refused = await again.submit(second, { password, code: await codeOf(keyOn(second)) }, '/second-factor');
      expect([refused.status, refused.html.includes('already')]).toEqual([422, true]);
    });
  });

  test('is added with the link of an administrator where no e-mail can be sent, within 30 minutes', async () => {
    const username = await newPerson();
    await withPolicy({ required_acr: twoFactor }, async () => {
      const stopped = await enterPassword(latchkey.browser(), username);
      expect(stopped.html).toContain('Ask an administrator');
      expect(stopped.html).not.toContain('Send link');
      // A service has no second factor; the operator of the machine needs none.
      expect(await (await owner()).post(`/users/username:${username}/enrolment-link`)).toMatchObject({ status: 403 });
      const linkOf = async () =>
        (await latchkey.command(['user', 'enrolment-link', username])).stdout.split('\n')[0] ?? '';
      const late = await linkOf();
      await latchkey.advance(31 * 60);
      expect((await latchkey.browser().get(late)).status).toBe(404);
      const browser = latchkey.browser();
      const form = await browser.get(await linkOf());
      const done = await browser.submit(form, { password, code: await codeOf(keyOn(form)) }, '/second-factor');
      expect(done.url).toContain('/account/security');
    });
  });

  test('is required of administrators alone, and only an administrator with one can set this', async () => {
    const alice = latchkey.browser();
    await enterPassword(alice, 'alice');
    const methods = { allowed_factors: 'password\npasskey\ntotp\nrecovery_code\nprovider' };
    const policy = await alice.get('/console/settings/sign-in-policy');
    const refused = await alice.submit(
      policy,
      { ...methods, administrator_required_acr: twoFactor },
      '/sign-in-policy',
    );
    expect([refused.status, refused.html.includes('locked out')]).toEqual([409, true]);
    const username = await newPerson();
    await withPolicy({ administrator_required_acr: twoFactor }, async () => {
      expect(isIn(await enterPassword(latchkey.browser(), username))).toBe(true);
      expect((await enterPassword(latchkey.browser(), 'alice')).html).toContain('A second factor is required');
      expect((await alice.get('/console')).url).toContain('/sign-in');
    });
    const events = await latchkey.auditEvents('sign_in_policy.updated');
    expect(events.at(-1)).toMatchObject({ details: { changed: { administrator_required_acr: { new: null } } } });
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

  test('is removed by an administrator who holds all permissions of the user, which signs the user out', async () => {
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
    expect(events.filter(({ details }) => (details as { removed?: number }).removed === 1)).toHaveLength(1);
  });

  test('is not readable in the database', async () => {
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
