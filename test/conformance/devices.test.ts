import { sendForm } from '../support/http.ts';
import { api, clientSecrets, standardInstallation } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';
import type { UserAgent } from '../support/user-agent.ts';

const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
const device = (client_id: string, client_name: string) => ({
  client_id,
  client_name,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [grant_type, 'refresh_token'],
  scope: 'openid',
  resources: { [api]: ['read'] },
});
const clients = [...standardInstallation.clients, device('tv', 'Television'), device('radio', 'Radio')];

describe('a device', () => {
  const latchkey = startLatchkey({ apply: { ...standardInstallation, clients } });
  const ask = (form: Record<string, string> | string, headers: Record<string, string> = {}) =>
    sendForm(latchkey.issuer, '/oauth/device_authorization', form, headers);
  const begin = async () =>
    (await ask({ client_id: 'tv', scope: 'openid read', resource: api })).body as unknown as {
      device_code: string;
      user_code: string;
      expires_in: number;
    };
  const poll = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    sendForm(latchkey.issuer, '/oauth/token', { grant_type, ...form }, headers);

  test.each<{
    what: string;
    ref: string;
    form: Record<string, string> | string;
    headers?: Record<string, string>;
    status?: number;
    error: string;
  }>([
    {
      what: 'an unknown client',
      ref: 'RFC 8628 §3.1',
      form: { client_id: 'nobody' },
      status: 401,
      error: 'invalid_client',
    },
    { what: 'no client', ref: 'RFC 6749 §5.2', form: {}, status: 401, error: 'invalid_client' },
    {
      what: 'an undeclared scope',
      ref: 'RFC 6749 §3.3',
      form: { client_id: 'tv', scope: 'nope' },
      error: 'invalid_scope',
    },
    {
      what: 'a scope not for it',
      ref: 'RFC 6749 §3.3',
      form: { client_id: 'tv', scope: 'write', resource: api },
      error: 'invalid_scope',
    },
    {
      what: 'an unknown resource',
      ref: 'CC-04',
      form: { client_id: 'tv', resource: 'https://evil.test' },
      error: 'invalid_target',
    },
    { what: 'a parameter twice', ref: 'RFC 6749 §3.2', form: 'client_id=tv&client_id=radio', error: 'invalid_request' },
    { what: 'NUL', ref: 'CWE-158', form: 'client_id=tv&scope=%00', error: 'invalid_request' },
  ])('gets no code for $what, and nothing is stored ($ref)', async ({ form, headers, status = 400, error }) => {
    const before = await storedRows(latchkey.database);
    expect(await ask(form, headers)).toMatchObject({ status, body: { error } });
    expect(await storedRows(latchkey.database)).toEqual(before);
  });

  test('gets a user code that is hard to guess and expires soon (DEV-04, RFC 8628 §5.1)', async () => {
    const codes = [await begin(), await begin(), await begin()];
    expect(new Set(codes.map(({ user_code }) => user_code)).size).toBe(3);
    for (const { user_code, device_code, expires_in } of codes) {
      expect(user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      expect(device_code.length).toBeGreaterThanOrEqual(43);
      expect(expires_in).toBeLessThanOrEqual(1800);
    }
  });

  test('is refused the code of another device, which is not throttled by it (DEV-02)', async () => {
    const { device_code } = await begin();
    expect(await poll({ device_code, client_id: 'tv' })).toMatchObject({
      status: 400,
      body: { error: 'authorization_pending' },
    });
    for (let n = 0; n < 5; n += 1) {
      expect(await poll({ device_code, client_id: 'radio' })).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    }
    await latchkey.advance(6);
    expect(await poll({ device_code, client_id: 'tv' })).toMatchObject({
      status: 400,
      body: { error: 'authorization_pending' },
    });
  });

  test.each([
    { what: 'garbage', form: { device_code: 'x', client_id: 'tv' }, error: 'invalid_grant' },
    { what: 'no code', form: { client_id: 'tv' }, error: 'invalid_request' },
    { what: 'the name of a prototype', form: { device_code: '__proto__', client_id: 'tv' }, error: 'invalid_grant' },
    { what: '50 KB', form: { device_code: 'x'.repeat(50_000), client_id: 'tv' }, error: 'invalid_grant' },
    { what: 'a client that is no device', form: { device_code: 'x', client_id: 'spa' }, error: 'unauthorized_client' },
  ])('is refused with $what (RFC 8628 §3.5)', async ({ form, error }) => {
    expect(await poll(form as Record<string, string>)).toMatchObject({ status: 400, body: { error } });
  });

  test('is refused the user code as device code', async () => {
    const { user_code } = await begin();
    expect(await poll({ device_code: user_code, client_id: 'tv' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('cannot be a web client, whatever its authentication', async () => {
    const authorization = basic('web-app', clientSecrets['web-app']);
    const answer = await poll({ device_code: 'x' }, { authorization });
    expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
  });

  describe('a device that awaits confirmation', () => {
    const enter = async (browser: UserAgent, user_code: string) =>
      browser.submit(await browser.get('/device'), { user_code }, '/device');
    const xsrfOf = (html: string) => /name="xsrf" value="([^"]*)"/.exec(html)?.[1] ?? '';

    test.each(['', 'x', 'BCDF-GHJK', '__proto__', "' or 1=1 --", '😀', 'x'.repeat(5000), '<script>alert(1)</script>'])(
      'is not found by the code %j, which does not become markup (XSS-04)',
      async (user_code) => {
        const page = await enter(latchkey.browser(), user_code);
        expect(page.status).toBe(200);
        expect(page.html).toMatch(/role="alert"/);
        expect(page.html).toMatch(/This code is not valid|Enter the code that your device shows\.\s*</);
        expect(page.html).not.toContain('<script>alert');
        const link = await latchkey.browser().get(`/device?${new URLSearchParams({ user_code })}`);
        expect(link).toMatchObject({ status: 200, html: expect.not.stringContaining('<script>alert') });
      },
    );

    test.each<[string, Record<string, string>, boolean]>([
      ['from another origin', { origin: 'https://evil.test' }, true],
      ['from an opaque origin', { origin: 'null' }, true],
      ['that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, true],
      ['without its token', {}, false],
    ])('is not confirmed by a form %s (DEV-06, RFC 8628 §5.4)', async (_, headers, withToken) => {
      const { user_code } = await begin();
      const browser = latchkey.browser();
      const { html } = await enter(browser, user_code);
      const xsrf = withToken ? xsrfOf(html) : 'x';
      const answer = await browser.post('/device', new URLSearchParams({ user_code, confirm: 'yes', xsrf }), headers);
      expect([400, 403]).toContain(answer.status);
      expect(answer.url).toBe(`${latchkey.issuer}/device`);
    });

    test('is not confirmed by following a link (RFC 8628 §5.4)', async () => {
      const { user_code } = await begin();
      const page = await latchkey.browser().get(`/device?user_code=${user_code}&confirm=yes`);
      expect(page.url).toContain('/device');
      expect(page.html).not.toMatch(/Television|<script>(?!<)/);
    });
  });
});
