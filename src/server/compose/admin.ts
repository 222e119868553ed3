import type { Context, Middleware } from 'koa';
import { isDevelopment } from '../../config.ts';
import { secretScanning } from '../../domain/incidents/index.ts';
import { openMailer } from '../../domain/notifications/index.ts';
import type { AdminRouteDeps } from '../../entrypoints/admin/index.ts';
import { keyBearerOf } from '../../entrypoints/gateway/index.ts';
import { type Bearer, bearerOf, verifiedId } from '../../entrypoints/oauth/index.ts';
import { mailTexts } from '../../entrypoints/pages/index.ts';
import { guardedFetch } from '../../platform/outbound/index.ts';
import type { AppDeps } from '../app-deps.ts';
import { credentialKinds } from '../credential-kinds.ts';
import type { Services } from '../services.ts';
import { applyDeps } from './apply.ts';
import type { OAuth } from './oauth.ts';

type Needs = Pick<Services, 'db' | 'jobs' | 'keys' | 'now' | 'refusals' | 'secretReads' | 'sendEmail' | 'vault'>;

// An administrator waits for the outcome.
const testMailTimeoutMs = 8000;

/** The dependencies of the admin API's routes; the console calls the same routes. */
export function adminRouteDeps(
  { config, installation, issuer }: Pick<AppDeps, 'config' | 'installation' | 'issuer'>,
  { jobs, refusals, secretReads, sendEmail, vault }: Needs,
): AdminRouteDeps {
  return {
    ...applyDeps(config, installation, jobs),
    ...{ credentialKinds, issuer, refusals, secretReads, sendEmail, vault },
    mailer:
      config.mail && openMailer(config.mail, { textsIn: mailTexts(config.language), timeoutMs: testMailTimeoutMs }),
    rootKey: installation.rootKey,
    clockSkewMs: () => installation.clock.skewMs,
    keyActivationSeconds: config.keyActivationSeconds,
    settings: config.settings,
  };
}

/** The caller of Latchkey's own API: with an API key, or an access token for it. */
export function ownApiCaller({ apiKeys: keys }: Pick<Services, 'apiKeys'>, { bearers }: Pick<OAuth, 'bearers'>) {
  return async (ctx: Context, audience: string): Promise<Bearer> =>
    (await keyBearerOf({ keys, audience }, ctx)) ?? bearerOf(bearers, ctx, audience);
}

/** Reports of leaked credentials, if the signer of reports is configured. */
export function leakReports(
  { config, issuer }: Pick<AppDeps, 'config' | 'issuer'>,
  { db, jobs, keys, log, now, sendEmail }: Needs & Pick<Services, 'log'>,
  { provider }: Pick<OAuth, 'provider'>,
): Middleware[] {
  const { secretScanningKeys: url, leakPolicy: policy } = config;
  if (!url) return [];
  const scanner = { url, fetch: guardedFetch({ allowLoopback: isDevelopment(config) }) };
  const isOurs = async (jwt: string) => (await verifiedId(jwt, issuer, provider.keys())) !== undefined;
  return [secretScanning({ credentialKinds, db, jobs, keys, log, now, sendEmail, policy, scanner, isOurs })];
}
