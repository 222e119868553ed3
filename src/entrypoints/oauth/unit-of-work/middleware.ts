import type { Context, Middleware, Next } from 'koa';
import { appendEvent } from '../../../domain/audit/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import { Problem, requestOrigin } from '../../../platform/http/index.ts';
import type { RowBounds } from './row-bounds.ts';
import { commitOperations, LostRaceError, runInUnit, Unit } from './unit.ts';

export type UnitDeps = {
  db: Db;
  refreshGraceSeconds: number;
  rowBounds: RowBounds;
  /** Commits a unit that issues tokens, and replaces the answer if the commit refuses it. */
  issueTokens: (ctx: Context, unit: Unit) => Promise<void>;
};

/**
 * Opens a unit of work around a request and commits it after the answer was produced and before it is sent; if the commit refuses it, the
 * answer is replaced.
 */
export function unitOfWork(deps: UnitDeps): Middleware {
  return async (ctx: Context, next: Next) => {
    const unit = new Unit(requestOrigin(ctx), {
      defaultGraceSeconds: deps.refreshGraceSeconds,
      isTokenRequest: ctx.path === '/oauth/token',
    });
    await runInUnit(unit, next);
    if (unit.outage) throw unit.outage;
    if (ctx.status >= 500) {
      ctx.remove('Set-Cookie');
      return;
    }
    if (unit.writes.access_token) await deps.issueTokens(ctx, unit);
    else await commitBrowser(deps, ctx, unit);
  };
}

async function commitBrowser({ db, rowBounds }: UnitDeps, ctx: Context, unit: Unit): Promise<void> {
  const { address = '' } = unit.origin;
  try {
    if (unit.openRows.length > 0) rowBounds.take(address, unit.openRows);
    await commitOperations(db, unit, appendEvent);
    for (let n = 0; n < unit.finishedInteractions; n += 1) rowBounds.giveBack(address, 'interaction');
  } catch (error) {
    ctx.remove('Set-Cookie');
    ctx.remove('Location');
    if (error instanceof LostRaceError) throw lostRace();
    throw error;
  }
}

function lostRace(): Problem {
  return new Problem(409, 'changed_elsewhere', {
    title: 'Something changed in another window',
    detail: 'You may have signed in or out in another tab. Go back to the app and try again.',
  });
}
