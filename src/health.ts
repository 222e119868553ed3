import type { Context, Middleware, Next } from 'koa';
import { sql } from 'kysely';
import type { Installation } from './installation.ts';
import type { DatabaseClock, Db } from './platform/database/index.ts';

/** Paths that this file answers. */
export const healthPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** `/healthz`: the process answers. `/readyz`: it can serve (database, migrations, clock within 2 s of the database's). */
export function healthRoutes({ database, clock }: Pick<Installation, 'clock' | 'database'>): Middleware {
  return async (ctx: Context, next: Next) => {
    if (ctx.path === '/healthz') {
      ctx.body = { status: 'ok' };
      return;
    }
    if (ctx.path !== '/readyz') return next();
    const reason = await notReadyBecause(database.db, clock);
    ctx.status = reason ? 503 : 200;
    if (reason) ctx.set('Retry-After', '2');
    ctx.body = reason ? { status: 'not ready', reason } : { status: 'ready' };
  };
}

async function notReadyBecause(db: Db, clock: DatabaseClock): Promise<string | undefined> {
  try {
    await clock.measure(db);
    const { rows } = await sql<{ is_read_only: boolean }>`
      select current_setting('transaction_read_only')::boolean as is_read_only from change_counter`.execute(db);
    if (rows[0]?.is_read_only) return 'the database takes no writes';
    return clock.isWithinBounds()
      ? undefined
      : `this clock and the database's are ${Math.round(clock.skewMs / 1000)} seconds apart`;
  } catch {
    // Whatever it is, requests would fail: the load balancer should send them elsewhere.
    return 'the database cannot be used';
  }
}
