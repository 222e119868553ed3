import { send, sendForm } from '../support/http.ts';
import { password } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

const alice = { login: 'alice', password };
const bob = { login: 'bob', password };
const nothing = '------------------------------------';

type Form = {
  what: string;
  open: (browser: UserAgent) => Promise<Page>;
  fields: Record<string, string>;
  action: string;
};

describe('a form of the pages', () => {
  const latchkey = startLatchkey();
  const csrfOf = ({ html }: Page) => /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';

  async function signedIn(person = alice): Promise<UserAgent> {
    const browser = latchkey.browser();
    await browser.submit(await browser.get('/sign-in'), person, '/sign-in');
    return browser;
  }

  const forms: Form[] = [
    { what: 'signing in', open: (browser) => browser.get('/sign-in'), fields: bob, action: '/sign-in' },
    {
      what: 'signing in for an app (CSRF-01)',
      open: async (browser) => browser.get(latchkey.authorizeUrl({ prompt: 'login' })),
      fields: bob,
      action: '/sign-in',
    },
    {
      what: 'consenting (CSRF-02)',
      open: async (browser) =>
        browser.get(latchkey.authorizeUrl({ prompt: 'consent', client_id: 'post-app', scope: 'openid' })),
      fields: { decision: 'allow' },
      action: '/consent',
    },
    {
      what: 'switching the account',
      open: async (browser) =>
        browser.get(latchkey.authorizeUrl({ prompt: 'consent', client_id: 'post-app', scope: 'openid' })),
      fields: {},
      action: '/switch-account',
    },
    {
      what: 'changing the password',
      open: async (browser) => browser.get('/account/password'),
      fields: { current_password: password, password: 'another long one', password_repeated: 'another long one' },
      action: '/account/password',
    },
  ];

  const forgeries: [string, Record<string, string>, (token: string) => string][] = [
    ['from another origin', { origin: 'https://evil.test' }, (token) => token],
    ['from an opaque origin', { origin: 'null' }, (token) => token],
    ['from the other scheme', { origin: 'https://localhost' }, (token) => token],
    ['that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, (token) => token],
    ['that the browser calls same-site', { 'sec-fetch-site': 'same-site' }, (token) => token],
    ['without the token', {}, () => ''],
    ['with another token', {}, (token) => `${token.slice(0, -2)}xx`],
    ['with more than the token', {}, (token) => `${token}x`],
  ];

  describe.each(forms)('$what', ({ open, fields, action }) => {
    test.each(forgeries)('is refused %s, and nothing happens', async (_, headers, forge) => {
      const browser = await signedIn();
      const page = await open(browser);
      const target = [...page.html.matchAll(/action="([^"]*)"/g)]
        .map(([, each = '']) => each)
        .find((each) => each.includes(action));
      const body = new URLSearchParams({ ...fields, csrf: forge(csrfOf(page)) });
      const answer = await browser.post(target ?? page.url, body, headers);
      expect(answer).toMatchObject({ status: 403, html: expect.stringContaining('could not be submitted') });
      expect((await browser.get('/account')).html).toContain('Alice Example');
      expect((await browser.get('/account/apps')).html).not.toContain('Newsletter');
      expect(await latchkey.auditEvents('user.password_changed')).toEqual([]);
    });
  });

  test('accepts only the token of this browser (CWE-352)', async () => {
    const [own, other] = [latchkey.browser(), latchkey.browser()];
    const page = await own.get('/sign-in');
    const foreign = csrfOf(await other.get('/sign-in'));
    const answer = await own.post('/sign-in', new URLSearchParams({ ...alice, csrf: foreign }));
    expect(answer.status).toBe(403);
    expect((await own.post('/sign-in', new URLSearchParams({ ...alice, csrf: csrfOf(page) }))).url).toContain(
      '/account',
    );
  });

  test.each([
    ['in the query', (csrf: string) => ({ path: `/sign-in?csrf=${csrf}`, body: [] as [string, string][] })],
    [
      'after a wrong one',
      (csrf: string) => ({
        path: '/sign-in',
        body: [
          ['csrf', 'x'],
          ['csrf', csrf],
        ] as [string, string][],
      }),
    ],
  ])('accepts no token %s', async (_, forge) => {
    const browser = latchkey.browser();
    const { path, body } = forge(csrfOf(await browser.get('/sign-in')));
    const answer = await browser.post(path, new URLSearchParams([...body, ...Object.entries(alice)]));
    expect(answer.status).toBe(403);
  });

  test.each([
    ['JSON (CWE-352)', 'application/json', '{"login":"alice"}'],
    ['plain text (CWE-352)', 'text/plain', 'login=alice'],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['nothing', '', ''],
  ])('is a form, not %s', async (_, type, body) => {
    const headers = { origin: latchkey.issuer, ...(type ? { 'content-type': type } : {}) };
    expect(await send(latchkey.issuer, '/sign-in', { method: 'POST', headers, body })).toMatchObject({ status: 403 });
  });

  test.each([
    { path: '/oauth/logout/confirm', form: { logout: 'yes' } },
    { path: '/oauth/logout/confirm', form: { logout: 'yes', xsrf: 'x' } },
  ])('signs no one out without the token of the page: $form (CSRF-04)', async ({ path, form }) => {
    const browser = await signedIn();
    await browser.get('/oauth/logout');
    const answer = await browser.post(path, new URLSearchParams(form as Record<string, string>));
    expect(answer.status).toBe(400);
    expect((await browser.get('/account')).html).toContain('Alice Example');
  });

  test.each([nothing, 'a'.repeat(36), 'x', '%00', '..%2f..', '0198c5c9-7c1e-7000-8000-000000000000', "'%20or%201=1"])(
    'cannot revoke a consent called %s: it does not exist (404)',
    async (id) => {
      const browser = await signedIn();
      const page = await browser.get(`/account/apps/${id}/revoke-access`);
      expect(page.status).toBe(404);
      const csrf = csrfOf(await browser.get('/account/password'));
      expect(await browser.post(`/account/apps/${id}/revoke-access`, new URLSearchParams({ csrf }))).toMatchObject({
        status: 404,
      });
    },
  );

  test('revokes no consent of another user (ADM-02)', async () => {
    const browser = latchkey.browser();
    const { refresh_token } = await latchkey.tokens({}, browser);
    const [, id = ''] =
      /\/account\/apps\/([0-9a-f-]{36})\/revoke-access/.exec((await browser.get('/account/apps')).html) ?? [];
    expect(id).not.toBe('');
    const other = await signedIn(bob);
    expect(await other.get(`/account/apps/${id}/revoke-access`)).toMatchObject({ status: 404 });
    const csrf = csrfOf(await other.get('/account/password'));
    expect(await other.post(`/account/apps/${id}/revoke-access`, new URLSearchParams({ csrf }))).toMatchObject({
      status: 404,
    });
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });
  });

  test.each([
    '//evil.test',
    'https://evil.test',
    '/\\evil.test',
    '/account/../..//evil.test',
    '/account//evil.test',
    '/account/%2f%2fevil.test',
    'javascript:alert(1)',
    '/oauth/authorize?client_id=x',
    '/account\r\nSet-Cookie: x=y',
    '/account@evil.test',
    '/console//evil.test',
    '/console/../..//evil.test',
    '/console@evil.test',
    '/console\\evil.test',
  ])('redirects to no other site: return_to=%j (CWE-601)', async (target) => {
    for (const query of [
      `return_to=${encodeURIComponent(target)}`,
      `return_to=/account&return_to=${encodeURIComponent(target)}`,
    ]) {
      const browser = latchkey.browser();
      const page = await browser.submit(await browser.get(`/sign-in?${query}`), alice, '/sign-in');
      expect(page.url).toBe(`${latchkey.issuer}/account`);
    }
  });

  test.each([
    '?q=<script>alert(1)</script>',
    '?page=-1',
    '?page=1e9',
    '?page=9999999999999999',
    '?sort=__proto__',
    '?q=%25&q=x',
    '?q[]=x',
    '?revoked=<b>',
  ])('shows its list with any query: %s', async (query) => {
    const page = await (await signedIn()).get(`/account/apps${query}`);
    expect(page.status).toBe(200);
    expect(page.html).not.toContain('<script>alert');
  });

  test('cannot be submitted during setup with a guessed link (CWE-598)', async () => {
    for (const secret of ['x', 'lk_setup_x', '%00', '..%2fsign-in', 'a'.repeat(5000)]) {
      expect(await latchkey.browser().get(`/setup/${secret}`)).toMatchObject({ status: 404 });
      expect(await sendForm(latchkey.issuer, `/setup/${secret}`, alice)).toMatchObject({ status: 403 });
    }
  });
});
