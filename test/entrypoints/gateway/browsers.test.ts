import { asOwner } from '../../support/admin.ts';
import { Gateway } from '../../support/gateway.ts';
import { type Sent, send } from '../../support/http.ts';
import { api, jwtApi } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';

const byPath = '?permission=database:read:{path.1}';
const preflight = {
  'x-original-method': 'OPTIONS',
  'x-original-uri': '/products',
  origin: 'https://shop.example',
  'access-control-request-method': 'POST',
};
const identity = 'subject subject-kind client-id credential key-id environment permissions expires-at'.split(' ');

describe('the gateway, for APIs that browsers and other programs call,', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' } });
  let gateway: Gateway;
  let key = '';
  beforeAll(async () => {
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
    ({ key } = await gateway.mint({ owner: { client_id: 'service' } }));
  });

  const ask = (query: string, headers: Record<string, string>, sent: Sent = {}) =>
    send(latchkey.issuer, `/gateway/forward-auth${query}`, { ...sent, headers });
  const basicOf = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`;

  test.each<[string, string, Record<string, string>]>([
    ['X-Original-Method', '', preflight],
    ['X-Forwarded-Method', '', { ...preflight, 'x-original-method': '', 'x-forwarded-method': 'OPTIONS' }],
    ['the headers that are configured', '&described-by=x-original', { ...preflight, 'x-forwarded-method': 'GET' }],
    ['its method in small letters', '', { ...preflight, 'x-original-method': 'options' }],
  ])('allows a preflight without an identity: %s (Fetch Standard §3.3.3)', async (_, query, given) => {
    const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
    const spoofed = { 'x-latchkey-subject': 'admin', 'x-latchkey-permissions': '*' };
    const answer = await ask(`${byPath}&preflight=allow${query}`, { ...headers, ...spoofed });
    expect(answer.status).toBe(200);
    for (const name of identity) expect(answer.headers.get(`x-latchkey-${name}`)).toBe('');
  });

  const without = (name: keyof typeof preflight) => {
    const { [name]: _, ...rest } = preflight;
    return rest;
  };
  test.each<[string, string, Record<string, string>]>([
    ['the query does not allow it', byPath, preflight],
    ['the proxy says no method', `${byPath}&preflight=allow`, without('x-original-method')],
    ['the proxy says another method', `${byPath}&preflight=allow`, { ...preflight, 'x-original-method': 'GET' }],
    ['it has no origin', `${byPath}&preflight=allow`, without('origin')],
    ['it asks for no method', `${byPath}&preflight=allow`, without('access-control-request-method')],
    [
      'it asks for no name of a method',
      `${byPath}&preflight=allow`,
      { ...preflight, 'access-control-request-method': 'a b' },
    ],
    ['it names another method', `${byPath}&preflight=allow`, { ...preflight, 'x-http-method-override': 'DELETE' }],
    ...['x-http-method', 'x-method-override', 'x-method', 'x_http_method_override', 'x-original-http-method'].map(
      (name): [string, string, Record<string, string>] => [
        `it names another method in ${name}`,
        `${byPath}&preflight=allow`,
        { ...preflight, [name]: 'DELETE' },
      ],
    ),
    [
      'it names another method in its query',
      `${byPath}&preflight=allow`,
      { ...preflight, 'x-original-uri': '/products?_method=DELETE' },
    ],
    [
      'only the client says that it is one',
      `${byPath}&preflight=allow&described-by=x-forwarded`,
      { ...preflight, 'x-forwarded-method': 'GET' },
    ],
    ['only the client says a method', `${byPath}&preflight=allow&described-by=x-forwarded`, preflight],
    ['it has cookies', `${byPath}&preflight=allow`, { ...preflight, cookie: 'session=1' }],
    ['it has another Authorization', `${byPath}&preflight=allow`, { ...preflight, authorization: 'Basic eDp5' }],
  ])('allows no other request without a credential: %s', async (_, query, headers) => {
    const answer = await ask(query, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('x-latchkey-subject')).toBeNull();
    // The method of the gateway request is chosen by the proxy.
    expect((await ask(query, headers, { method: 'OPTIONS' })).status).toBe(401);
  });

  test.each<[string, string, Record<string, string>]>([
    ['two methods that disagree', 'allow', { ...preflight, 'x-forwarded-method': 'GET' }],
    ['another word', 'deny', preflight],
    ['nothing', '', preflight],
    ['two words', 'allow&preflight=deny', preflight],
  ])('refuses ambiguous requests: %s', async (_, word, headers) => {
    expect((await ask(`${byPath}&preflight=${word}`, headers)).status).toBe(400);
  });

  test('checks a credential in a preflight like any other', async () => {
    expect((await ask(`${byPath}&preflight=allow`, { ...preflight, 'x-api-key': `${key}x` })).status).toBe(401);
    const answer = await ask(`${byPath}&preflight=allow`, { ...preflight, 'x-api-key': key });
    expect([answer.status, answer.headers.get('x-latchkey-subject')]).toEqual([200, 'service']);
  });

  test('allows no preflight for Envoy, where the client states the method', async () => {
    const { origin, 'access-control-request-method': asked } = preflight;
    const path = '/gateway/ext-authz/database%3Aread%3A%7Bpath.1%7D/-/products?preflight=allow';
    const headers = { origin, 'access-control-request-method': asked };
    expect((await send(latchkey.issuer, path, { method: 'OPTIONS', headers })).status).toBe(401);
  });

  test.each([
    ['the user name', (text: string) => basicOf(text, '')],
    ['the user name, with a password', (text: string) => basicOf(text, 'x')],
    ['the password', (text: string) => basicOf('api', text)],
    ['both', (text: string) => basicOf(text, text)],
    ['the user name, the scheme in capitals', (text: string) => basicOf(text, '').replace('Basic', 'BASIC')],
  ])('accepts an API key as %s of HTTP Basic (RFC 7617)', async (_, written) => {
    const headers = { authorization: written(key), 'x-original-uri': '/products' };
    const answer = await ask(byPath, headers);
    expect([answer.status, answer.headers.get('x-latchkey-credential')]).toEqual([200, 'api_key']);
    const path = '/gateway/ext-authz/database%3Aread%3A%7Bpath.1%7D/-/products';
    expect((await send(latchkey.issuer, path, { headers })).status).toBe(200);
    const cut = await ask(byPath, { ...headers, authorization: written(key.slice(0, -1)) });
    expect([cut.status, cut.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Bearer error="invalid_token"/),
    ]);
  });

  test.each([
    ['no colon', () => `Basic ${btoa(key)}`],
    ['no base64', () => `Basic ${key}:`],
    ['neither part a key', () => basicOf('alice', 'secret')],
    ['nothing', () => 'Basic '],
  ])('does not treat %s as a credential', async (_, written) => {
    const answer = await ask(byPath, { authorization: written(), 'x-original-uri': '/products' });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="latchkey"']);
  });

  test('refuses two different keys in one HTTP Basic', async () => {
    const { key: other } = await gateway.mint();
    const headers = { authorization: basicOf(key, other), 'x-original-uri': '/products' };
    expect((await ask(byPath, headers)).status).toBe(400);
  });

  test.each([
    ['Basic', basic('alice', 'secret')],
    ['Bearer', 'Bearer eyJhbGciOiJub25lIn0.e30.c2ln'],
    ['a scheme of its own', 'AWS4-HMAC-SHA256 Credential=x/y'],
  ])('checks X-API-Key beside an Authorization header of the application: %s', async (_, authorization) => {
    const headers = { authorization, 'x-original-uri': '/products' };
    for (let round = 0; round < 2; round += 1) {
      const answer = await ask(byPath, { ...headers, 'x-api-key': key });
      expect([answer.status, answer.headers.get('x-latchkey-subject')]).toEqual([200, 'service']);
    }
    expect((await ask(byPath, { ...headers, 'x-api-key': `${key}x` })).status).toBe(401);
  });

  test('refuses two credentials of Latchkey, of which an API could read the other one', async () => {
    const { access_token } = await latchkey.tokens({ resource: api });
    const { body } = await latchkey.clientCredentials({ resource: jwtApi, scope: 'report:read' });
    const { key: other } = await gateway.mint();
    const seconds = [
      `Bearer ${access_token}`,
      `Bearer ${body.access_token}`,
      `Bearer ${other}`,
      `Bearer ${key}`,
      basicOf('api', other),
    ];
    for (const authorization of seconds) {
      const headers = { authorization, 'x-api-key': key, 'x-original-uri': '/products' };
      expect((await ask(byPath, headers)).status).toBe(400);
    }
  });

  test('returns the remaining limit with an allowed request (draft-ietf-httpapi-ratelimit-headers)', async () => {
    const limits = { rate_limit: ['3 Grüße/hour', { limit: '2 requests/minute', for: ['database:read:*'] }] };
    const { key: limited } = await gateway.mint({ restrictions: { ...limits, quota: { day: 10 } } });
    const headers = { 'x-api-key': limited, 'x-original-uri': '/products' };
    const state = async () => {
      const answer = await ask(byPath, headers);
      return [answer.status, answer.headers.get('ratelimit-policy'), answer.headers.get('ratelimit')];
    };
    const policy = '"3 Gr??e/hour";q=3, "2 requests/minute for database:read:*";q=2, "10 in a day";q=10';
    const left = (a: number, b: number, c: number) =>
      expect.stringMatching(
        new RegExp(
          `^"3 Gr\\?\\?e/hour";r=${a};t=\\d+, "2 requests/minute for database:read:\\*";r=${b};t=\\d+, "10 in a day";r=${c};t=\\d+$`,
        ),
      );
    expect(await state()).toEqual([200, policy, left(2, 1, 9)]);
    // The key is cached now, so the request is answered before Koa.
    expect(await state()).toEqual([200, policy, left(1, 0, 8)]);
    expect(await state()).toEqual([429, policy, left(1, 0, 8)]);
    const unlimited = await ask(byPath, { 'x-api-key': key, 'x-original-uri': '/products' });
    expect([unlimited.status, unlimited.headers.get('ratelimit')]).toEqual([200, null]);
  });
});
