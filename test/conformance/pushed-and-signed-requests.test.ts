import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { send, sendForm } from '../support/http.ts';
import { api, clientSecrets, redirectUri, standardInstallation } from '../support/installation.ts';
import { type AuthorizeOptions, basic, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

const own = await generateKeyPair('ES256', { extractable: true });
const stranger = await generateKeyPair('ES256');
const signing = {
  client_id: 'signing',
  client_name: 'Signing',
  client_secret: 'the secret of the signing app',
  redirect_uris: [redirectUri],
  scope: 'openid',
  jwks: { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'its key', alg: 'ES256' }] },
  resources: { [api]: ['read'] },
};
const asWebApp = { authorization: basic('web-app', clientSecrets['web-app']) };
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const unverified = (payload: unknown) => `${base64url('{"alg":"ES256"}')}.${base64url(JSON.stringify(payload))}.AA`;

const latchkey = startLatchkey({
  apply: { ...standardInstallation, clients: [...standardInstallation.clients, signing] },
});
const parameters = (options: AuthorizeOptions = {}) =>
  Object.fromEntries(new URL(latchkey.authorizeUrl(options)).searchParams);
const visit = (query: Record<string, string>) =>
  send(latchkey.issuer, `/oauth/authorize?${new URLSearchParams(query)}`, { headers: { accept: 'text/html' } });

describe('a pushed request', () => {
  const push = (form: Record<string, string> | string, headers: Record<string, string> = asWebApp) =>
    sendForm(latchkey.issuer, '/oauth/par', form, headers);

  test.each<{
    what: string;
    ref: string;
    form: () => Record<string, string> | string;
    headers?: Record<string, string>;
    status?: number;
    error?: string;
  }>([
    {
      what: 'a redirect URI not registered',
      ref: 'PAR-02',
      form: () => parameters({ redirect_uri: 'https://evil.test/' }),
    },
    {
      what: 'no authentication',
      ref: 'RFC 9126 §2.1',
      form: () => parameters(),
      headers: {},
      status: 401,
      error: 'invalid_client',
    },
    { what: 'the name of another client', ref: 'RFC 9126 §2.1', form: () => parameters({ client_id: 'spa' }) },
    {
      what: 'another request in it',
      ref: 'RFC 9126 §2.1',
      form: () => parameters({ request_uri: 'urn:ietf:params:oauth:request_uri:x' }),
      error: 'request_uri_not_supported',
    },
    { what: 'no PKCE', ref: 'CODE-12', form: () => parameters({ code_challenge: null, code_challenge_method: null }) },
    {
      what: 'an undeclared scope',
      ref: 'RFC 6749 §3.3',
      form: () => parameters({ scope: 'nope' }),
      error: 'invalid_scope',
    },
    {
      what: 'an unknown resource',
      ref: 'CC-04',
      form: () => parameters({ resource: 'https://evil.test' }),
      error: 'invalid_target',
    },
    {
      what: 'a parameter twice',
      ref: 'RFC 6749 §3.1',
      form: () => `${new URLSearchParams(parameters())}&nonce=a&nonce=b`,
    },
    { what: 'NUL', ref: 'CWE-158', form: () => `${new URLSearchParams(parameters())}&nonce=%00` },
    { what: '60 KB', ref: 'CWE-400', status: 413, form: () => parameters({ state: 'x'.repeat(60_000) }) },
  ])(
    'is refused with $what, and nothing is stored ($ref)',
    async ({ form, headers, status = 400, error = 'invalid_request' }) => {
      const before = await storedRows(latchkey.database);
      const answer = await push(form(), headers);
      expect(answer).toMatchObject({ status, body: { error } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await storedRows(latchkey.database)).toEqual(before);
    },
  );

  test.each<[string, (request_uri: string) => Record<string, string>]>([
    ['another client (RFC 9126 §7.2)', (request_uri) => ({ client_id: 'spa', request_uri })],
    ['no client', (request_uri) => ({ request_uri })],
    ['more behind it', (request_uri) => ({ client_id: 'web-app', request_uri: `${request_uri}x` })],
    ['a made-up name', () => ({ client_id: 'web-app', request_uri: 'urn:ietf:params:oauth:request_uri:__proto__' })],
    [
      'an address to fetch (PAR-06, RFC 9101 §10.4)',
      () => ({ client_id: 'web-app', request_uri: 'http://127.0.0.1:1/' }),
    ],
  ])('is not found by %s', async (_, query) => {
    const { body } = await push(parameters());
    const answer = await visit(query(String(body.request_uri)));
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  test('is accepted once (PAR-04, RFC 9126 §7.3)', async () => {
    const { body } = await push(parameters({ client_id: 'web-app' }));
    const query = new URLSearchParams({ client_id: 'web-app', request_uri: String(body.request_uri) });
    const browser = latchkey.browser();
    const page = await latchkey.visit(browser, `${latchkey.issuer}/oauth/authorize?${query}`);
    expect(new URL(page.url).searchParams.get('code')).toMatch(/^lk_ac_/);
    expect(await browser.get(`/oauth/authorize?${query}`)).toMatchObject({ status: 400 });
  });

  test('is not changed by parameters in the browser (RFC 9126 §4)', async () => {
    const { body } = await push(parameters({ scope: 'openid read' }));
    const browser = latchkey.browser();
    const changed = { state: 'evil', scope: 'openid write', redirect_uri: 'https://client.example/other' };
    const query = new URLSearchParams({ client_id: 'web-app', request_uri: String(body.request_uri), ...changed });
    const page = await latchkey.visit(browser, `${latchkey.issuer}/oauth/authorize?${query}`);
    const { origin, pathname, searchParams } = new URL(page.url);
    expect(`${origin}${pathname}`).toBe(redirectUri);
    expect(searchParams.get('state')).toBe('the state');
    expect((await browser.get('/account/apps')).html).not.toContain('Change your orders');
  });
});

describe('a signed request', () => {
  const sign = (claims: Record<string, unknown> = {}, key = own.privateKey) => {
    const asked = parameters({ client_id: 'signing', scope: 'openid read' });
    const kept = Object.entries({ ...asked, iss: 'signing', aud: latchkey.issuer, ...claims });
    return new SignJWT(Object.fromEntries(kept)).setProtectedHeader({ alg: 'ES256', kid: 'its key' }).sign(key);
  };

  test.each<{ what: string; ref: string; request: () => string | Promise<string>; as?: string }>([
    { what: 'a stranger’s key', ref: 'RFC 9101 §6.2', request: () => sign({}, stranger.privateKey) },
    {
      what: 'no signature',
      ref: 'RFC 9101 §10.1',
      request: () =>
        new UnsecuredJWT({ ...parameters({ client_id: 'signing' }), iss: 'signing', aud: latchkey.issuer }).encode(),
    },
    { what: 'another audience', ref: 'RFC 9101 §4', request: () => sign({ aud: 'https://evil.test' }) },
    { what: 'another issuer', ref: 'RFC 9101 §4', request: () => sign({ iss: 'web-app' }) },
    { what: 'another client in it', ref: 'RFC 9101 §5', request: () => sign({ client_id: 'web-app' }) },
    {
      what: 'the key of another client',
      ref: 'RFC 9101 §6.2',
      request: () => sign({ client_id: 'web-app', iss: 'web-app' }),
      as: 'web-app',
    },
    { what: 'an end that is over', ref: 'RFC 7519 §4.1.4', request: () => sign({ exp: 1 }) },
    { what: 'a request in it', ref: 'RFC 9101 §4', request: () => sign({ request: 'x' }) },
    { what: 'an address in it', ref: 'RFC 9101 §4', request: () => sign({ request_uri: 'https://evil.test' }) },
    {
      what: 'a redirect URI not registered',
      ref: 'RFC 9700 §4.1.3',
      request: () => sign({ redirect_uri: 'https://evil.test/' }),
    },
    { what: 'a list of scopes', ref: 'CWE-843', request: () => sign({ scope: ['openid'] }) },
    { what: 'garbage', ref: 'RFC 9101 §6.1', request: () => 'garbage' },
    { what: 'a client with NUL', ref: 'CWE-158', request: () => unverified({ client_id: 'a\u0000', iss: 'a\u0000' }) },
    { what: 'an object as client', ref: 'CWE-843', request: () => unverified({ client_id: { $ne: 1 } }) },
  ])('gets an error page, and redirects nowhere, with $what ($ref)', async ({ request, as = 'signing' }) => {
    const answer = await visit({ client_id: as, request: await request() });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  test.each<{ what: string; ref: string; claims: Record<string, unknown>; error: string }>([
    { what: 'a resource with NUL', ref: 'CWE-158', claims: { resource: 'https://x\u0000' }, error: 'invalid_target' },
    {
      what: 'two resources, one with NUL',
      ref: 'CWE-158',
      claims: { resource: [api, 'https://x\u0000'] },
      error: 'invalid_target',
    },
    {
      what: 'a resource with a lone surrogate',
      ref: 'CWE-176',
      claims: { resource: 'https://x/\ud800' },
      error: 'invalid_target',
    },
    { what: 'an object as resource', ref: 'CWE-843', claims: { resource: { $ne: 1 } }, error: 'invalid_target' },
    { what: 'numbers as resources', ref: 'CWE-843', claims: { resource: [1, null] }, error: 'invalid_target' },
    { what: 'a scope with NUL', ref: 'CWE-158', claims: { scope: 'openid\u0000' }, error: 'invalid_scope' },
    { what: 'a state with NUL', ref: 'RFC 6749 appendix A.5', claims: { state: 'a\u0000b' }, error: 'invalid_request' },
    { what: 'half a surrogate pair as nonce', ref: 'CWE-176', claims: { nonce: '\ud800' }, error: 'invalid_request' },
    { what: 'a login hint with NUL', ref: 'CWE-158', claims: { login_hint: 'a\u0000' }, error: 'invalid_request' },
    {
      what: 'preferences with NUL',
      ref: 'CWE-158',
      claims: { acr_values: '\u0000', ui_locales: '\u0000' },
      error: 'invalid_request',
    },
    { what: 'an age beyond all numbers', ref: 'CWE-190', claims: { max_age: 1e300 }, error: 'invalid_request' },
    {
      what: 'a hint with NUL',
      ref: 'CWE-158',
      claims: { id_token_hint: unverified({ aud: 'a\u0000' }) },
      error: 'invalid_request',
    },
  ])('is refused, not failed, with $what ($ref)', async ({ claims, error }) => {
    const answer = await visit({ client_id: 'signing', request: await sign(claims) });
    const { origin, pathname, searchParams } = new URL(answer.headers.get('location') ?? '');
    expect({ status: answer.status, to: `${origin}${pathname}`, error: searchParams.get('error') }).toEqual({
      status: 303,
      to: redirectUri,
      error,
    });
  });
});
