import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { eventually } from '../support/eventually.ts';
import { api } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { type MetricsPage, openMetricsPage } from '../support/metrics-page.ts';

type Span = { name: string; traceId: string; spanId: string; parentSpanId?: string; attributes: unknown[] };

describe('a monitored server', () => {
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
      const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
      return {
        env: {
          ...page.settings,
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
          OTEL_BSP_SCHEDULE_DELAY: '200',
        },
      };
    },
  });
  afterAll(() => collector.close());

  const metrics = () => page.read();

  test('counts requests by route template, never by path, and token transactions by verdict', async () => {
    const { refresh_token } = await latchkey.tokens();
    await latchkey.refresh(refresh_token);
    await latchkey.refresh(refresh_token);
    await latchkey.browser().get('/no/such/page');
    for (let n = 0; n < 3; n += 1) await fetch(`${latchkey.issuer}/oauth/jwks`);
    const text = await metrics();
    expect(text).toContain('route="/oauth/token",status="200"');
    expect(text).toContain('route="/oauth/authorize/:uid"');
    expect(text).toMatch(/requests?_duration_seconds_count\{method="GET",route="\/oauth\/jwks",status="200"[^}]*\} 3/);
    expect(text).toMatch(
      /_duration_seconds_bucket\{le="\+Inf",method="GET",route="\/oauth\/jwks",status="200"[^}]*\} 3/,
    );
    expect(text).toMatch(/early_answers_total\{route="\/oauth\/jwks"\} 2/);
    expect(text).toContain('route="/interaction/:uid"');
    expect(text).toContain('method="GET",route="other",status="404"');
    expect(text).not.toContain('such');
    expect(text).toContain('latchkey_token_transactions_total{verdict="grace"} 1');
    for (const name of ['change_feed_lag_seconds', 'database_pool_connections', 'password_hashes_waiting'])
      expect(text).toContain(`latchkey_${name} `);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  test('serves metrics on their own port only', async () => {
    expect((await fetch(`${latchkey.issuer}/metrics`)).status).toBe(404);
  });

  test('traces a request and its commit under the caller’s trace', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await fetch(`${latchkey.issuer}/oauth/token`, {
      method: 'POST',
      headers: {
        traceparent: `00-${traceId}-b7ad6b7169203331-01`,
        authorization: `Basic ${Buffer.from('service:the+secret+of+the+service').toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: api }),
    });
    const mine = () => spans.filter((span) => span.traceId === traceId);
    await eventually(mine, ({ length }) => length >= 2);
    const request = mine().find(({ name }) => name === 'POST /oauth/token');
    expect(request).toMatchObject({ parentSpanId: 'b7ad6b7169203331' });
    expect(mine().find(({ name }) => name === 'token transaction')).toMatchObject({ parentSpanId: request?.spanId });
    expect(JSON.stringify(spans)).not.toContain('lk_');
  });
});
