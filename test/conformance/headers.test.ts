import { send, sendForm } from '../support/http.ts';
import { password } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

const alice = { login: 'alice', password };
const issuer = 'https://id.example';

describe('every page', () => {
  const latchkey = startLatchkey();
  const app = { client_id: 'post-app', scope: 'openid read' };
  const signedIn = async (browser: UserAgent) => {
    await browser.submit(await browser.get('/sign-in'), alice, '/sign-in');
    return browser;
  };

  const pages: [string, (browser: UserAgent) => Promise<Page>, number?][] = [
    ['home', (browser) => browser.get('/')],
    ['sign-in', (browser) => browser.get('/sign-in')],
    ['sign-in for an app', (browser) => browser.get(latchkey.authorizeUrl(app))],
    [
      'a refused sign-in',
      async (browser) => browser.submit(await browser.get('/sign-in'), { login: 'x', password: 'x' }, '/sign-in'),
      422,
    ],
    ['consent', async (browser) => (await signedIn(browser)).get(latchkey.authorizeUrl({ ...app, prompt: 'consent' }))],
    ['the account', async (browser) => (await signedIn(browser)).get('/account')],
    ['connected apps', async (browser) => (await signedIn(browser)).get('/account/apps')],
    ['changing the password', async (browser) => (await signedIn(browser)).get('/account/password')],
    ['the console', async (browser) => (await signedIn(browser)).get('/console')],
    ['a record of the console', async (browser) => (await signedIn(browser)).get('/console/clients/web-app')],
    ['nothing there in the console', async (browser) => (await signedIn(browser)).get('/console/nothing'), 404],
    ['signing out', async (browser) => (await signedIn(browser)).get('/oauth/logout')],
    ['signed out', (browser) => browser.get('/oauth/logout/success')],
    ['signing out without a session', (browser) => browser.get('/oauth/logout')],
    ['an error of a request', (browser) => browser.get('/oauth/authorize?client_id=nobody'), 400],
    [
      'an error sent by form',
      (browser) => browser.get(latchkey.authorizeUrl({ response_mode: 'form_post', scope: 'nope' })),
      400,
    ],
    ['an expired interaction', (browser) => browser.get('/interaction/x'), 400],
    ['a closed setup', (browser) => browser.get('/setup/x'), 404],
    ['nothing there', (browser) => browser.get('/nothing'), 404],
    ['a wrong method', (browser) => browser.get('/oauth/logout/confirm'), 405],
    ['a forged form', (browser) => browser.post('/sign-in', new URLSearchParams(alice)), 403],
    [
      'a form too large',
      (browser) => browser.post('/sign-in', new URLSearchParams({ password: 'x'.repeat(70_000) })),
      413,
    ],
  ];

  test.each(pages)(
    'cannot be framed, sniffed, cached or scripted: %s (HDR-01, HDR-02, ASVS 14.4)',
    async (_, open, status = 200) => {
      const page = await open(latchkey.browser());
      expect(page.status).toBe(status);
      const header = (name: string) => page.headers.get(name) ?? '';
      const policy = Object.fromEntries(
        header('content-security-policy')
          .split(/; ?/)
          .map((directive) => [directive.split(' ')[0], directive]),
      );
      expect(policy['default-src']).toBe("default-src 'none'");
      expect(policy['frame-ancestors']).toBe("frame-ancestors 'none'");
      expect(policy['base-uri']).toBe("base-uri 'none'");
      expect(policy['script-src']).toMatch(/^script-src 'self'( 'sha256-[A-Za-z0-9+/=]{44}')?$/);
      expect(policy['style-src']).toBe("style-src 'self'");
      expect(header('x-frame-options')).toBe('DENY');
      expect(header('x-content-type-options')).toBe('nosniff');
      expect(header('referrer-policy')).toBe('same-origin');
      // Popup sign-in works only if all its pages keep their opener (HTML Standard §7.1.3).
      const isIsolated = /^\/(account|console)(\/|$)/.test(new URL(page.url).pathname);
      expect(header('cross-origin-opener-policy')).toBe(isIsolated ? 'same-origin' : '');
      expect(header('cache-control')).toContain('no-store');
      expect(header('content-type')).toBe('text/html; charset=utf-8');
      for (const banner of ['server', 'x-powered-by', 'via']) expect(header(banner)).toBe('');
    },
  );

  test.each(pages)(
    'loads nothing from elsewhere and runs no script of its own: %s (library-gaps 13)',
    async (_, open) => {
      const { html } = await open(latchkey.browser());
      const scripts = [...html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)];
      for (const [, attributes = '', content = ''] of scripts) {
        const isOurs = /src="\/assets\//.test(attributes) && content === '';
        const submitsTheForm =
          /^\s*document\.addEventListener\('DOMContentLoaded', function \(\) \{ document\.forms\[0\]\.submit\(\) \}\);\s*$/;
        expect(isOurs || submitsTheForm.test(content)).toBe(true);
      }
      const { host } = new URL(latchkey.issuer);
      expect(html).not.toMatch(new RegExp(`(src|href)="(https?:)?//(?!${host}/)`));
      expect(html).not.toMatch(/\son\w+="/);
      expect(html).not.toMatch(/\sstyle="/);
    },
  );

  test.each([
    ['an OAuth refusal', '/oauth/token', 401],
    ['nothing there', '/nothing', 404],
    ['a wrong method', '/oauth/jwks', 405],
  ])('and every API response has the security headers too: %s (HDR-04, META-10)', async (_, path, status) => {
    const answer = await sendForm(latchkey.issuer, path, { grant_type: 'client_credentials' });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w.-]{8,64}$/);
    expect(answer.headers.get('server')).toBeNull();
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\/src\/|\bat [A-Z]\w+\.|select |insert /i);
  });

  test.each(['x', 'a'.repeat(65), 'abc def ghi', 'abcdefgh\u00ff', '"><script>alert(1)</script>', '../../etc'])(
    'has a request id other than %j (CWE-117)',
    async (id) => {
      const answer = await send(latchkey.issuer, '/nothing', { headers: { 'x-request-id': id } });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
    },
  );

  test('redirects to no address that is too long for a header (RFC 9110 §4.1)', async () => {
    const redirectOf = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(`${latchkey.issuer}${path}`, { redirect: 'manual', ...init });
      return [answer.status, answer.headers.get('location')];
    };
    const posted = (path: string, size: number) =>
      redirectOf(path, { method: 'POST', body: new URLSearchParams({ id_token_hint: 'a'.repeat(size) }) });
    for (const path of ['/oauth/authorize', '/oauth/logout']) {
      expect(await posted(path, 13_000)).toEqual([400, null]);
      expect(await posted(path, 4000)).toEqual([303, expect.stringMatching(`^${path}\\?id_token_hint=a{4000}$`)]);
    }
    expect(await redirectOf(`/console/users/${'%41'.repeat(3000)}`)).toEqual([303, '/sign-in']);
    expect(await redirectOf('/console/users/a')).toEqual([303, '/sign-in?return_to=%2Fconsole%2Fusers%2Fa']);
  });

  test('allows a form to redirect to its own client, and to no other (library-gaps 18)', async () => {
    const page = await latchkey.browser().get(latchkey.authorizeUrl(app));
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://client.example");
    const native = { client_id: 'native', redirect_uri: 'com.example.app:/callback', scope: 'openid' };
    const other = await latchkey.browser().get(latchkey.authorizeUrl({ ...native, resource: null }));
    expect(other.headers.get('content-security-policy')).toContain("form-action 'self' com.example.app:");
  });
});

describe('behind https', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_ISSUER: issuer } });
  const get = (path: string, headers: Record<string, string> = {}) =>
    send(latchkey.server.address, path, { headers: { host: 'id.example', accept: 'text/html', ...headers } });

  test('browsers are told to use https only (HDR-06)', async () => {
    for (const path of ['/', '/sign-in', '/oauth/authorize?client_id=x', '/oauth/jwks', '/nothing']) {
      expect((await get(path)).headers.get('strict-transport-security')).toMatch(/^max-age=\d{8,}/);
    }
  });

  test('no cookie can be read by scripts, sent in the clear or across sites, or set by a sibling host (COOK-02, ASVS 3.4)', async () => {
    const redirect_uri = encodeURIComponent('https://client.example/callback');
    const challenge = `code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`;
    const request = `/oauth/authorize?client_id=web-app&response_type=code&redirect_uri=${redirect_uri}&scope=openid&${challenge}`;
    const answers = [await get('/sign-in'), await get('/oauth/logout'), await get(request)];
    const cookies = answers.flatMap(({ headers }) => headers.getSetCookie());
    expect(cookies.length).toBeGreaterThanOrEqual(8);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/; secure/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
      expect(cookie).not.toMatch(/; domain=/i);
      if (/; path=\/;/.test(cookie)) expect(cookie).toMatch(/^__Host-/);
      else expect(cookie).toMatch(/; path=\/(interaction|oauth\/authorize)\/[\w-]{43};/);
    }
  });

  test('addresses are those of the issuer, whatever headers proxies send (HOST-02, HOST-04)', async () => {
    for (const proto of ['http', 'https', 'javascript']) {
      const { body } = await get('/.well-known/openid-configuration', { 'x-forwarded-proto': proto, accept: '*/*' });
      expect(body).toMatchObject({ issuer, token_endpoint: `${issuer}/oauth/token` });
    }
    expect((await send(latchkey.server.address, '/')).status).toBe(421);
  });
});
