import type { KeyObject } from 'node:crypto';
import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type Provider from 'oidc-provider';
import { loadSigningKeys, type SigningKey, stateOf } from '../../../domain/signing-keys/index.ts';
import type { ChangeFeed } from '../../../platform/database/index.ts';
import { isEndpoint } from '../endpoints.ts';
import type { ProviderDeps } from './configuration.ts';
import { buildProvider } from './provider.ts';

export type RunningProvider = {
  /** The current provider; never keep it across requests. */
  current: () => Provider;
  /** The currently published signing keys. */
  keys: () => readonly SigningKey[];
  middleware: Middleware;
  close: () => void;
};

const tickMs = 250;

/**
 * Opens the provider, and replaces it whenever signing keys change, here or on another node, or a key changes state by the clock.
 *
 * @throws WrongKeyError when the keys were sealed under another root key
 */
export async function openProvider(
  deps: ProviderDeps & { rootKey: KeyObject; changes: ChangeFeed },
): Promise<RunningProvider> {
  let current = await load(deps);
  const reload = async () => {
    current = await load(deps);
  };
  // A reload that fails (the database is unavailable) is due again at the next tick.
  let isStale = false;
  deps.changes.on('signing_key', () => {
    isStale = true;
  });
  const tick = async () => {
    if (!isStale && phasesOf(current.keys, deps.now()) === current.phases) return;
    isStale = false;
    await reload().catch(() => {
      isStale = true;
    });
  };
  const timer = setInterval(tick, tickMs).unref();
  return {
    current: () => current.provider,
    keys: () => current.keys,
    middleware: (ctx, next) => (isEndpoint(ctx) ? current.middleware(ctx, next) : next()),
    close: () => clearInterval(timer),
  };
}

async function load(deps: ProviderDeps & { rootKey: KeyObject }) {
  const now = deps.now();
  const keys = await loadSigningKeys(deps.db, deps.rootKey, now);
  const provider = buildProvider(deps, keys);
  provider.proxy = true;
  return { provider, keys, phases: phasesOf(keys, now), middleware: compose(provider.middleware) };
}

/** The state of each key; it changes when the clock passes one of their times. */
function phasesOf(keys: readonly SigningKey[], now: Date): string {
  return keys.map((key) => `${key.kid} ${stateOf(key, keys, now)}`).join();
}
