import type { KeyObject } from 'node:crypto';
import type { Middleware } from 'koa';
import { type Config, isDevelopment } from '../config.ts';
import { type ApplyDeps, applyDemo } from '../domain/apply/index.ts';
import { demoPages } from '../entrypoints/pages/index.ts';
import { form } from '../platform/http/index.ts';

type DemoDeps = { config: Config; issuer: string; rootKey: KeyObject; apply: ApplyDeps };

/**
 * Registers `examples/web-app` and serves it at `/demo`, in development only. It is a client like any other and uses this
 * server's public endpoints alone.
 */
export async function openDemo({ config, issuer, rootKey, apply }: DemoDeps): Promise<Middleware | undefined> {
  if (!isDevelopment(config)) return undefined;
  // Loaded here: a production image has no examples.
  const { webApp } = await import('../../examples/web-app/web-app.ts');
  const client = await applyDemo(apply, { issuer, rootKey });
  return webApp({ issuer, ...client, pages: demoPages({ config, now: apply.now }), readForm: form });
}
