import { api, clientSecrets, password, redirectUri } from '../../../support/installation.ts';
import { type Answer, answerOf, basic, startLatchkey } from '../../../support/latchkey.ts';

const latchkey = startLatchkey();
const ask = async (path: string, init: RequestInit = {}): Promise<Answer> =>
  answerOf(await fetch(`${latchkey.issuer}${path}`, { redirect: 'manual', ...init }));
const post = (path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body: new URLSearchParams(parameters), headers });

const forPrograms = ['/oauth/token', '/oauth/introspect', '/oauth/revoke'];
const spaOrigin = 'https://spa.example';

describe('an API endpoint', () => {
  test.each(forPrograms)(
    'sends a challenge after a failed Basic authentication at %s, in JSON and uncached (RFC 6749 §5.2)',
    async (path) => {
      const { status, headers, body } = await post(
        path,
        { grant_type: 'client_credentials', token: 'any' },
        { authorization: basic('service', 'not its secret'), accept: 'text/html,*/*;q=0.2' },
      );
      expect([status, body.error]).toEqual([401, 'invalid_client']);
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm="/);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      if (path !== '/oauth/revoke') expect(headers.get('cache-control')).toBe('no-store');
    },
  );

  test('returns nothing that may be cached (RFC 6749 §5.1)', async () => {
    const tokens = await latchkey.redeem(await latchkey.code());
    const authorization = `Bearer ${tokens.body.access_token}`;
    const introspection = await latchkey.post('/oauth/introspect', { token: tokens.body.access_token }, 'web-app');
    for (const { status, headers } of [
      tokens,
      introspection,
      await ask('/oauth/userinfo', { headers: { authorization } }),
    ]) {
      expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    }
  });

  test('publishes metadata and public keys to anyone, also for HEAD (RFC 8414 §3, RFC 7517 §5)', async () => {
    for (const path of [
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/oauth/jwks',
    ]) {
      expect((await fetch(`${latchkey.issuer}${path}`, { method: 'HEAD' })).status).toBe(200);
      const { status, headers } = await ask(path, { headers: { origin: 'https://anyone.example' } });
      expect([status, headers.get('access-control-allow-origin')]).toEqual([200, 'https://anyone.example']);
    }
    const { body } = await ask('/oauth/jwks');
    const keys = body.keys as Record<string, string>[];
    expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256']);
    for (const key of keys) expect(Object.keys(key)).not.toContain('d');
  });
});

describe('userinfo', () => {
  test('names the error of the token in its challenge (RFC 6750 §3)', async () => {
    const challenge = async (authorization?: string) => {
      const { status, headers } = await ask('/oauth/userinfo', { headers: authorization ? { authorization } : {} });
      return [status, headers.get('www-authenticate')];
    };
    const realm = `Bearer realm="${latchkey.issuer}"`;
    const { access_token } = await latchkey.tokens({ scope: 'read' });
    expect(await challenge()).toEqual([401, expect.stringMatching(new RegExp(`^${realm}, DPoP `))]);
    expect(await challenge('Bearer lk_at_unknown')).toEqual([
      401,
      expect.stringContaining(`${realm}, error="invalid_token"`),
    ]);
    expect(await challenge(`Bearer ${access_token}`)).toEqual([
      403,
      expect.stringMatching(/error="insufficient_scope".*scope="openid"/),
    ]);
  });

  test('answers a POST like a GET, and no token in the URL (OpenID Connect Core §5.3.1, RFC 9700 §4.3.2)', async () => {
    const { access_token } = await latchkey.tokens({ scope: 'openid email', resource: null });
    const expected = { status: 200, body: { email: 'alice@example.com' } };
    expect(await post('/oauth/userinfo', {}, { authorization: `Bearer ${access_token}` })).toMatchObject(expected);
    expect(await post('/oauth/userinfo', { access_token })).toMatchObject(expected);
    expect(await ask(`/oauth/userinfo?access_token=${access_token}`)).toMatchObject({ status: 400 });
  });
});

describe('a page of another origin', () => {
  const allowed = ({ headers }: Answer) => headers.get('access-control-allow-origin');

  test('may call for a single-page app of that origin, and for no other client', async () => {
    const { access_token } = await latchkey.tokens({
      client_id: 'spa',
      redirect_uri: `${spaOrigin}/callback`,
      scope: 'openid',
    });
    const requests = (origin: string) => [
      post('/oauth/token', { client_id: 'spa', grant_type: 'refresh_token', refresh_token: 'any' }, { origin }),
      post('/oauth/introspect', { client_id: 'spa', token: access_token }, { origin }),
      post('/oauth/revoke', { client_id: 'spa', token: 'any' }, { origin }),
      ask('/oauth/userinfo', { headers: { origin, authorization: `Bearer ${access_token}` } }),
    ];
    expect((await Promise.all(requests(spaOrigin))).map(allowed)).toEqual(Array(4).fill(spaOrigin));
    for (const origin of ['https://client.example', 'https://spa.example.evil.example', 'http://spa.example', 'null']) {
      const answers = await Promise.all(requests(origin));
      expect(answers.map(allowed)).toEqual(Array(4).fill(null));
      expect(answers.map(({ body }) => body.error)).toEqual(Array(4).fill('invalid_request'));
    }
  });

  test('may not call for a client with a secret, which no page could keep', async () => {
    const headers = { origin: 'https://client.example', authorization: basic('web-app', clientSecrets['web-app']) };
    const answer = await post('/oauth/token', { grant_type: 'refresh_token', refresh_token: 'any' }, headers);
    expect([answer.status, answer.body.error, allowed(answer)]).toEqual([400, 'invalid_request', null]);
  });

  test('may send a preflight for methods and headers', async () => {
    const headers = {
      origin: spaOrigin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const answer = await ask('/oauth/token', { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toBe('POST');
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization');
  });
});

describe('a request that is posted instead of linked', () => {
  test('signs in as the linked one does (OpenID Connect Core §3.1.2.1)', async () => {
    const browser = latchkey.browser();
    const linked = new URL(latchkey.authorizeUrl({ client_id: 'first-party', scope: 'openid', resource: null }));
    const headers = { origin: 'https://client.example' };
    const form = await browser.post('/oauth/authorize', linked.searchParams, headers);
    const { url } = await browser.submit(form, { login: 'alice', password }, '/sign-in');
    expect(url).toContain(`${redirectUri}?code=`);
  });

  test('signs out as the linked one does (RP-Initiated Logout §2)', async () => {
    const browser = latchkey.browser();
    const { id_token } = await latchkey.tokens({}, browser);
    const post_logout_redirect_uri = 'https://client.example/signed-out';
    const question = await browser.post(
      '/oauth/logout',
      new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri }),
    );
    expect((await browser.submit(question, { logout: 'yes' }, '/oauth/logout')).url).toBe(post_logout_redirect_uri);
  });
});

describe('the policy of a page on the way to a client', () => {
  // CSP has no form for an IPv6 address: browsers would ignore it and block the redirect after the form.
  test.each([
    ['http://localhost:5001/callback', 'http://localhost:5001'],
    ['http://127.0.0.1:5001/callback', 'http://127.0.0.1:5001'],
    ['http://[::1]:5001/callback', 'http:'],
    ['com.example.app:/callback', 'com.example.app:'],
  ])('lets its form redirect to %s', async (redirect_uri, target) => {
    const url = latchkey.authorizeUrl({ client_id: 'native', redirect_uri, scope: 'openid', resource: api });
    const { headers } = await latchkey.browser().get(url);
    expect(headers.get('content-security-policy')?.split('; ').at(-1)).toBe(`form-action 'self' ${target}`);
  });
});
