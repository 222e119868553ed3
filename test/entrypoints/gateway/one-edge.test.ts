import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { type Sent, send } from '../../support/http.ts';
import { type Answer, startLatchkey } from '../../support/latchkey.ts';
import { type MetricsPage, openMetricsPage } from '../../support/metrics-page.ts';

type Span = { name: string; traceId: string; parentSpanId?: string; attributes: { key: string; value: object }[] };

// The gateway answers on plain Node HTTP, everything else through Koa; both call the same rules.
describe('the gateway, with every request traced,', () => {
  let collector: Server;
  let page: MetricsPage;
  const spans: Span[] = [];
  const latchkey = startLatchkey({
    prepare: async () => {
      page = await openMetricsPage();
      collector = createServer(async (request, response) => {
        const body = (await json(request)) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
        spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => collector.once('listening', resolve));
      const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
      const traced = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_BSP_SCHEDULE_DELAY: '200' };
      return { env: { ...page.settings, ...traced, LATCHKEY_TRUST_PROXY: '1' } };
    },
  });
  afterAll(() => void collector.close());
  let owner: AdminApi;
  let gateway: Gateway;
  let key = '';
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    ({ key } = await gateway.mint({ permissions: ['latchkey:*'] }));
  });

  type Line = { method: string; path: string; status: number; ms: number; request_id: string };
  const logged = (request_id: string) =>
    eventually(
      async () =>
        latchkey.server
          .output()
          .split('\n')
          .filter((line) => line.includes(request_id) && line.includes('"msg":"request"'))
          .map((line) => JSON.parse(line) as Line),
      ({ length }) => length > 0,
    );

  // API clients call the gateway; the admin API is served with the pages and has the same headers.
  const ofPages = ['content-security-policy', 'x-frame-options', 'referrer-policy', 'permissions-policy'];
  const changing = ['ratelimit', 'ratelimit-policy', 'date', 'x-request-id', 'content-length', ...ofPages];
  const shared = ({ headers }: Answer) =>
    [...headers].filter(([name]) => !changing.includes(name)).sort(([a], [b]) => a.localeCompare(b));

  const refused: [string, Sent, number][] = [
    ['another host', { headers: { host: 'evil.test' } }, 421],
    ['another host that a proxy names', { headers: { 'x-forwarded-host': 'evil.test' } }, 421],
    ['another loopback name', { headers: { host: '127.0.0.1:1' } }, 421],
    ['a malformed list of addresses', { headers: { 'x-forwarded-for': '203.0.113.7:99999' } }, 400],
    ['no credential', { headers: { 'x-api-key': '' } }, 401],
    ['two credentials', { headers: { authorization: 'Bearer x' } }, 400],
    ['a key that is none', { headers: { 'x-api-key': 'sk_dev_x' } }, 401],
    ['a body of another type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['a body without a type', { headers: { 'content-type': '' } }, 415],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['no JSON', { body: '{' }, 400],
    ['a control character', { body: '{"key":"\\u0000"}' }, 400],
    ['a member named twice', { body: '{"key":"a","key":"b"}' }, 400],
    ['a member in disguise', { body: '{"__proto__":{}}' }, 400],
    ['nesting', { body: `${'['.repeat(30)}${']'.repeat(30)}` }, 400],
    ['too much', { body: JSON.stringify({ key: 'x'.repeat(70_000) }) }, 413],
  ];
  test.each(refused)(
    'refuses %s like every other endpoint: same status, headers, words and log line',
    async (_, sent, status) => {
      const ask = async (path: string, request_id: string) => {
        const headers = { 'content-type': 'application/json', 'x-api-key': key, 'x-request-id': request_id };
        const answer = await send(latchkey.issuer, path, {
          body: '{}',
          ...sent,
          method: 'POST',
          headers: { ...headers, ...sent.headers },
        });
        const [{ ms: _ms, path: _path, ...line } = {} as Line] = await logged(request_id);
        return { status: answer.status, headers: shared(answer), body: answer.body, line };
      };
      const id = crypto.randomUUID();
      const ours = await ask('/gateway/verify', id);
      await ask('/admin/v1/roles', `${id}-a`).then((theirs) => {
        const known = (text: unknown) => JSON.parse(JSON.stringify(text).replaceAll(`${id}-a`, id));
        const { time: _a, ...ourLine } = ours.line as object as { time: number };
        const { time: _b, ...theirLine } = theirs.line as object as { time: number };
        expect([ours.status, ours.headers, ours.body]).toEqual([theirs.status, theirs.headers, known(theirs.body)]);
        expect(ourLine).toEqual(known(theirLine));
      });
      expect(ours).toMatchObject({ status, body: { request_id: id }, line: { status } });
    },
  );

  test('sends the security headers of the other API endpoints with each response', async () => {
    const security = ({ headers }: Answer) => ofPages.concat('x-content-type-options').map((name) => headers.get(name));
    const token = await send(latchkey.issuer, '/oauth/token', { method: 'POST' });
    for (const [path, sent] of [
      ['/gateway/verify', { method: 'GET' }],
      ['/gateway/forward-auth', {}],
      ['/gateway/forward-auth?x', {}],
      ['/gateway/forward-auth', { headers: { 'x-api-key': key } }],
      ['/gateway/ext-authz/-/-/', { headers: { 'x-api-key': key, accept: 'text/html' } }],
    ] as [string, Sent][]) {
      const answer = await send(latchkey.issuer, path, sent);
      expect(security(answer)).toEqual(security(token));
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-request-id')).toMatch(/^[\w.-]{8,64}$/);
    }
  });

  test('gives the same response with and without its cache, and counts, logs and traces both', async () => {
    const { key: own } = await gateway.mint();
    const traceId = crypto.randomUUID().replaceAll('-', '');
    const asked = ['/products', '/products', '/users', '/users'];
    const answers: Answer[] = [];
    for (const [n, uri] of asked.entries())
      answers.push(
        await send(latchkey.issuer, '/gateway/forward-auth?permission=database:read:{path.1}', {
          headers: {
            'x-api-key': own,
            'x-original-uri': uri,
            'x-request-id': `${traceId}-${n}`,
            traceparent: `00-${traceId}-b7ad6b716920333${n}-01`,
          },
        }),
      );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 403]);
    expect(shared(answers[0] as Answer)).toEqual(shared(answers[1] as Answer));
    expect(shared(answers[2] as Answer)).toEqual(shared(answers[3] as Answer));
    for (const [n, { status }] of answers.entries())
      expect(await logged(`${traceId}-${n}`)).toMatchObject([{ method: 'GET', path: '/gateway/forward-auth', status }]);
    const mine = () => spans.filter((span) => span.traceId === traceId);
    await eventually(
      async () => mine(),
      ({ length }) => length >= asked.length,
    );
    expect(mine().map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual(
      asked.map((_, n) => ['GET /gateway/forward-auth', `b7ad6b716920333${n}`]),
    );
    expect(JSON.stringify(spans)).not.toContain('sk_dev_');
    const text = await page.read();
    for (const status of ['200', '403'])
      expect(text).toMatch(
        new RegExp(`_count\\{method="GET",route="/gateway/forward-auth",status="${status}"[^}]*\\} [2-9]`),
      );
  });

  test('accepts a target in absolute form, and does not answer other paths (RFC 9112 §3.2.2)', async () => {
    const at = (path: string) => send(latchkey.issuer, path, { headers: { 'x-api-key': key } });
    expect((await at(`${latchkey.issuer}/gateway/forward-auth`)).status).toBe(200);
    for (const path of ['/gateway', '/gateway/', '/gateway/verify/', '/gateway/forward-auth/x', '/gateway/ext-authz/-'])
      expect((await at(path)).status).toBe(404);
  });
});
