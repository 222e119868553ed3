import { api } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import type { UserAgent } from '../support/user-agent.ts';

const signedOut = 'https://client.example/signed-out';
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const forged = (payload: unknown) => `${base64url('{"alg":"ES256"}')}.${base64url(JSON.stringify(payload))}.AA`;

describe('signing out', () => {
  const latchkey = startLatchkey();
  let browser: UserAgent;
  let id_token: string;
  beforeEach(async () => {
    browser = latchkey.browser();
    ({ id_token } = await latchkey.tokens({ scope: 'openid read', resource: api }, browser));
  });
  const visit = (query: Record<string, string>) => browser.get(`/oauth/logout?${new URLSearchParams(query)}`);
  const isSignedIn = async () => (await browser.get('/account')).html.includes('Alice Example');

  test.each<[string, () => Record<string, string>]>([
    ['nothing (CSRF-04)', () => ({})],
    ['a place to go to, but no client', () => ({ post_logout_redirect_uri: 'https://evil.test/' })],
    ['a good hint', () => ({ id_token_hint: id_token, post_logout_redirect_uri: signedOut })],
    ['logout=yes in the query', () => ({ logout: 'yes', xsrf: 'x' })],
    ['scripts', () => ({ state: '"><script>alert(1)</script>', logout_hint: '<script>', ui_locales: '<script>' })],
  ])('asks for confirmation, with any parameters: %s (OIDC RP-Initiated §2)', async (_, query) => {
    const page = await visit(query());
    expect(page).toMatchObject({ status: 200, html: expect.stringContaining('Sign out') });
    expect(page.html).not.toMatch(/evil\.test|<script>alert/);
    expect(await isSignedIn()).toBe(true);
  });

  test.each<{ what: string; ref: string; query: () => Record<string, string> }>([
    {
      what: 'a place that is not registered',
      ref: 'REDIR-42',
      query: () => ({ client_id: 'web-app', post_logout_redirect_uri: 'https://evil.test/' }),
    },
    {
      what: 'a place not registered, and a hint',
      ref: 'REDIR-42',
      query: () => ({ id_token_hint: id_token, post_logout_redirect_uri: 'https://evil.test/' }),
    },
    {
      what: 'a place with a query more',
      ref: 'REDIR-42',
      query: () => ({ client_id: 'web-app', post_logout_redirect_uri: `${signedOut}?x` }),
    },
    {
      what: 'a redirect URI, which is another list',
      ref: 'REDIR-42',
      query: () => ({ client_id: 'web-app', post_logout_redirect_uri: 'https://client.example/callback' }),
    },
    {
      what: 'a script as place',
      ref: 'CWE-79',
      query: () => ({ client_id: 'web-app', post_logout_redirect_uri: 'javascript:alert(1)' }),
    },
    { what: 'an unknown client', ref: 'OIDC RP-Initiated §2', query: () => ({ client_id: 'nobody' }) },
    {
      what: 'a hint for another client',
      ref: 'OIDC RP-Initiated §2',
      query: () => ({ client_id: 'spa', id_token_hint: id_token }),
    },
    {
      what: 'a hint with another signature',
      ref: 'TOK-20',
      query: () => ({ id_token_hint: `${id_token.slice(0, -6)}AAAAAA` }),
    },
    {
      what: 'an unsigned hint',
      ref: 'RFC 8725 §2.1',
      query: () => ({ id_token_hint: `${base64url('{"alg":"none"}')}.${id_token.split('.')[1]}.` }),
    },
    { what: 'a hint that is garbage', ref: 'TOK-20', query: () => ({ id_token_hint: 'garbage' }) },
    { what: 'a hint for NUL', ref: 'CWE-158', query: () => ({ id_token_hint: forged({ aud: 'a\u0000' }) }) },
    { what: 'a hint for a number', ref: 'CWE-843', query: () => ({ id_token_hint: forged({ aud: 5 }) }) },
    { what: 'a hint for an object', ref: 'CWE-843', query: () => ({ id_token_hint: forged({ aud: { $ne: 1 } }) }) },
    { what: 'a hint without an audience', ref: 'TOK-20', query: () => ({ id_token_hint: forged({}) }) },
  ])('is refused with $what, and redirects nowhere ($ref)', async ({ query }) => {
    const page = await visit(query());
    expect(page.status).toBe(400);
    expect(page.html).not.toMatch(/href="(javascript|https:\/\/evil)/);
    expect(await isSignedIn()).toBe(true);
  });

  test('redirects to the client with its state, when requested and confirmed', async () => {
    const page = await visit({ id_token_hint: id_token, post_logout_redirect_uri: signedOut, state: 'a&b=\r\n#' });
    const { url, status } = await browser.submit(page, { logout: 'yes' }, '/oauth/logout');
    const { origin, pathname, searchParams } = new URL(url);
    expect({ status, to: `${origin}${pathname}`, state: searchParams.get('state') }).toEqual({
      status: 303,
      to: signedOut,
      state: 'a&b=\r\n#',
    });
    expect(await isSignedIn()).toBe(false);
  });

  test('does not happen to a user who cancels', async () => {
    await browser.submit(await visit({}), {}, '/oauth/logout');
    expect(await isSignedIn()).toBe(true);
  });

  test('accepts only the confirmation of the last page shown in this browser (CWE-352)', async () => {
    const other = latchkey.browser();
    await latchkey.tokens({}, other, 'bob');
    const foreign = /name="xsrf" value="([^"]*)"/.exec((await other.get('/oauth/logout')).html)?.[1] ?? '';
    await visit({});
    const body = new URLSearchParams({ logout: 'yes', xsrf: foreign });
    expect(await browser.post('/oauth/logout/confirm', body)).toMatchObject({ status: 400 });
    expect(await isSignedIn()).toBe(true);
  });

  test.each([{ origin: 'https://evil.test' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }])(
    'accepts no confirmation from another site, even with the token of the page: %j (CWE-352)',
    async (headers) => {
      const xsrf = /name="xsrf" value="([^"]*)"/.exec((await visit({})).html)?.[1] ?? '';
      const body = new URLSearchParams({ logout: 'yes', xsrf });
      const sent = headers as Record<string, string>;
      expect(await browser.post('/oauth/logout/confirm', body, sent)).toMatchObject({ status: 403 });
      expect(await isSignedIn()).toBe(true);
    },
  );
});
