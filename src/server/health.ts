import type { Context, Middleware, Next } from 'koa';
import type { Vault } from '../domain/secrets/index.ts';
import { type DatabaseClock, stalledMs } from '../platform/database/index.ts';
import type { Installation } from './installation.ts';

/** The paths of the health checks. */
export const healthPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/**
 * `/healthz`: the process answers. `/readyz`: it can serve (database, migrations, clock within 2 s of the database's, writes take effect).
 * Sealed secrets do not prevent sign-ins: they are only reported.
 */
export function healthRoutes(
  { database, clock }: Pick<Installation, 'clock' | 'database'>,
  vault: Pick<Vault, 'state'>,
): Middleware {
  return async (ctx: Context, next: Next) => {
    if (ctx.path === '/healthz') {
      ctx.body = { status: 'ok' };
      return;
    }
    if (ctx.path !== '/readyz') return next();
    const reason = await notReadyBecause(database, clock);
    ctx.status = reason ? 503 : 200;
    if (reason) ctx.set('Retry-After', '2');
    ctx.body = reason ? { status: 'not ready', reason } : { status: 'ready', ...(await sealedIn(vault)) };
  };
}

async function sealedIn(vault: Pick<Vault, 'state'>): Promise<{ secrets?: 'sealed' }> {
  const state = await vault.state().catch(() => undefined);
  return state?.sealed ? { secrets: 'sealed' } : {};
}

// One row, and a table that only exists once the database is migrated.
const readState = {
  name: 'read state',
  text: `select latchkey_now() as database_now, current_setting('transaction_read_only')::boolean as is_read_only from change_counter`,
};

async function notReadyBecause(
  { commits, watch }: Installation['database'],
  clock: DatabaseClock,
): Promise<string | undefined> {
  try {
    const [state] = await clock.readWith(async () => {
      const [answer] = await watch.run([readState]);
      return (answer?.rows ?? []) as { database_now: Date; is_read_only: boolean }[];
    });
    if (state?.is_read_only) {
      // The primary is elsewhere by now: the next check connects to it.
      await watch.close();
      return 'the database takes no writes';
    }
    if (commits.isStalled())
      return `the database has committed nothing for ${stalledMs / 1000} seconds, although commits are pending`;
    return clock.isWithinBounds()
      ? undefined
      : `this clock and the database's are ${Math.round(clock.skewMs / 1000)} seconds apart`;
  } catch {
    // For any error requests would fail: the load balancer should send them elsewhere.
    return 'the database cannot be used';
  }
}
