import { type Config, isDevelopment } from '../config.ts';
import { rollUpActivity } from '../domain/activity/index.ts';
import { Sealer } from '../domain/audit/index.ts';
import { fetchClientLogos, maxLogoBytes } from '../domain/client-logos/index.ts';
import { Expiry, removeExpired } from '../domain/expiry/index.ts';
import { Notifier, openMailer, sendMail } from '../domain/notifications/index.ts';
import { rewrapSecrets } from '../domain/secrets/index.ts';
import { hashingLoad, mailRecoveryLink, mailSignInCode, mailSignUpLink } from '../domain/users/index.ts';
import { deliverLogout, type RunningProvider } from '../entrypoints/oauth/index.ts';
import { mailTexts } from '../entrypoints/pages/index.ts';
import { type Patience, persistently } from '../platform/database/index.ts';
import { type Jobs, jobNames } from '../platform/jobs/index.ts';
import type { Metrics } from '../platform/metrics/index.ts';
import { guardedGet, guardedPost } from '../platform/outbound/index.ts';
import type { Installation } from './installation.ts';
import type { Services } from './services.ts';

export type BackgroundDeps = {
  config: Config;
  installation: Installation;
  issuer: string;
  services: Pick<Services, 'db' | 'jobs' | 'keys' | 'log' | 'now' | 'refusals' | 'sendEmail' | 'throttles' | 'vault'>;
  provider: RunningProvider;
  metrics: Metrics;
  patience: Patience;
};

export type BackgroundWork = {
  /** Continues until no more events are written. */
  sealer: Sealer;
  close: () => Promise<void>;
};

const webhookTimeoutMs = 10_000;
const logoTimeoutMs = 5000;
const mailTimeoutMs = 20_000;

/** Starts background work: jobs, deliveries, the sealing of the audit log. */
export async function startBackgroundWork(deps: BackgroundDeps): Promise<BackgroundWork> {
  const { config, installation, services, provider, metrics, patience } = deps;
  const { db, jobs, keys, log, now } = services;
  countFailures(metrics, jobs);
  const ignored = await persistently(patience, () => services.vault.ignoredSetting());
  if (ignored) log.warn(ignored);
  jobs.handle('backchannel-logout', deliverLogout(provider.current, { db, now }));
  handleMail(deps);
  jobs.handle('remove-expired', removeExpired({ expiry: new Expiry({ db }), log, metrics }));
  jobs.handle('fetch-client-logos', fetchClientLogos({ db, get: logoReader(config) }));
  jobs.handle('rewrap-secrets', rewrapSecrets(services));
  jobs.handle('roll-up-activity', rollUpActivity({ db }));
  const post = guardedPost({ allowLoopback: isDevelopment(config), timeoutMs: webhookTimeoutMs });
  const notifier = new Notifier({ db, keys, now, log, jobs, post, write: config.auditToStdout ? writeOut : undefined });
  const sealer = new Sealer({ db, keys, log, onHead: () => notifier.look() });
  installation.changes.onSnapshot((snapshot) => sealer.notice(snapshot));
  measureResources(metrics, installation, sealer);
  await persistently(patience, () => jobs.start());
  await persistently(patience, () => notifier.start());
  sealer.start();
  return {
    sealer,
    close: async () => {
      await notifier.close();
      await jobs.close();
    },
  };
}

function handleMail({ config, issuer, services }: BackgroundDeps): void {
  const { jobs, sendEmail, ...deps } = services;
  if (!config.mail || !sendEmail) return;
  const mailer = openMailer(config.mail, { textsIn: mailTexts(config.language), timeoutMs: mailTimeoutMs });
  jobs.handle('mail', sendMail(deps, mailer));
  jobs.handle('recovery', mailRecoveryLink({ ...deps, issuer, sendEmail }));
  jobs.handle('sign-in-code', mailSignInCode({ ...deps, issuer, sendEmail }));
  const { signUp: rules } = config;
  if (rules) jobs.handle('sign-up', mailSignUpLink({ ...deps, issuer, sendEmail, rules }));
}

const logoReader = (config: Config) =>
  guardedGet({ allowLoopback: isDevelopment(config), timeoutMs: logoTimeoutMs, maxBytes: maxLogoBytes });

function countFailures(metrics: Metrics, jobs: Jobs): void {
  const help = 'Jobs that failed on this node, by name; the log says why';
  const failed = metrics.counter('job_failures_total', { help, label: 'job', values: jobNames });
  jobs.onFailure((name) => failed(name, 1));
}

/** Resolves when the reader of standard output has received it, as far as the system reports. */
function writeOut(lines: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(lines, (error) => (error ? reject(error) : resolve()));
  });
}

/** States that must be polled. */
function measureResources(metrics: Metrics, { changes, database }: Installation, sealer: Sealer): void {
  const { pool } = database;
  metrics.gauge(
    'audit_seal_lag_seconds',
    'Seconds since all audit events were last known to be sealed',
    () => sealer.lagMs() / 1000,
  );
  metrics.gauge(
    'change_feed_lag_seconds',
    'Seconds since this node last knew all changes of other nodes',
    () => changes.lagMs() / 1000,
  );
  metrics.gauge('database_pool_connections', 'Connections of the pool', () => pool.totalCount);
  metrics.gauge(
    'database_connections_departing',
    'Abandoned connections that PostgreSQL still holds',
    database.abandoned,
  );
  metrics.gauge('database_pool_idle', 'Idle connections of the pool', () => pool.idleCount);
  metrics.gauge('database_pool_waiting', 'Requests that wait for a connection', () => pool.waitingCount);
  metrics.gauge('password_hashes_running', 'Passwords being hashed', () => hashingLoad().running);
  metrics.gauge('password_hashes_waiting', 'Sign-ins that wait in the queue', () => hashingLoad().waiting);
}
