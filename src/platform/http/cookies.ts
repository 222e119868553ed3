import type { Context } from 'koa';
import { Problem } from './problems.ts';

/**
 * Refuses a request without any cookie where one was set before: the browser blocks cookies, or it is a different browser.
 *
 * @throws Problem with this status
 */
export function mustSendCookies(ctx: Context, status: 400 | 403): void {
  if (ctx.get('Cookie') === '') throw cookiesBlocked(ctx, status);
}

/** What to do in a browser that sent no cookie: it blocks them, or did not start the request. */
export function cookiesBlocked(ctx: Context, status: 400 | 403): Problem {
  const isForm = status === 403;
  return new Problem(status, 'cookies_blocked', {
    title: isForm ? 'This form could not be submitted' : 'This page has expired, or cookies are blocked',
    detail: `Your browser sent no cookies, and signing in needs them. Allow cookies for ${ctx.hostname}, and start again from the app or page that you came from. If you opened this address in another browser, go back to the first one.`,
  });
}
