import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import { form, mustSendCookies, Problem } from '../../platform/http/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { ownCookie } from './own-cookie.ts';

export type CsrfDeps = { keys: ServerKeys; issuer: string };

/** The token for a form on this page: bound to a cookie of this browser that no script can read. */
export function csrfToken({ keys, issuer }: CsrfDeps, ctx: Context): string {
  const { name, options } = ownCookie('latchkey_csrf', issuer);
  // A new browser gets one cookie in this response, although several parts of a page ask for the token.
  const known = ctx.cookies.get(name, options) ?? ctx.state.csrf_nonce;
  if (known) return tokenFor(keys, known);
  const nonce = randomBytes(18).toString('base64url');
  ctx.cookies.set(name, nonce, options);
  ctx.state.csrf_nonce = nonce;
  return tokenFor(keys, nonce);
}

/**
 * Refuses a form that did not come from our own page: by Origin and Sec-Fetch-Site, and by the token.
 *
 * @throws Problem 403
 */
export function checkCsrf({ keys, issuer }: CsrfDeps, ctx: Context): void {
  const { name, options } = ownCookie('latchkey_csrf', issuer);
  if (!isForeign(issuer, ctx)) mustSendCookies(ctx, 403);
  const nonce = ctx.cookies.get(name, options);
  if (isForeign(issuer, ctx) || !nonce || !isSame(form(ctx).get('csrf') ?? '', tokenFor(keys, nonce)))
    throw foreignForm();
}

/**
 * Refuses forms of oidc-provider's pages that come from another site; the library checks their token.
 *
 * @throws Problem 403
 */
export function refuseForeignForms(issuer: string, paths: ReadonlySet<string>): Middleware {
  return async (ctx: Context, next: Next) => {
    if (ctx.method === 'POST' && paths.has(ctx.path) && isForeign(issuer, ctx)) throw foreignForm();
    return next();
  };
}

function isForeign(issuer: string, ctx: Context): boolean {
  const origin = ctx.get('Origin');
  const site = ctx.get('Sec-Fetch-Site');
  return (origin !== '' && origin !== issuer) || (site !== '' && site !== 'same-origin' && site !== 'none');
}

function tokenFor(keys: ServerKeys, nonce: string): string {
  return createHmac('sha256', keys.current('csrf').key).update(nonce).digest('base64url');
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function foreignForm(): Problem {
  return new Problem(403, 'foreign_form', {
    title: 'This form could not be submitted',
    detail: 'The page was open for too long, or cookies are blocked. Go back, reload the page and send the form again.',
  });
}
