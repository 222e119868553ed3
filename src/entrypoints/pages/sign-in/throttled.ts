import type { Context } from 'koa';

/** Says in the answer how long to wait. @returns the same in minutes, for the page */
export function minutesToWait(ctx: Context, seconds: number): number {
  ctx.set('Retry-After', String(seconds));
  return Math.ceil(seconds / 60);
}
