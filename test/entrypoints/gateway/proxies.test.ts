import { Agent } from 'node:http';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { boundToken, Gateway } from '../../support/gateway.ts';
import { api as registered } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { Network } from '../../support/network.ts';
import { type ProxyProgram, proxyPrograms, type RunningProxy, startProxy } from '../../support/proxies.ts';
import { digestOf, RecordingApi, type Sent, sendAsWritten, websocketHandshake } from '../../support/recording-api.ts';
import { withStalls } from '../../support/stalls.ts';

describe('an API behind a proxy, as in examples/gateway:', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' } });
  let owner: AdminApi;
  let gateway: Gateway;
  let api: RecordingApi;
  let bound: Awaited<ReturnType<typeof boundToken>>;

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    bound = await boundToken(latchkey, owner, registered);
    api = await RecordingApi.open();
  });
  afterAll(() => void api.close());

  const proxied = (program: ProxyProgram) => {
    let proxy: RunningProxy;
    /** Between the proxy and Latchkey. */
    let network: Network;
    beforeAll(async () => {
      network = await Network.open(latchkey.issuer.replace('localhost', '127.0.0.1'));
      const { host } = new URL(network.through('http://latchkey'));
      proxy = await startProxy(program, { latchkey: host, api: api.address });
    });
    afterAll(async () => {
      await proxy.stop();
      await network.close();
    });

    const send = (at: string, sent: Sent = {}) => {
      api.seen.length = 0;
      return sendAsWritten(proxy.url, at, sent);
    };
    const withKey = (key: string, more: Record<string, string | string[]> = {}) => ({ 'x-api-key': key, ...more });

    test('gets requests with valid keys, with their owner, and never the key itself', async () => {
      const { key, id } = await gateway.mint({ owner: { client_id: 'service' } });
      const answer = await send('/products/42?page=1&q=%2e%2E', { headers: withKey(key) });
      expect(answer).toMatchObject({ status: 200, text: 'served' });
      expect(api.seen).toMatchObject([
        {
          url: '/products/42?page=1&q=%2e%2E',
          headers: {
            'x-latchkey-subject': ['service'],
            'x-latchkey-key-id': [id],
            'x-latchkey-permissions': ['database:read:products'],
            'x-forwarded-for': ['127.0.0.1'],
          },
        },
      ]);
      expect(JSON.stringify(api.seen)).not.toContain(key);
    });

    test('ignores identity headers that a client sends', async () => {
      const { key, id } = await gateway.mint({ owner: { client_id: 'service' } });
      const who = 'Subject Subject-Kind Client-Id Credential Key-Id Environment Permissions Expires-At'.split(' ');
      const spoofed = Object.fromEntries([
        ...who.map((name) => [`X-Latchkey-${name}`, ['forged', 'forged twice']]),
        ...who.map((name) => [`X_LATCHKEY_${name.replace('-', '_')}`, 'forged']),
        ...['For', 'Host'].map((name) => [`X-Forwarded-${name}`, 'forged']),
      ]);
      expect((await send('/products', { headers: withKey(key, spoofed) })).status).toBe(200);
      expect(api.seen).toMatchObject([{ headers: { 'x-latchkey-subject': ['service'], 'x-latchkey-key-id': [id] } }]);
      expect(JSON.stringify(api.seen)).not.toContain('forged');
    });

    test('gets the caller even if the client declares these headers as hop-by-hop', async () => {
      const { key, id } = await gateway.mint();
      const named = 'X-Latchkey-Key-Id, X-Latchkey-Subject, X-Forwarded-For';
      for (const own of [{ connection: 'keep-alive' }, websocketHandshake]) {
        const headers = withKey(key, { ...own, connection: `${own.connection}, ${named}` });
        expect([101, 200]).toContain((await send('/products', { headers })).status);
        const subject = [expect.stringMatching(/./)];
        expect(api.seen).toMatchObject([{ headers: { 'x-latchkey-key-id': [id], 'x-latchkey-subject': subject } }]);
      }
    });

    test('gets no request without a valid credential: 401 and a challenge', async () => {
      const nothing = await send('/products');
      expect([nothing.status, nothing.headers['www-authenticate']]).toEqual([401, 'Bearer realm="latchkey"']);
      const garbage = await send('/products', { headers: withKey('garbage') });
      expect([garbage.status, garbage.headers['www-authenticate']]).toEqual([
        401,
        expect.stringContaining('error="invalid_token"'),
      ]);
      expect(api.seen).toEqual([]);
    });

    test('gets no request without the permission: 403 and its name, whatever the client says of its request', async () => {
      const { key } = await gateway.mint();
      const beyond = await send('/users', { headers: withKey(key) });
      expect([beyond.status, beyond.headers['www-authenticate']]).toEqual([
        403,
        expect.stringMatching(/error="insufficient_scope".*scope="database:read:users"/),
      ]);
      for (const smuggled of ['x-original-uri', 'x-forwarded-uri', 'x-rewrite-url', 'x-original-url'])
        expect((await send('/users', { headers: withKey(key, { [smuggled]: '/products' }) })).status).toBe(403);
      const permission = { 'x-latchkey-permission': 'database:read:products' };
      expect((await send('/users', { headers: withKey(key, permission) })).status).toBe(403);
      expect(api.seen).toEqual([]);
    });

    test('gets no request with an ambiguous credential', async () => {
      const { key } = await gateway.mint();
      for (const headers of [
        { 'x-api-key': [key, 'another'] },
        { 'x-api-key': ['another', key] },
        { authorization: [`Bearer ${key}`, 'Bearer another'] },
        { 'x-api-key': key, authorization: `Bearer ${key}` },
      ]) {
        const { status } = await send('/products', { headers: headers as Record<string, string[]> });
        expect([400, 401]).toContain(status);
        expect(api.seen).toEqual([]);
      }
    });

    test('gets no request from another address, whatever the client says of its address', async () => {
      const local = await gateway.mint({ restrictions: { ip_allowlist: ['127.0.0.1'] } });
      const remote = await gateway.mint({ restrictions: { ip_allowlist: ['10.0.1.50'] } });
      for (const forwarded of ['10.0.1.50', '10.0.1.50, 127.0.0.1']) {
        const claim = { 'x-forwarded-for': forwarded, 'x-real-ip': '10.0.1.50' };
        expect((await send('/products', { headers: withKey(local.key, claim) })).status).toBe(200);
        expect(api.seen).toMatchObject([{ headers: { 'x-forwarded-for': ['127.0.0.1'] } }]);
        const refused = await send('/products', { headers: withKey(remote.key, claim) });
        expect(refused.status).toBe(403);
        expect(refused.text.includes('the key may be used from 10.0.1.50 only')).toBe(program.handsOnReasons);
      }
      expect(api.seen).toEqual([]);
    });

    test('gets no request above a limit: 429 and the time to wait', async () => {
      const { key } = await gateway.mint({ restrictions: { rate_limit: '1 requests/hour' } });
      expect((await send('/products', { headers: withKey(key) })).status).toBe(200);
      const answer = await send('/products', { headers: withKey(key) });
      expect(answer.status).toBe(429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(3000);
      expect(api.seen).toEqual([]);
    });

    test('returns the remaining limits to its clients, with proxies that support it', async () => {
      const { key } = await gateway.mint({ restrictions: { rate_limit: '5 requests/hour' } });
      const { headers } = await send('/products', { headers: withKey(key) });
      expect(headers.ratelimit).toEqual(program.handsOnLimits ? expect.stringMatching(/;r=4;t=\d+$/) : undefined);
    });

    test('gets the preflights of browsers, without an identity, and no other request without a credential', async () => {
      const asked = { origin: 'https://shop.example', 'access-control-request-method': 'POST' };
      const spoofed = { ...asked, 'x-latchkey-subject': 'admin', x_latchkey_key_id: 'forged' };
      expect(await send('/products', { method: 'OPTIONS', headers: spoofed })).toMatchObject({ status: 200 });
      expect(api.seen).toMatchObject([{ method: 'OPTIONS', url: '/products' }]);
      expect(JSON.stringify(api.seen)).not.toMatch(/admin|forged/);
      api.seen.length = 0;
      expect((await send('/products', { method: 'OPTIONS' })).status).toBe(401);
      for (const claim of ['x-original-method', 'x-forwarded-method', 'x-http-method-override'])
        for (const method of ['GET', 'POST', 'DELETE']) {
          const { status } = await send('/products', { method, headers: { ...asked, [claim]: 'OPTIONS' } });
          expect([400, 401]).toContain(status);
        }
      expect(api.seen).toEqual([]);
    });

    test('gets no request with a revoked key, from the next request on', async () => {
      const { key, id } = await gateway.mint();
      expect((await send('/products', { headers: withKey(key) })).status).toBe(200);
      await owner.post(`/api-keys/${id}/revoke`);
      expect((await send('/products', { headers: withKey(key) })).status).toBe(401);
      expect(api.seen).toEqual([]);
    });

    test.each([
      '/products/../admin',
      '/products/%2e%2e/admin',
      '/products%2f..%2fadmin',
      '/products/..%2fadmin',
      '/products/..%5cadmin',
      '/products\\..\\admin',
      '/products/..;/admin',
      '//admin/products',
      '/products//admin',
      '/products/%00',
      'http://127.0.0.1/admin',
    ])('gets no request for a path that servers read in different ways: %s', async (path) => {
      const { key } = await gateway.mint();
      const { status } = await send(path, { headers: withKey(key) });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(api.seen).toEqual([]);
    });

    test('reads the path that Latchkey checked', async () => {
      const { key } = await gateway.mint();
      for (const path of ['/%70roducts/a%20b', '/products/?a=/../admin', '/products/%c3%a9']) {
        expect((await send(path, { headers: withKey(key) })).status).toBe(200);
        expect(api.seen).toMatchObject([{ url: path }]);
      }
    });

    test('gets bodies and methods unchanged, however they are sent', async () => {
      const { key } = await gateway.mint();
      const body = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, n) => (n * 7919) % 256));
      for (const chunked of [false, true])
        for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
          const headers = withKey(key, { 'content-type': 'application/octet-stream' });
          expect((await send('/products', { method, headers, body, chunked })).status).toBe(200);
          expect(api.seen).toMatchObject([{ method, digest: digestOf(body) }]);
        }
      expect((await send('/products', { method: 'POST', body: Buffer.from('to nobody') })).status).toBe(401);
      expect(api.seen).toEqual([]);
    });

    test('cannot be reached by an upgrade that was not allowed, nor with a protocol that was not checked', async () => {
      const { key, id } = await gateway.mint();
      expect((await send('/products', { headers: websocketHandshake })).status).toBe(401);
      expect((await send('/admin', { headers: withKey(key, websocketHandshake) })).status).toBe(403);
      expect(api.seen).toEqual([]);
      expect([101, 200]).toContain((await send('/products', { headers: withKey(key, websocketHandshake) })).status);
      expect(api.seen).toMatchObject([{ url: '/products', headers: { 'x-latchkey-key-id': [id] } }]);
      const http2 = { upgrade: 'h2c', connection: 'Upgrade, HTTP2-Settings', 'http2-settings': 'AAMAAABkAAQAAP__' };
      const answer = await send('/products', { headers: withKey(key, http2) });
      expect(answer.status).not.toBe(101);
      expect(api.seen.map(({ headers }) => headers.upgrade ?? [])).not.toContainEqual(['h2c']);
    });

    test('gets no request with a proof of possession for another address (RFC 9449 §4.3)', async () => {
      const { token, prove, ath } = bound;
      const sent = async (address: string, more: Record<string, string> = {}) => {
        const dpop = await prove('GET', `${address}/products`, { ath });
        const answer = await send('/products', { headers: { authorization: `DPoP ${token}`, dpop, ...more } });
        return [answer.status, answer.headers['www-authenticate'] ?? ''];
      };
      // The proof is valid: it is refused only because the token is for another API.
      expect(await sent(proxy.url)).toEqual([403, expect.not.stringContaining('invalid_dpop_proof')]);
      const elsewhere = { 'x-forwarded-host': 'other.example', 'x-forwarded-proto': 'http' };
      for (const more of [{}, elsewhere])
        expect(await sent('http://other.example', more)).toEqual([401, expect.stringContaining('invalid_dpop_proof')]);
      expect(api.seen).toEqual([]);
    });

    test('gets no request of others on an authenticated connection, nor while Latchkey is unavailable or silent', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const statusFor = async (key: string) => (await send('/products', { headers: withKey(key), agent })).status;
      const { key } = await gateway.mint();
      expect([await statusFor(key), await statusFor(''), await statusFor(key)]).toEqual([200, 401, 200]);
      await network.refuse();
      expect(await statusFor(key)).toBeGreaterThanOrEqual(500);
      await network.recover();
      network.silence();
      const { result, ownMs } = await withStalls(() => statusFor(key));
      expect(result).toBeGreaterThanOrEqual(500);
      expect(ownMs).toBeLessThan(10_000);
      expect(api.seen).toEqual([]);
      await network.recover({ dead: true });
      network.reset();
      expect(await statusFor(key)).toBe(200);
      agent.destroy();
    });
  };

  for (const program of proxyPrograms) {
    if (program.find() !== undefined) describe(program.name, () => proxied(program));
    else describe.skip(`${program.name} (skipped: ${program.packages} is not installed)`, () => proxied(program));
  }
});
