import type { Context } from 'koa';
import { requestOrigin } from '../platform/http/index.ts';
import { authenticate } from '../users/index.ts';
import { ownCookie } from './own-cookie.ts';
import type { PagesDeps } from './pages.ts';
import { knownDevice } from './sign-in.ts';
import type { Here } from './signed-in.ts';

const confirmedMs = 10 * 60 * 1000;
const shape = /^([\w-]{1,64})\.(\d{1,15})$/;

/** Whether it has been too long since this person gave their password in this browser. */
export function isPasswordDue(deps: PagesDeps, ctx: Context, { session }: Pick<Here, 'session'>): boolean {
  const { name, options } = ownCookie('latchkey_confirmed', deps.issuer);
  const [, uid, at = '0'] = shape.exec(ctx.cookies.get(name, options) ?? '') ?? [];
  // Bound to the session: it is worth nothing in another one, nor after signing out.
  const confirmed = uid === session.uid ? Number(at) : 0;
  return deps.now().getTime() - Math.max(confirmed, session.login_at.getTime()) > confirmedMs;
}

/** Judges the password; undefined when it fits, which counts for ten minutes, otherwise what is wrong, as a sentence. */
export async function confirmPassword(
  deps: PagesDeps,
  ctx: Context,
  { user, session }: Here,
  password: string,
): Promise<string | undefined> {
  if (password === '') return 'Enter your password to go on.';
  const device = (account: string) => knownDevice(deps, ctx, account);
  const outcome = await authenticate(deps, { login: user.username, password, device, origin: requestOrigin(ctx) });
  if (outcome.kind === 'throttled') {
    const minutes = Math.ceil(outcome.retryAfterSeconds / 60);
    return `There were too many attempts. Wait ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} and try again.`;
  }
  if (outcome.kind === 'wrong') return 'That is not your password.';
  const { name, options } = ownCookie('latchkey_confirmed', deps.issuer);
  ctx.cookies.set(name, `${session.uid}.${deps.now().getTime()}`, { ...options, maxAge: confirmedMs });
  return undefined;
}
