import { send } from '../support/http.ts';
import { clientSecrets, password } from '../support/installation.ts';
import { type AuthorizeOptions, basic, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

describe('the authorization endpoint', () => {
  const latchkey = startLatchkey();
  const visit = (options: AuthorizeOptions, more = '') => {
    const { pathname, search } = new URL(latchkey.authorizeUrl(options));
    return send(latchkey.issuer, `${pathname}${search}${more}`, { headers: { accept: 'text/html' } });
  };
  test.each<{ what: string; ref: string; options: AuthorizeOptions; more?: string }>([
    { what: 'an unknown client', ref: 'CODE-24', options: { client_id: 'nobody' } },
    { what: 'no client', ref: 'RFC 6749 §4.1.2.1', options: { client_id: null } },
    { what: 'a prototype as client', ref: 'RESP-22', options: { client_id: '__proto__' } },
    { what: 'an address as client', ref: 'SSRF-02', options: { client_id: 'http://169.254.169.254/latest' } },
    { what: 'a client twice', ref: 'RFC 6749 §3.1', options: {}, more: '&client_id=spa' },
    { what: 'a redirect URI twice', ref: 'RFC 6749 §3.1', options: {}, more: '&redirect_uri=https%3A%2F%2Fevil.test' },
    { what: 'a client that never redirects', ref: 'RFC 6749 §4.4', options: { client_id: 'service' } },
    ...['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce', 'resource', 'prompt', 'max_age'].map(
      (name) => ({ what: `NUL in ${name}`, ref: 'RESP-14', options: { [name]: 'a\u0000b' } }),
    ),
    ...['code_challenge', 'login_hint', 'id_token_hint', 'response_mode', 'ui_locales', 'acr_values', 'unknown'].map(
      (name) => ({ what: `NUL in ${name}`, ref: 'RESP-14', options: { [name]: '\u0000' } }),
    ),
    { what: 'bytes that are no UTF-8', ref: 'RESP-16', options: {}, more: '&login_hint=%ff%fe' },
    { what: '1001 parameters', ref: 'DOS-02', options: {}, more: '&a'.repeat(1001) },
  ])('shows an error page, and redirects nowhere, for $what ($ref)', async ({ options, more = '' }) => {
    const before = await storedRows(latchkey.database);
    const { headers, ...answer } = await visit(options, more);
    expect(answer).toMatchObject({ status: 400, body: { text: expect.stringContaining('<h1>') } });
    expect(headers.get('location')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await storedRows(latchkey.database)).toEqual(before);
  });

  test.each<{ what: string; ref: string; options: AuthorizeOptions }>([
    { what: 'no scope, as MCP clients do', ref: 'CODE-28', options: { scope: null } },
    { what: 'neither scope nor resource', ref: 'CODE-28', options: { scope: null, resource: null } },
    {
      what: 'parameters of features that are off',
      ref: 'RFC 6749 §3.1',
      options: {
        authorization_details: '[]',
        web_message_uri: 'https://evil.test',
      },
    },
    { what: 'claims named one by one', ref: 'OIDC Core §5.5', options: { claims: '{"id_token":{"email":null}}' } },
    { what: 'the secret by mistake', ref: 'RFC 6749 §3.1', options: { client_secret: 'x' } },
    { what: 'long values', ref: 'CWE-400', options: { nonce: 'n'.repeat(4000), state: 's'.repeat(4000) } },
    { what: 'line ends in the state', ref: 'CWE-113', options: { state: 'a\r\nLocation: https://evil.test' } },
    { what: 'emoji', ref: 'RFC 6749 §A', options: { login_hint: '😀', ui_locales: '😀', acr_values: '😀' } },
    { what: 'the path of a file as language', ref: 'CWE-22', options: { ui_locales: '../../../etc/passwd' } },
  ])('continues to the sign-in with $what ($ref)', async ({ options }) => {
    const { status, headers } = await visit(options);
    expect(status).toBe(303);
    expect(headers.get('location')).toMatch(/^\/interaction\/[\w-]{43}$/);
  });

  test.each(['a&b=c#d e+f%20"<>\'ü😀', '"><script>alert(1)</script>', 'a\r\nSet-Cookie: x=y', '__proto__'])(
    'returns the state unchanged: %j (RFC 6749 §4.1.2)',
    async (state) => {
      const browser = latchkey.browser();
      const page = await latchkey.visit(browser, latchkey.authorizeUrl({ state, client_id: 'first-party' }));
      expect(new URL(page.url).searchParams.get('state')).toBe(state);
      expect(new URL(page.url).searchParams.get('code')).toMatch(/^lk_ac_/);
    },
  );

  test('runs no scripts from the request (XSS-02, XSS-04)', async () => {
    const script = '"><script>alert(1)</script>';
    const pages = [
      await visit({ response_mode: 'form_post', scope: 'nope', state: script }),
      await visit({ client_id: script }),
      await visit({ redirect_uri: script }),
      await visit({ login_hint: script }),
    ];
    const browser = latchkey.browser();
    const signIn = await browser.get(latchkey.authorizeUrl({ login_hint: script, state: script }));
    for (const html of [...pages.map(({ body }) => String(body.text)), signIn.html]) {
      expect(html).not.toContain('<script>alert');
    }
    expect(signIn.html).toContain('&lt;script&gt;');
  });

  test('issues no code for a resumed request alone (SESS-02)', async () => {
    for (const uid of ['x', 'a'.repeat(43), 'a%00b', 'a'.repeat(5000), '..', '%2e%2e']) {
      const answer = await send(latchkey.issuer, `/oauth/authorize/${uid}`, { headers: { accept: 'text/html' } });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
    }
  });

  test('redirects with 303 after a form, so that no password is sent to the client (CODE-20)', async () => {
    const page = await latchkey.browser().get(latchkey.authorizeUrl({ client_id: 'first-party' }));
    expect(page.status).toBe(200);
    const browser = latchkey.browser();
    const signIn = await browser.get(latchkey.authorizeUrl({ client_id: 'first-party' }));
    const csrf = /name="csrf" value="([^"]*)"/.exec(signIn.html)?.[1] ?? '';
    const cookie = browser
      .cookies()
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const answer = await send(latchkey.issuer, `${new URL(signIn.url).pathname}/sign-in`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ csrf, login: 'alice', password }).toString(),
    });
    expect(answer.status).toBe(303);
  });

  test('does not accept client authentication as a user’s sign-in', async () => {
    const { pathname, search } = new URL(latchkey.authorizeUrl({ prompt: 'none' }));
    const headers = { authorization: basic('web-app', clientSecrets['web-app']) };
    const answer = await send(latchkey.issuer, `${pathname}${search}`, { headers });
    expect(answer.headers.get('location')).toContain('error=login_required');
  });
});
