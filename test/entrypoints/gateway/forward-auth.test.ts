import { request } from 'node:http';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { boundToken, Gateway } from '../../support/gateway.ts';
import { api } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const byPath = '?permission=database:read:{path.1}';

describe('a proxy that asks /gateway/forward-auth', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' } });
  let owner: AdminApi;
  let gateway: Gateway;
  let key = '';
  let id = '';
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    ({ key, id } = await gateway.mint({ owner: { client_id: 'service' } }));
  });

  /** With headers in wire format, including repeated ones. */
  const raw = (path: string, headers: Record<string, string | string[]>, method = 'GET') =>
    new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
      const { hostname, port } = new URL(latchkey.issuer);
      const sent = request({ hostname, port, path, method, headers }, (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      });
      sent.on('error', reject);
      sent.end();
    });

  test('allows a request and names its owner, in headers that are always all set', async () => {
    const spoofed = { 'x-latchkey-subject': 'admin', 'x-latchkey-key-id': 'forged' };
    for (const headers of [
      { 'x-api-key': key, 'x-original-uri': '/products/42?page=1' },
      { authorization: `Bearer ${key}`, 'x-forwarded-uri': '/products', 'x-forwarded-method': 'GET' },
      { authorization: `bearer ${key}`, 'x-forwarded-uri': '/products/', 'x-forwarded-host': 'shop.example' },
    ]) {
      const answer = await gateway.forwardAuth(byPath, { ...headers, ...spoofed });
      expect(answer.status).toBe(200);
      expect(Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('x-latchkey-')))).toEqual({
        'x-latchkey-subject': 'service',
        'x-latchkey-subject-kind': 'client',
        'x-latchkey-client-id': 'service',
        'x-latchkey-credential': 'api_key',
        'x-latchkey-key-id': id,
        'x-latchkey-environment': 'dev',
        'x-latchkey-permissions': 'database:read:products',
        'x-latchkey-expires-at': expect.stringMatching(/Z$/),
      });
    }
    const { access_token } = await latchkey.tokens();
    const headers = { authorization: `Bearer ${access_token}` };
    const answer = await gateway.forwardAuth(`?permission=read&resource=${api}`, { ...headers, ...spoofed });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-latchkey-key-id')).toBe('');
    expect(answer.headers.get('x-latchkey-credential')).toBe('access_token');
  });

  test.each(['{action}', '{method}'])(
    'derives no permission with %s if the method of the request is unknown',
    async (placeholder) => {
      const { key: able } = await gateway.mint({
        owner: { client_id: 'service' },
        permissions: ['database:read:products', 'database:get:products'],
        roles: [],
      });
      const at = `?permission=database:${placeholder}:products`;
      const described = { 'x-api-key': able, 'x-original-uri': '/products' };
      for (const headers of [described, { ...described, 'x-original-method': '' }]) {
        expect((await raw(`/gateway/forward-auth${at}`, headers)).status).toBe(403);
      }
      for (const method of ['GET', 'get'])
        expect((await gateway.forwardAuth(at, { ...described, 'x-original-method': method })).status).toBe(200);
      for (const method of ['DELETE', 'M-SEARCH', 'GET-OR-PUT'])
        expect((await gateway.forwardAuth(at, { ...described, 'x-forwarded-method': method })).status).toBe(403);
    },
  );

  test('sends a challenge for a missing or invalid credential (RFC 6750 §3, RFC 9728 §5.1)', async () => {
    const at = `?permission=read&resource=${encodeURIComponent(`${api}/v1`)}`;
    const metadata = `resource_metadata="${api}/.well-known/oauth-protected-resource/v1"`;
    const nothing = await gateway.forwardAuth(at, {});
    expect(nothing.status).toBe(401);
    expect(nothing.headers.get('www-authenticate')).toBe(`Bearer realm="latchkey", ${metadata}`);
    for (const headers of [
      { 'x-api-key': `${key}x` },
      { authorization: 'Bearer garbage' },
      { authorization: `Bearer ${'x'.repeat(8000)}` },
    ]) {
      const answer = await gateway.forwardAuth(at, headers as never);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(
        /^Bearer error="invalid_token", error_description="[^"\\]+"/,
      );
    }
    for (const headers of [
      { 'x-api-key': '' },
      { authorization: '' },
      { authorization: 'Basic eDp5' },
      { authorization: 'Bearer' },
    ])
      expect((await gateway.forwardAuth(at, headers as never)).status).toBe(401);
  });

  test('names the permission that is missing (RFC 6750 §3.1)', async () => {
    const answer = await gateway.forwardAuth(byPath, { 'x-api-key': key, 'x-original-uri': '/users/1' });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope", error_description="[^"]+", scope="database:read:users"$/,
    );
    expect(await answer.json()).toMatchObject({ code: 'insufficient_permissions', scope: 'database:read:users' });
  });

  test('returns the time to wait', async () => {
    const limited = await gateway.mint({ restrictions: { rate_limit: '2 requests/hour' } });
    const ask = () => gateway.forwardAuth('', { 'x-api-key': limited.key });
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const answer = await ask();
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(1700);
  });

  test.each([
    ['21 permissions', `?${'permission=a&'.repeat(21)}`, {}, 400],
    ['21 parameters', `?${Array.from({ length: 21 }, (_, n) => `parameter.p${n}=x`).join('&')}`, {}, 400],
    ['21 permissions in the header', '?permission=a', { 'x-latchkey-permission': 'a '.repeat(21) }, 400],
    ['thousands of placeholders', `?permission=${'{}'.repeat(5000)}`, {}, 403],
    ['eleven placeholders', `?permission=${'{method}'.repeat(11)}`, {}, 403],
  ])('limits the URL that is stored: %s', async (_, query, headers, status) => {
    const { key } = await gateway.mint({ permissions: ['*'] });
    expect((await gateway.forwardAuth(query, { 'x-api-key': key, ...headers })).status).toBe(status);
  });

  test.each([
    ['a mistyped permission', '?permision=database:read:products', 'permision'],
    ['a permission in other letters', '?Permission=database:read:products', 'Permission'],
    ['a permission in brackets', '?permission[]=database:read:products', 'permission[]'],
    ['a name beside a good one', `${byPath}&resorce=https://api.example`, 'resorce'],
    ['a parameter without its name', `${byPath}&parameter.=x`, 'parameter.'],
    ['a parameter in another spelling', `${byPath}&parameters.template=x`, 'parameters.template'],
    ['an empty name', `${byPath}&=x`, ''],
    ['a name of prototypes', `${byPath}&__proto__=x`, '__proto__'],
  ])('refuses a query with unknown names, to any caller: %s', async (_, query, name) => {
    for (const headers of [{ 'x-api-key': key, 'x-original-uri': '/products' }, {}]) {
      const answer = await gateway.forwardAuth(query, headers);
      expect(answer.status).toBe(400);
      const { detail } = (await answer.json()) as { detail: string };
      expect(detail).toContain(`"${name}"`);
      for (const known of ['permission', 'resource', 'parameter.NAME', 'cost', 'preflight'])
        expect(detail).toContain(known);
    }
  });

  test.each([
    ['resource', `${byPath}&resource=${api}&resource=https://other.example`],
    ['resource', `${byPath}&resource=${api}&resource=${api}`],
    ['cost', `${byPath}&cost=1&cost=0`],
    ['preflight', `${byPath}&preflight=allow&preflight=allow`],
    ['parameter.template', `${byPath}&parameter.template=welcome&parameter.template=other`],
    ['described-by', `${byPath}&described-by=x-original&described-by=x-forwarded`],
    ['resource', `${byPath}&resource=`],
    ['permission', '?permission='],
    ['described-by', `${byPath}&described-by=x-other`],
  ])('refuses a query that has %s twice, or with an invalid value', async (name, query) => {
    const answer = await gateway.forwardAuth(query, { 'x-api-key': key, 'x-original-uri': '/products' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining(name) });
  });

  test('reads the request from the headers in its configuration, and from no others', async () => {
    const able = await gateway.mint({ permissions: ['database:read:products', 'database:read:orders'] });
    const ask = async (by: string, headers: Record<string, string>) =>
      (
        await gateway.forwardAuth(`?permission=database:{action}:{path.1}&described-by=${by}`, {
          'x-api-key': able.key,
          ...headers,
        })
      ).status;
    const original = { 'x-original-uri': '/products', 'x-original-method': 'GET' };
    const forwarded = { 'x-forwarded-uri': '/users', 'x-forwarded-method': 'DELETE' };
    expect(await ask('x-original', { ...original, ...forwarded })).toBe(200);
    expect(await ask('x-forwarded', { ...original, ...forwarded })).toBe(403);
    // A value that the proxy does not send is not taken from the client.
    expect(await ask('x-forwarded', { ...original, 'x-forwarded-uri': '/products' })).toBe(403);
    expect(await ask('x-forwarded', { ...original, 'x-forwarded-method': 'GET' })).toBe(403);
    expect(await ask('x-original', { 'x-original-uri': '/products', 'x-forwarded-method': 'GET' })).toBe(403);
  });

  test.each<[string, Record<string, string>, number, number]>([
    ['says the same', { 'x-http-method-override': 'get' }, 200, 200],
    ['reads, too', { 'x-http-method-override': 'HEAD' }, 403, 200],
    ['writes', { 'x-http-method-override': 'DELETE' }, 403, 403],
    ['writes, in another header', { 'x-method-override': 'PUT' }, 403, 403],
    ['writes, in a short header', { 'x-http-method': 'PATCH' }, 403, 403],
    ['writes, in a header that some servers read so', { x_http_method_override: 'DELETE' }, 403, 403],
  ])(
    'derives no permission from a method that the API may read as another one, which %s',
    async (_, sent, method, action) => {
      const able = await gateway.mint({ permissions: ['database:get:products', 'database:read:products'] });
      const headers = { 'x-api-key': able.key, 'x-original-uri': '/products', 'x-original-method': 'GET', ...sent };
      const statuses = await Promise.all(
        ['{method}', '{action}'].map(
          async (placeholder) =>
            (await gateway.forwardAuth(`?permission=database:${placeholder}:{path.1}`, headers)).status,
        ),
      );
      expect(statuses).toEqual([method, action]);
      const envoy = `/gateway/ext-authz/${encodeURIComponent('database:{action}:{path.1}')}/-/products`;
      const { 'x-original-uri': uri, 'x-original-method': original, ...own } = headers;
      expect((await raw(envoy, own)).status).toBe(action);
    },
  );

  test.each([
    ['/products', '{path.1}:{action}', 'POST', 'products:write'],
    ['/products/1', '{path.1}:{method}', 'DELETE', 'products:delete'],
    ['/v2/products', 'api:{path.1}:{path.2}', 'GET', 'api:v2:products'],
  ])('derives from %s and %s a permission', async (uri, template, method, permission) => {
    const made = await gateway.mint({ permissions: [permission] });
    const headers = { 'x-api-key': made.key, 'x-original-uri': uri, 'x-original-method': method };
    expect((await gateway.forwardAuth(`?permission=${template}`, headers)).status).toBe(200);
  });

  test.each([
    '/',
    '/%2a',
    '/*',
    '/products%2F..',
    '/products/../users',
    '/products/%2e%2E/users',
    '/products//users',
    '/../products',
    '/./products',
    '//products',
    '/%70%72%6fducts%00',
    '/products/%00',
    '/products/..;/users',
    '/products/%2e%2e;x=y/users',
    '/products/;/users',
    '/pro%ffducts',
    '/a%3Ab',
    '/п',
  ])('derives no permission from %s', async (uri) => {
    const all = await gateway.mint({ permissions: ['*'] });
    expect(
      (
        await gateway.forwardAuth(byPath, {
          'x-api-key': all.key,
          'x-original-uri': encodeURI(uri).replaceAll('%25', '%'),
        })
      ).status,
    ).toBe(403);
  });

  test('requires every permission in its configuration, and the one that a header adds', async () => {
    const headers = { 'x-api-key': key, 'x-original-uri': '/products' };
    expect((await gateway.forwardAuth(`${byPath}&permission=cache:write:{path.1}`, headers)).status).toBe(403);
    expect((await gateway.forwardAuth(byPath, { ...headers, 'x-latchkey-permission': 'cache:write:x' })).status).toBe(
      403,
    );
    const weaker = { ...headers, 'x-original-uri': '/users', 'x-latchkey-permission': 'database:read:products' };
    expect((await gateway.forwardAuth(byPath, weaker)).status).toBe(403);
  });

  test('passes on parameters and a cost from its configuration', async () => {
    const { key: mail } = await gateway.mint({
      permissions: ['email:send'],
      restrictions: { allowed_templates: ['welcome'], rate_limit: '10 messages/hour' },
    });
    const ask = (uri: string, cost: number) =>
      gateway.forwardAuth(`?permission=email:send&parameter.template={path.2}&cost=${cost}`, {
        'x-api-key': mail,
        'x-original-uri': uri,
      });
    expect((await ask('/send/welcome', 10)).status).toBe(200);
    expect((await ask('/send/newsletter', 0)).status).toBe(403);
    expect((await ask('/send/welcome', 1)).status).toBe(429);
  });

  test.each<[string, Record<string, string | string[]>]>([
    ['two keys', { 'x-api-key': ['a', 'b'] }],
    ['two Authorization headers', { authorization: ['Bearer a', 'Bearer b'] }],
    ['two keys in two headers', { 'x-api-key': 'a', authorization: 'Bearer sk_dev_b' }],
    ['two addresses that disagree', { 'x-original-uri': '/users', 'x-forwarded-uri': '/products' }],
    ['two methods that disagree', { 'x-original-method': 'GET', 'x-forwarded-method': 'POST' }],
    ['the address twice', { 'x-original-uri': ['/products', '/users'] }],
  ])('is refused with %s', async (_, headers) => {
    const own = 'x-api-key' in headers || 'authorization' in headers ? {} : { 'x-api-key': key };
    expect((await raw(`/gateway/forward-auth${byPath}`, { ...own, ...headers })).status).toBe(400);
  });

  test('accepts the address of the client from trusted proxies only', async () => {
    const { key: narrow } = await gateway.mint({ restrictions: { ip_allowlist: ['10.0.1.50'] } });
    const from = async (forwarded: string) =>
      (await gateway.forwardAuth('', { 'x-api-key': narrow, 'x-forwarded-for': forwarded })).status;
    expect(await from('10.0.1.50')).toBe(200);
    expect(await from('::ffff:10.0.1.50')).toBe(200);
    expect(await from('10.0.1.50, 192.0.2.9')).toBe(403);
    expect(await from('192.0.2.9, 10.0.1.50')).toBe(200);
    const trusting = await latchkey.startAnother();
    const there = (headers: object) => gateway.forwardAuth('', { 'x-api-key': narrow, ...headers }, trusting.address);
    expect((await there({ 'x-forwarded-for': '10.0.1.50' })).status).toBe(403);
  });

  test('of Envoy appends the path; what the client writes there does not change the required permission', async () => {
    const prefix = `/gateway/ext-authz/${encodeURIComponent('database:read:{path.1}')}/-`;
    const ask = async (rest: string, method = 'GET') =>
      (await raw(`${prefix}${rest}`, { 'x-api-key': key }, method)).status;
    expect(await ask('/products/42')).toBe(200);
    expect(await ask('/products/42', 'POST')).toBe(200);
    expect(await ask('/users?permission=database:read:products')).toBe(403);
    expect(await ask('/users/../products')).toBe(403);
    expect(await ask('')).toBe(403);
    expect((await raw('/gateway/ext-authz/%ff/-/x', { 'x-api-key': key })).status).toBe(400);
    expect((await raw('/gateway/ext-authz/x', { 'x-api-key': key })).status).toBe(404);
  });

  test('passes on a DPoP-bound token with its proof for the API’s own address', async () => {
    const { token, prove, ath } = await boundToken(latchkey, owner, api);
    const ask = (dpop: string, scheme = 'DPoP') =>
      gateway.forwardAuth(`?permission=read&resource=${api}`, {
        authorization: `${scheme} ${token}`,
        'x-original-uri': '/orders?page=2',
        'x-original-method': 'POST',
        ...(dpop && { dpop }),
      });
    const proof = await prove('POST', `${api}/orders`, { ath });
    expect((await ask(proof)).status).toBe(200);
    const again = await ask(proof);
    expect([again.status, again.headers.get('www-authenticate')?.slice(0, 31)]).toEqual([
      401,
      'DPoP error="invalid_dpop_proof"',
    ]);
    expect((await ask('')).status).toBe(401);
    expect((await ask(await prove('POST', `${api}/orders`, { ath }), 'Bearer')).status).toBe(401);
  });
});
