import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway, type VerifyAnswer } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type MetricsPage, openMetricsPage } from '../../support/metrics-page.ts';

const byPath = '?permission=database:read:{path.1}';

/** The number of uses of a key in its records so far. */
const recordedUses = (owner: AdminApi, id: string) => async () => {
  const { body } = await owner.get(`/access-records?credential=${id}&outcome=active`);
  return body.items.reduce((sum, item) => sum + Number(item.uses), 0);
};

describe.each([
  ['trusted', '1'],
  ['not trusted', 'off'],
])('where proxies are %s, a cached key', (_, trusted) => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: trusted } });

  test('gets the same verdict as one that is read, and is counted alike', async () => {
    const owner = await asOwner(latchkey);
    const gateway = await Gateway.open(latchkey, owner);
    const rate_limit = '5 requests/hour';
    const { id, key } = await gateway.mint({ restrictions: { rate_limit, ip_allowlist: ['127.0.0.1'] } });
    const sent = { 'x-api-key': key, 'x-original-uri': '/products', 'x-request-id': 'the-same-request' };
    const ask = async (headers: Record<string, string> = {}) => {
      const answer = await gateway.forwardAuth(byPath, { ...sent, ...headers });
      const changing = new Set(['date', 'ratelimit']);
      const same = [...answer.headers].filter(([name]) => !changing.has(name));
      return {
        status: answer.status,
        headers: same,
        left: /;r=(\d+);/.exec(answer.headers.get('ratelimit') ?? '')?.[1],
      };
    };
    const read = await ask();
    expect(read.status).toBe(200);
    expect(read.headers).toEqual(
      expect.arrayContaining([
        ['cache-control', 'no-store'],
        ['x-content-type-options', 'nosniff'],
      ]),
    );
    expect(await ask()).toEqual({ ...read, left: '3' });
    expect(await ask()).toEqual({ ...read, left: '2' });
    // From another address, if the caller is trusted to state it: the cached key is refused as well.
    expect((await ask({ 'x-forwarded-for': '192.0.2.9' })).status).toBe(trusted === '1' ? 403 : 200);
    expect((await ask({ 'x-original-uri': '/orders' })).status).toBe(403);
    const allowed = trusted === '1' ? 2 : 1;
    for (let n = 0; n < allowed; n += 1) expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
    expect(await eventually(recordedUses(owner, id), (uses) => uses >= 5)).toBe(5);
    await latchkey.stayWithin('day');
    // Cached, but without a counter: the first use must read it, and is counted.
    const { key: counted } = await gateway.mint({ restrictions: { quota: { day: 3 } } });
    expect((await ask({ 'x-api-key': counted, 'x-original-uri': '/orders' })).status).toBe(403);
    const statuses: number[] = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await ask({ 'x-api-key': counted })).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    await owner.post('/revocations', { handle: { api_keys: { id } } });
    expect((await ask()).status).toBe(401);
  });
});

type Told = VerifyAnswer & { limits: { remaining: number }[] };

describe('a service that asks about cached keys', () => {
  let metrics: MetricsPage;
  const latchkey = startLatchkey({
    prepare: async () => {
      metrics = await openMetricsPage();
      return { env: metrics.settings };
    },
  });
  let owner: AdminApi;
  let gateway: Gateway;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
  });

  const asked = async (body: object, options?: Parameters<Gateway['post']>[1]) => {
    const answer = await gateway.post(body, options);
    const headers = [...answer.headers].filter(([name]) => !['date', 'x-request-id'].includes(name)).sort();
    return { status: answer.status, headers, body: (await answer.json()) as Told };
  };

  test('gets the same verdicts as for keys that are read, and each use is counted once', async () => {
    const { id, key } = await gateway.mint({ name: 'Schlüssel', restrictions: { rate_limit: '5 requests/hour' } });
    const request = { key, permission: 'database:read:products' };
    const read = await asked(request);
    expect(read).toMatchObject({ status: 200, body: { valid: true, name: 'Schlüssel', limits: [{ remaining: 4 }] } });
    const met = await asked(request);
    expect(met.headers).toEqual(read.headers);
    expect(met.body).toMatchObject({ ...read.body, limits: [{ remaining: 3, resets_at: expect.any(String) }] });
    expect((await asked({ ...request, permission: 'database:read:orders' })).body.code).toBe(
      'insufficient_permissions',
    );
    expect((await asked({ ...request, cost: 3 })).body.limits).toMatchObject([{ remaining: 0 }]);
    expect((await asked(request)).body.code).toBe('rate_limited');
    expect(await eventually(recordedUses(owner, id), (uses) => uses >= 3)).toBe(3);
    await owner.post('/revocations', { handle: { api_keys: { id } } });
    expect((await asked(request)).body.code).toBe('revoked');
  });

  test('is counted itself, once a request, whatever the verdict on the other key', async () => {
    const rate_limit = '6 requests/hour';
    const caller = await gateway.mint({ permissions: ['latchkey:verify'], restrictions: { rate_limit } });
    const { key } = await gateway.mint({ restrictions: { rate_limit: '2 requests/hour' } });
    const codes: string[] = [];
    for (let n = 0; n < 5; n += 1) codes.push((await asked({ key }, { key: caller.key })).body.code);
    expect(codes).toEqual(['valid', 'valid', 'rate_limited', 'rate_limited', 'rate_limited']);
    // The same key twice in one request counts twice.
    expect((await asked({ key: caller.key }, { key: caller.key })).body.code).toBe('rate_limited');
    expect((await asked({ key }, { key: caller.key })).status).toBe(429);
  });

  test('is answered by the fast path, as proxies are', async () => {
    const early = async (route: string) => {
      const shown = new RegExp(`early_answers_total\\{route="${route}"\\} (\\d+)`).exec(await metrics.read());
      return Number(shown?.[1] ?? 0);
    };
    const { key } = await gateway.mint();
    const proxied = { 'x-api-key': key, 'x-original-uri': '/products' };
    await asked({ key });
    const before = await Promise.all(['/gateway/verify', '/gateway/forward-auth'].map(early));
    for (let n = 0; n < 3; n += 1) {
      expect((await asked({ key })).body.valid).toBe(true);
      expect((await gateway.forwardAuth('?permission=database:read:{path.1}', proxied)).status).toBe(200);
    }
    expect((await asked({ key, permission: 'database:write:products' })).body.valid).toBe(false);
    const after = await Promise.all(['/gateway/verify', '/gateway/forward-auth'].map(early));
    expect(after.map((count, n) => count - (before[n] ?? 0))).toEqual([3, 3]);
  });

  const nested = (deep: number): unknown => (deep === 0 ? 'database:read:products' : { or: [nested(deep - 1)] });

  test('gets verdicts on nested alternatives, and for a body that arrives in pieces', async () => {
    const { key } = await gateway.mint();
    const question = JSON.stringify({ key, permissions: nested(4) });
    for (let n = 0; n < 3; n += 1) expect((await asked({ key, permissions: nested(4) })).body.valid).toBe(true);
    const { hostname, port } = new URL(latchkey.issuer);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const { key: caller } = await gateway.mint({ permissions: ['latchkey:verify'] });
    expect((await asked({ key }, { key: caller })).body.valid).toBe(true);
    const sent = `X-API-Key: ${caller}\r\nContent-Type: application/json\r\nContent-Length: ${question.length}`;
    for (const piece of [
      `POST /gateway/verify HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n${sent}\r\n\r\n`,
      question.slice(0, 9),
      question.slice(9, 60),
      question.slice(60),
    ]) {
      socket.write(piece);
      await sleep(20);
    }
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 [\s\S]*"valid":true/);
  });

  const malformed: [string, string, number][] = [
    ['no body', '', 400],
    ['no JSON', '{', 400],
    ['a member named twice', '{"key":"a","key":"b"}', 400],
    ['a member in disguise', '{"key":"a","\\u006bey":"b"}', 400],
    ['a member too many', '{"key":"a","__proto__":{}}', 400],
    ['a control character', '{"key":"\\u0000"}', 400],
    ['nesting', `{"key":"a","parameters":${'['.repeat(30)}${']'.repeat(30)}}`, 400],
    ['permissions five deep', JSON.stringify({ key: 'a', permissions: nested(5) }), 400],
    ['too much', JSON.stringify({ key: 'x'.repeat(70_000) }), 413],
  ];
  test.each(malformed)('receives the %s event in the original order', async (_, body, status) => {
    const { key } = await gateway.mint({ permissions: ['latchkey:verify'] });
    expect((await asked({ key }, { key })).body.valid).toBe(true);
    const headers = { 'content-type': 'application/json', 'x-api-key': key, 'x-request-id': 'the-same-request' };
    const send = (chunked: boolean) =>
      fetch(`${latchkey.issuer}/gateway/verify`, {
        ...{ method: 'POST', headers, duplex: 'half' },
        body: chunked ? new Blob([body]).stream() : body,
      } as RequestInit);
    const [whole, chunked] = [await send(false), await send(true)];
    expect([whole.status, chunked.status]).toEqual([status, status]);
    expect(whole.headers.get('content-type')).toBe('application/problem+json');
    expect(await whole.json()).toEqual(await chunked.json());
  });

  test.each(['?permission=database:write:products', '?', '?x'])(
    'is refused with the hint that the request belongs in the body: %s',
    async (query) => {
      const { key } = await gateway.mint({ permissions: ['latchkey:verify'] });
      const answer = await fetch(`${latchkey.issuer}/gateway/verify${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify({ key }),
      });
      expect(answer.status).toBe(query === '?' ? 200 : 400);
    },
  );

  test('is answered under the host name of this server only', async () => {
    const { key } = await gateway.mint({ permissions: ['latchkey:verify'] });
    expect((await asked({ key }, { key })).body.valid).toBe(true);
    const { hostname, port } = new URL(latchkey.issuer);
    const body = JSON.stringify({ key });
    const sent = {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-api-key': key,
      host: 'evil.test',
    };
    const status = await new Promise((resolve) => {
      const options = { hostname, port, method: 'POST', path: '/gateway/verify', headers: sent };
      request(options, (answer) => resolve(answer.resume().statusCode)).end(body);
    });
    expect(status).toBe(421);
  });
});
