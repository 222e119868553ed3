import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { authenticate } from '../../../domain/users/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import { form, requestOrigin } from '../../../platform/http/index.ts';
import type { Authentication } from '../../oauth/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { ownCookie } from '../own-cookie.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, show, textsFor } from '../pages.ts';
import { signInHere } from '../signed-in.ts';
import { forgotPasswordPath } from './forgot-password.ts';

const maxAccounts = 8;
const yearMs = 365 * 24 * 60 * 60 * 1000;

/** Signing in to one's own pages, outside of any app's request. */
export function signInRoutes(router: Router, deps: PagesDeps): void {
  router.get('/sign-in', async (ctx: Context) => {
    showSignIn(deps, ctx, { action: ctx.url, login: '' });
  });
  router.post('/sign-in', async (ctx: Context) => {
    const authentication = await judgeSignIn(deps, ctx, { action: ctx.url });
    if (authentication) await signInHere(deps, ctx, { ...authentication, to: ownPath(ctx.query.return_to) });
  });
}

// The ids in its addresses are percent-encoded, its lists keep their filters there; no part is empty or begins with a dot.
const inConsole = /^\/console(?:\/[\w%~:-][\w%.~:-]*)*(?:\?[\w%.~:=&+*-]*)?$/;

/** Only a path of ours: anything else would be an open redirect. */
function ownPath(target: string | string[] | undefined): string {
  return typeof target === 'string' && (/^\/(account(\/[\w/-]*)?)?$/.test(target) || inConsole.test(target))
    ? target
    : pagePaths.account;
}

export type SignInView = {
  action: string;
  client_name?: string | undefined;
  client_logo?: string | undefined;
  login?: string;
  error?: string;
  blocked?: string;
  notice?: string;
  cancel?: boolean;
};

/** Shows the sign-in page. */
export function showSignIn(deps: PagesDeps, ctx: Context, view: SignInView, status = 200): void {
  const forgot_password = forgotPasswordPath(view.action);
  show(deps, ctx, 'sign-in', { csrf: csrfToken(deps, ctx), login: '', ...view, forgot_password }, { status });
}

/** Judges a submitted sign-in; on anything but success it has answered, and nobody is returned. */
export async function judgeSignIn(
  deps: PagesDeps,
  ctx: Context,
  view: SignInView,
): Promise<Authentication | undefined> {
  checkCsrf(deps, ctx);
  const t = textsFor(deps, ctx).signIn;
  const sent = form(ctx);
  const login = (sent.get('login') ?? '').trim().slice(0, 254);
  const password = sent.get('password') ?? '';
  if (!login || !password) {
    showSignIn(deps, ctx, { ...view, login, error: t.incomplete }, 422);
    return undefined;
  }
  const origin = requestOrigin(ctx);
  const device = (account: string) => knownDevice(deps, ctx, account);
  const outcome = await authenticate(deps, { who: { login }, password, device, origin });
  if (outcome.kind === 'ok') {
    const { user, user_epoch, authenticated_at, amr } = outcome;
    rememberDevice(deps, ctx, user.id);
    return { user_id: user.id, user_epoch, authenticated_at, amr };
  }
  if (outcome.kind === 'wrong') {
    showSignIn(deps, ctx, { ...view, login, error: t.wrong }, 422);
    return undefined;
  }
  const minutes = Math.ceil(outcome.retryAfterSeconds / 60);
  ctx.set('Retry-After', String(outcome.retryAfterSeconds));
  showSignIn(deps, ctx, { ...view, login, blocked: t.throttled({ minutes }) }, 429);
  return undefined;
}

/** The browser's id, if somebody has signed in with this account here before. */
export function knownDevice({ issuer }: PagesDeps, ctx: Context, account: string): string | undefined {
  const { name, options } = ownCookie('latchkey_device', issuer);
  const [id, ...accounts] = (ctx.cookies.get(name, options) ?? '').split('.');
  return id && accounts.includes(accountMark(account)) ? id : undefined;
}

function rememberDevice({ issuer }: PagesDeps, ctx: Context, account: string): void {
  const { name, options } = ownCookie('latchkey_device', issuer);
  const [id = '', ...accounts] = (ctx.cookies.get(name, options) ?? '').split('.');
  const mark = accountMark(account);
  const kept = [mark, ...accounts.filter((known) => known !== mark)].slice(0, maxAccounts);
  ctx.cookies.set(name, [id || randomUUID(), ...kept].join('.'), { ...options, maxAge: yearMs });
}

function accountMark(account: string): string {
  return digest(account).toString('base64url').slice(0, 16);
}
