/** Traces: one span a request and one a token commit, sent by OTLP if an endpoint is configured, and none otherwise. */
import type { IncomingHttpHeaders } from 'node:http';
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

/** The name of a request's span: never a value of the request. */
export type TracedRequest = { method: string; route: string; headers: IncomingHttpHeaders };

/**
 * Runs the work of a request inside a span, child of the caller's (W3C Trace Context).
 *
 * @param work returns the status of the response
 */
export async function inServerSpan(
  { method, route, headers }: TracedRequest,
  work: () => Promise<number>,
): Promise<void> {
  const parent = propagation.extract(context.active(), headers);
  await tracer().startActiveSpan(`${method} ${route}`, { kind: SpanKind.SERVER }, parent, async (span) => {
    let status = 500;
    try {
      status = await work();
    } finally {
      span.setAttributes({
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
      });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
  });
}

/** A span around every request that Koa answers. */
export function traceRequests(templateOf: (path: string) => string | undefined): Middleware {
  return (ctx: Context, next: Next) => {
    const route = templateOf(ctx.path) ?? 'other';
    return inServerSpan({ method: ctx.method, route, headers: ctx.req.headers }, async () => {
      await next();
      return ctx.status;
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
