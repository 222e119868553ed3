import { exchange, type Sent, send, sendForm } from '../support/http.ts';
import { clientSecrets } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

const wellKnown = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];
const evil = 'https://evil.test';

const latchkey = startLatchkey();

describe('the metadata', () => {
  const metadata = async (path = wellKnown[0] ?? '') => (await send(latchkey.issuer, path)).body;

  test('is the same for OpenID Connect and for OAuth (META-02, RFC 8414 §3)', async () => {
    const [first, second] = await Promise.all(wellKnown.map(metadata));
    expect(first).toEqual(second);
    expect(first?.issuer).toBe(latchkey.issuer);
  });

  test('names only addresses of this server, and each exists', async () => {
    const endpoints = Object.entries(await metadata()).filter(([name]) => /_endpoint$|_uri$/.test(name));
    expect(endpoints.length).toBeGreaterThanOrEqual(7);
    for (const [, url] of endpoints) {
      expect(url).toMatch(new RegExp(`^${latchkey.issuer}/`));
      expect((await send(latchkey.issuer, new URL(String(url)).pathname)).status).not.toBe(404);
    }
  });

  test('lists nothing unsafe (META-04, RFC 9700 §2)', async () => {
    const body = await metadata();
    expect(body).toMatchObject({
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
    const everything = JSON.stringify(body);
    for (const word of ['implicit', 'password', '"plain"', 'HS256', 'client_secret_jwt', 'id_token token']) {
      expect(everything).not.toContain(word);
    }
    for (const [name, values] of Object.entries(body)) {
      if (/alg_values_supported$/.test(name)) expect(values).not.toContain('none');
    }
  });

  test('points to keys that are public, distinct and strong (META-06, RFC 7518 §3)', async () => {
    const { headers, body } = await send(latchkey.issuer, '/oauth/jwks');
    const keys = body.keys as Record<string, string>[];
    expect(headers.get('content-type')).toMatch(/^application\/jwk-set\+json/);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      expect(key).toMatchObject({
        use: 'sig',
        kid: expect.any(String),
        alg: expect.stringMatching(/^(ES256|EdDSA|RS256|PS256)$/),
      });
      expect(Object.keys(key).filter((member) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(member))).toEqual([]);
      if (key.kty === 'RSA') expect(Buffer.from(key.n ?? '', 'base64url').length).toBeGreaterThanOrEqual(256);
    }
  });
});

describe('a script of another origin', () => {
  const allowed = (headers: Headers) => headers.get('access-control-allow-origin');

  test.each([...wellKnown, '/oauth/jwks'])('may read %s (CORS-04)', async (path) => {
    const { status, headers } = await send(latchkey.issuer, path, { headers: { origin: evil } });
    expect(status).toBe(200);
    expect(['*', evil]).toContain(allowed(headers));
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  test.each([
    '/',
    '/sign-in',
    '/account',
    '/account/apps',
    '/oauth/authorize',
    '/oauth/logout',
    '/setup/x',
    '/nothing',
  ])('cannot read a page: %s (CORS-02)', async (path) => {
    for (const method of ['GET', 'OPTIONS']) {
      const headers = { origin: evil, 'access-control-request-method': 'POST' };
      expect(allowed((await send(latchkey.issuer, path, { method, headers })).headers)).toBeNull();
    }
  });

  test.each([
    ['its own', 'https://spa.example', true],
    ['another', evil, false],
    ['an opaque one', 'null', false],
    ['one that only begins the same', 'https://spa.example.evil.test', false],
    ['one that only ends the same', 'https://evil-spa.example', false],
    ['another port', 'https://spa.example:8443', false],
    ['another scheme', 'http://spa.example', false],
    ['a file', 'file://', false],
  ])('may use the tokens of a public client from %s (CORS-02)', async (_, origin, isAllowed) => {
    const spa = { client_id: 'spa', redirect_uri: 'https://spa.example/callback', scope: 'openid read' };
    const { access_token, refresh_token } = await latchkey.tokens(spa);
    const form = { grant_type: 'refresh_token', refresh_token, client_id: 'spa' };
    const answers = [
      await send(latchkey.issuer, '/oauth/userinfo', { headers: { origin, authorization: `Bearer ${access_token}` } }),
      await sendForm(latchkey.issuer, '/oauth/token', form, { origin }),
    ];
    for (const { status, headers } of answers) {
      expect({ status, origin: allowed(headers) }).toEqual(
        isAllowed ? { status: 200, origin } : { status: 400, origin: null },
      );
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('vary')).toContain('Origin');
    }
    if (!isAllowed) expect(await latchkey.refresh(refresh_token, 'spa')).toMatchObject({ status: 200 });
  });

  test.each(['https://client.example', evil])(
    'can never authenticate as a client with a secret: %s (CORS-02)',
    async (origin) => {
      const { refresh_token, access_token } = await latchkey.tokens();
      const authorization = basic('web-app', clientSecrets['web-app']);
      for (const [path, form] of [
        ['/oauth/token', { grant_type: 'refresh_token', refresh_token }],
        ['/oauth/introspect', { token: access_token }],
        ['/oauth/revoke', { token: access_token }],
      ] as const) {
        const answer = await sendForm(latchkey.issuer, path, form, { origin, authorization });
        expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
        expect(allowed(answer.headers)).toBeNull();
      }
      expect(await latchkey.isActive(access_token)).toBe(true);
    },
  );

  const type = 'application/x-www-form-urlencoded';
  test.each<[string, string, Sent, number]>([
    ['a form too large', '/oauth/token', { body: `scope=${'a'.repeat(70_000)}` }, 413],
    ['a control character', '/oauth/token', { body: 'grant_type=%00' }, 400],
    ['two thousand parameters', '/oauth/revoke', { body: 'a=1&'.repeat(2000) }, 400],
    ['a compressed form', '/oauth/par', { body: 'x', headers: { 'content-encoding': 'gzip' } }, 415],
    ['a control character in the query', '/oauth/userinfo?a=%00', { method: 'GET' }, 400],
    ['another host', '/oauth/introspect', { body: 'token=x', headers: { host: 'evil.test' } }, 421],
    ['another method', '/oauth/token', { method: 'GET' }, 405],
    ['another method for the keys', '/oauth/jwks', { body: 'x=1' }, 405],
    ['another method for the metadata', '/.well-known/openid-configuration', { method: 'PUT' }, 405],
    [
      'another host for the metadata',
      '/.well-known/openid-configuration',
      { method: 'GET', headers: { host: 'x' } },
      421,
    ],
    ['another host for the status lists', '/status-lists', { method: 'GET', headers: { host: 'x' } }, 421],
  ])('can read why the edge refuses: %s (Fetch Standard §3.3.4)', async (_, path, sent, status) => {
    const headers = { origin: 'https://spa.example', 'content-type': type, ...sent.headers };
    const answer = await send(latchkey.issuer, path, { method: 'POST', ...sent, headers });
    expect(answer.status).toBe(status);
    expect(['*', 'https://spa.example']).toContain(allowed(answer.headers));
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    if (allowed(answer.headers) !== '*') expect(answer.headers.get('vary')).toContain('Origin');
  });

  test.each([
    ['too many headers', `POST /oauth/token HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['a header that is none', 'POST /oauth/token HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n', 400],
  ])('can read why its request was not parsed: %s', async (_, bytes, status) => {
    const { text } = await exchange(latchkey.issuer, bytes, 2000);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toContain('\r\nAccess-Control-Allow-Origin: *\r\n');
  });

  test.each(['a"b', 'x'.repeat(4000), '\u00ff', '*', "https://evil.test' or 1=1"])(
    'gets a refusal, not a failure: Origin %j',
    async (origin) => {
      const form = { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'spa' };
      const answer = await sendForm(latchkey.issuer, '/oauth/token', form, { origin });
      expect(answer).toMatchObject({ status: 400 });
      expect(allowed(answer.headers)).toBeNull();
    },
  );
});
