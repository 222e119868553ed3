/** Traces: one span a request and one a token commit, sent by OTLP where an endpoint is configured, and nothing otherwise. */
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Middleware, Next } from 'koa';

export type Tracing = { close: () => Promise<void> };

const tracer = () => trace.getTracer('latchkey');

/** Starts sending traces. The SDK is loaded only then. */
export async function openTracing({ endpoint, version }: { endpoint: string; version: string }): Promise<Tracing> {
  const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
  const resource = resourceFromAttributes({ 'service.name': 'latchkey', 'service.version': version });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.register();
  return { close: () => provider.shutdown().catch(() => undefined) };
}

/** A span around every request, child of the caller's (W3C Trace Context); it names the method and route, never a value. */
export function traceRequests(templateOf: (path: string) => string | undefined): Middleware {
  return async (ctx: Context, next: Next) => {
    const parent = propagation.extract(context.active(), ctx.req.headers);
    const route = templateOf(ctx.path) ?? 'other';
    await tracer().startActiveSpan(`${ctx.method} ${route}`, { kind: SpanKind.SERVER }, parent, async (span) => {
      try {
        await next();
      } finally {
        span.setAttributes({
          'http.request.method': ctx.method,
          'http.route': route,
          'http.response.status_code': ctx.status,
        });
        if (ctx.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      }
    });
  };
}

/** Runs work inside a span of this name. */
export function inSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}
