import type { Context, Middleware, Next } from 'koa';
import { sql } from 'kysely';
import type { Installation } from './installation.ts';

const maxClockSkewMs = 2000;

/** Paths that this file answers. */
export const healthPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** `/healthz`: the process answers. `/readyz`: it can serve (database, migrations, clock within 2 s of the database's). */
export function healthRoutes({ database, now }: Pick<Installation, 'database' | 'now'>): Middleware {
  return async (ctx: Context, next: Next) => {
    if (ctx.path === '/healthz') {
      ctx.body = { status: 'ok' };
      return;
    }
    if (ctx.path !== '/readyz') return next();
    const reason = await notReadyBecause(database.db, now);
    ctx.status = reason ? 503 : 200;
    if (reason) ctx.set('Retry-After', '2');
    ctx.body = reason ? { status: 'not ready', reason } : { status: 'ready' };
  };
}

async function notReadyBecause(db: Installation['database']['db'], now: () => Date): Promise<string | undefined> {
  try {
    const { rows } = await sql<{ now: Date; is_read_only: boolean }>`
      select clock_timestamp() as now, current_setting('transaction_read_only')::boolean as is_read_only
      from change_counter`.execute(db);
    if (rows[0]?.is_read_only) return 'the database takes no writes';
    const skewMs = Math.abs(now().getTime() - (rows[0]?.now.getTime() ?? 0));
    return skewMs > maxClockSkewMs
      ? `this clock and the database's are ${Math.round(skewMs / 1000)} seconds apart`
      : undefined;
  } catch {
    // Whatever it is, requests would fail: the load balancer should send them elsewhere.
    return 'the database cannot be used';
  }
}
