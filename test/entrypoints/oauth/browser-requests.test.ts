import { Agent, request } from 'node:http';
import { send, sendForm } from '../../support/http.ts';
import { password, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const query = "?x=%20y&z=a'b&w=%7e~&flag&empty=&p=a+b&q=%C3%A9&e=%2f/";
const spelled = `https://client.example/callback${query}`;
const native = `com.example.app:/callback${query}`;

const apps = [
  {
    client_id: 'spelled-app',
    token_endpoint_auth_method: 'none',
    first_party: true,
    redirect_uris: [spelled, 'https://client.example/plain?x=%20y', 'https://client.example/named?state=fixed&y=%20'],
    post_logout_redirect_uris: [`https://client.example/signed-out${query}`],
    scope: 'openid',
  },
  {
    client_id: 'spelled-native-app',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    first_party: true,
    redirect_uris: [native],
    scope: 'openid',
  },
];

describe('a browser that a client redirected,', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, clients: [...standardInstallation.clients, ...apps] },
  });
  const signIn = async (browser: UserAgent, login = 'alice') => {
    await browser.submit(await browser.get('/sign-in'), { login, password }, '/sign-in');
    return browser;
  };
  const subject = async (page: Page) => {
    const code = new URL(page.url).searchParams.get('code') ?? '';
    expect(code).toMatch(/^lk_ac_/);
  };

  describe('is answered in the language', () => {
    const firefox = 'Firefox';
    const languageOf = ({ html }: Page) => /<html lang="([^"]*)"/.exec(html)?.[1];
    const german = () => latchkey.browser(firefox, 'de-AT,de;q=0.8,en;q=0.5');

    test('that the client asks for, before the one the browser asks for (OpenID Connect Core §3.1.2.1)', async () => {
      const browser = latchkey.browser(firefox, 'en');
      const page = await browser.get(latchkey.authorizeUrl({ ui_locales: 'xx de-CH en', prompt: 'consent' }));
      expect([languageOf(page), page.html.includes('um mit <strong>Shop</strong> fortzufahren')]).toEqual(['de', true]);
      const wrong = await browser.submit(page, { login: 'alice', password: 'wrong' }, '/sign-in');
      expect([languageOf(wrong), wrong.status]).toEqual(['de', 422]);
      const consent = await browser.submit(wrong, { login: 'alice', password }, '/sign-in');
      expect(consent.html).toContain('<strong>Shop</strong> den Zugriff auf Ihr Konto erlauben?');
      expect(consent.html).toContain('Read your orders');
    });

    test('that the browser asks for (RFC 9110 §12.5.4), also where a request is broken', async () => {
      const browser = await signIn(german());
      for (const path of [
        '/account',
        '/account/sessions',
        '/account/keys',
        '/account/activity',
        '/device',
        '/nothing-here',
        '/',
      ])
        expect([path, languageOf(await browser.get(path))]).toEqual([path, 'de']);
      const broken = await browser.get('/oauth/authorize?client_id=unknown');
      expect([languageOf(broken), broken.html.includes('ungültige Anfrage')]).toEqual(['de', true]);
      const asked = await browser.get('/oauth/logout?ui_locales=en');
      expect(languageOf(asked)).toBe('en');
    });

    test('of the installation, where neither asks for one that exists', async () => {
      const browser = latchkey.browser(firefox, 'fr');
      expect(languageOf(await browser.get(latchkey.authorizeUrl({ ui_locales: 'it ja' })))).toBe('en');
    });

    test('English on pages that exist in English only', async () => {
      const browser = await signIn(german());
      for (const path of ['/console', '/docs', '/admin/docs'])
        expect([path, languageOf(await browser.get(path))]).toEqual([path, 'en']);
    });

    test('and discovery names the languages (OpenID Connect Discovery §3)', async () => {
      const { body } = await send(latchkey.issuer, '/.well-known/openid-configuration');
      expect(body.ui_locales_supported).toEqual(['en', 'de']);
    });
  });

  describe('with prompt=select_account (OpenID Connect Core §3.1.2.1),', () => {
    const asked = { client_id: 'first-party', resource: null, scope: 'openid', prompt: 'select_account' };
    const url = (more: object = {}) => latchkey.authorizeUrl({ ...asked, ...more });

    test('continues with the account that is signed in, without the password', async () => {
      const browser = await signIn(latchkey.browser());
      const page = await browser.get(url());
      expect(page.html).toContain('Choose an account to continue to <strong>Our own</strong>');
      expect(page.html).toContain('Continue as Alice Example');
      expect(page.html).not.toContain('name="password"');
      await subject(await browser.submit(page, { decision: 'continue' }, '/select-account'));
    });

    test('signs in with another account', async () => {
      const browser = await signIn(latchkey.browser());
      const form = await browser.submit(await browser.get(url({ login_hint: 'bob' })), {}, '/switch-account');
      expect(form.html).toContain('value="bob"');
      let page = await browser.submit(form, { login: 'bob', password }, '/sign-in');
      page = await browser.submit(page, {}, '/oauth/logout/confirm');
      await subject(page);
      expect((await browser.get('/account')).html).toContain('bob@example.com');
    });

    test('signs in at once if no one is signed in', async () => {
      const browser = latchkey.browser();
      const page = await browser.get(url());
      expect(page.html).not.toContain('Choose an account');
      await subject(await browser.submit(page, { login: 'alice', password }, '/sign-in'));
    });

    test('returns to the client', async () => {
      const browser = await signIn(latchkey.browser());
      const page = await browser.submit(await browser.get(url()), { decision: 'cancel' }, '/select-account');
      expect(new URL(page.url).searchParams.get('error')).toBe('access_denied');
    });

    test('still asks for the password if the client requires that', async () => {
      const browser = await signIn(latchkey.browser());
      const page = await browser.get(url({ prompt: 'select_account login' }));
      const form = await browser.submit(page, { decision: 'continue' }, '/select-account');
      expect(form.html).toContain('name="password"');
      await subject(await browser.submit(form, { login: 'alice', password }, '/sign-in'));
    });

    test('shows the consent page after the choice if the client requires that', async () => {
      const browser = await signIn(latchkey.browser());
      const page = await browser.get(url({ client_id: 'post-app', prompt: 'consent select_account' }));
      const consent = await browser.submit(page, { decision: 'continue' }, '/select-account');
      await subject(await browser.submit(consent, { decision: 'allow' }, '/consent'));
    });

    test('cannot create an account if sign-up is off (prompt=create)', async () => {
      const browser = latchkey.browser();
      const refused = await browser.get(url({ prompt: 'create' }));
      expect(new URL(refused.url).searchParams.get('error')).toBe('invalid_request');
      const signIn = await browser.get('/sign-in');
      expect(signIn.html).not.toContain('/sign-up');
      expect((await browser.get('/sign-up')).status).toBe(404);
    });

    test('cannot be led through the choice by another site (CWE-352)', async () => {
      const browser = await signIn(latchkey.browser());
      const page = await browser.get(url());
      const forged = new URLSearchParams({ decision: 'continue' });
      expect((await browser.post(`${page.url}/select-account`, forged)).status).toBe(403);
    });

    test('gets an error if the client forbids questions: prompt=none select_account', async () => {
      const browser = await signIn(latchkey.browser());
      const page = await browser.get(url({ prompt: 'none select_account' }));
      expect(new URL(page.url).searchParams.get('error')).toBe('invalid_request');
    });
  });

  describe('is redirected to the registered address, byte for byte (RFC 6749 §3.1.2),', () => {
    const sentTo = async (more: object) => {
      const browser = await signIn(latchkey.browser());
      const answer = await send(
        latchkey.issuer,
        latchkey
          .authorizeUrl({ client_id: 'spelled-app', scope: 'openid', resource: null, ...more })
          .slice(latchkey.issuer.length),
        { headers: { cookie: browser.cookieHeader(`${latchkey.issuer}/oauth/authorize`), accept: 'text/html' } },
      );
      return answer.headers.get('location') ?? answer.body.text;
    };

    test.each([
      ['a code', { redirect_uri: spelled }, `${spelled}&code=lk_ac_`],
      [
        'an error',
        { redirect_uri: spelled, scope: 'openid', prompt: 'none', max_age: '0', login_hint: 'x' },
        `${spelled}&`,
      ],
      ['an error in the fragment', { redirect_uri: spelled, response_type: 'token' }, `${spelled}#error=`],
      ['a fragment', { redirect_uri: spelled, response_mode: 'fragment' }, `${spelled}#code=lk_ac_`],
      ['a signed answer', { redirect_uri: spelled, response_mode: 'jwt' }, `${spelled}&response=ey`],
      [
        'another address',
        { redirect_uri: 'https://client.example/plain?x=%20y' },
        'https://client.example/plain?x=%20y&code=',
      ],
      [
        'an error to a native app',
        { client_id: 'spelled-native-app', redirect_uri: native, prompt: 'none' },
        `${native}&error=interaction_required`,
      ],
    ])('with %s', async (_, more, expected) => {
      expect(String(await sentTo(more)).slice(0, expected.length)).toBe(expected);
    });

    test('with its parameters once where the address has one of the same name', async () => {
      const redirect_uri = 'https://client.example/named?state=fixed&y=%20';
      const { searchParams } = new URL(String(await sentTo({ redirect_uri })));
      expect(searchParams.getAll('state')).toEqual(['the state']);
      expect(searchParams.get('y')).toBe(' ');
    });

    test('also after signing out', async () => {
      const browser = await signIn(latchkey.browser());
      const post_logout_redirect_uri = `https://client.example/signed-out${query}`;
      const asked = new URLSearchParams({ client_id: 'spelled-app', post_logout_redirect_uri, state: 'a b' });
      const page = await browser.get(`/oauth/logout?${asked}`);
      const body = new URLSearchParams({
        xsrf: /name="xsrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '',
        logout: 'yes',
      });
      const answer = await sendForm(latchkey.issuer, '/oauth/logout/confirm', body.toString(), {
        cookie: browser.cookieHeader(`${latchkey.issuer}/oauth/logout/confirm`),
        origin: latchkey.issuer,
      });
      expect(answer.headers.get('location')).toBe(`${post_logout_redirect_uri}&state=a+b`);
    });
  });

  describe('that blocks cookies, gets an explanation:', () => {
    /** A browser that drops every cookie. */
    const ask = (path: string, form?: Record<string, string>) => {
      const headers = { accept: 'text/html', origin: latchkey.issuer };
      return form ? sendForm(latchkey.issuer, path, form, headers) : send(latchkey.issuer, path, { headers });
    };

    test.each<[string, () => Promise<{ path: string; form?: Record<string, string> }>]>([
      [
        'where it is asked to sign in',
        async () => {
          const { headers } = await ask(latchkey.authorizeUrl().slice(latchkey.issuer.length));
          return { path: headers.get('location') ?? '' };
        },
      ],
      ['where it comes back to go on', async () => ({ path: `/oauth/authorize/${'a'.repeat(43)}` })],
      ['where it signs in', async () => ({ path: '/sign-in', form: { login: 'alice', password } })],
      ['where it enters the code of a device', async () => ({ path: '/device', form: { user_code: 'BCDF-GHJK' } })],
      ['where it signs out', async () => ({ path: '/oauth/logout/confirm', form: { xsrf: 'x', logout: 'yes' } })],
    ])('%s', async (_, where) => {
      const { path, form } = await where();
      const { status, body } = await ask(path, form);
      expect([400, 403]).toContain(status);
      expect(body.text).toContain('Your browser sent no cookies');
      expect(body.text).toContain('Allow cookies for localhost');
    });

    test('but not for another reason', async () => {
      const headers = { accept: 'text/html', cookie: 'theme=dark' };
      const { body } = await send(latchkey.issuer, '/interaction/x', { headers });
      expect(body.text).toContain('This page has expired');
    });
  });

  describe('with 20 KB of cookies', () => {
    const cookie = `big=${'x'.repeat(20_000)}`;
    const ask = (issuer: string, path = '/') => send(issuer, path, { headers: { cookie, accept: 'text/html' } });

    test('is told to delete them, in a page that loads nothing and may not be framed (RFC 6585 §5)', async () => {
      const { status, headers, body } = await ask(latchkey.issuer);
      expect(status).toBe(431);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('connection')).toBe('close');
      expect(body.text).toContain('Your browser sent too many cookies');
      expect(body.text).toContain('Delete the cookies of localhost');
      expect(body.text).toContain('LATCHKEY_MAX_HEADER_BYTES');
      expect(body.text).not.toMatch(/(src|href)=/);
    });

    test('does not disturb requests on other connections, and closes its own connection', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const { hostname, port } = new URL(latchkey.issuer);
      const statusOf = (headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          const sent = request({ hostname, port, path: '/healthz', agent, headers }, (response) => {
            response.resume().once('end', () => resolve(response.statusCode));
          });
          sent.once('error', reject).end();
        });
      expect([await statusOf({}), await statusOf({ cookie }), await statusOf({})]).toEqual([200, 431, 200]);
      agent.destroy();
    });

    test('is served if the setting allows them', async () => {
      const { address } = await latchkey.startAnother({
        env: { LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1', LATCHKEY_MAX_HEADER_BYTES: '32768' },
      });
      const headers = { cookie, 'x-forwarded-host': new URL(latchkey.issuer).host };
      expect((await send(address, '/healthz', { headers })).status).toBe(200);
    });
  });

  test.each([
    ['without credentials', {}],
    ['from another site', { origin: 'https://evil.test' }],
    ['with an origin that ends the quotation', { origin: 'x", charset="y' }],
  ])('and a program that is refused reads the issuer as the realm: %s (RFC 7617 §2)', async (_, headers) => {
    for (const path of ['/oauth/introspect', '/oauth/token', '/oauth/revoke']) {
      const form = { grant_type: 'client_credentials', token: 'x' };
      const answer = await sendForm(latchkey.issuer, path, form, headers);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe(`Basic realm="${latchkey.issuer}", error="invalid_client"`);
    }
  });
});
