import type { Context } from 'koa';

/** Sets the time to wait in the response. @returns the same in minutes, for the page */
export function minutesToWait(ctx: Context, seconds: number): number {
  ctx.set('Retry-After', String(seconds));
  return Math.ceil(seconds / 60);
}
