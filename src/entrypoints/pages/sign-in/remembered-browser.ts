import type { Context } from 'koa';
import { isRememberedBrowser, rememberBrowser } from '../../../domain/browsers/index.ts';
import { dayMs } from '../../../domain/credentials/index.ts';
import { requiredOfUser } from '../../../domain/users/index.ts';
import { requestOrigin } from '../../../platform/http/index.ts';
import { ownCookie } from '../own-cookie.ts';
import type { PagesDeps } from '../pages.ts';

/** Several users may use one browser. */
const mostSecrets = 5;

const cookieOf = ({ issuer }: PagesDeps) => ownCookie('latchkey_second_factor', issuer);

function secretsIn(deps: PagesDeps, ctx: Context): string[] {
  const { name, options } = cookieOf(deps);
  return (ctx.cookies.get(name, options) ?? '').split('.').filter(Boolean).slice(0, mostSecrets);
}

/**
 * For how many days a user may skip the second factor in a browser; undefined: it is required, or the policy does not allow skipping it.
 */
export async function skippableDays(deps: PagesDeps, user_id: string): Promise<number | undefined> {
  const { remember_browser_days: days } = await deps.policy.current();
  if (days === 0 || (await requiredOfUser(deps, user_id)) !== undefined) return undefined;
  return days;
}

/** Whether a user skips the second factor in this browser. */
export async function isSkipped(deps: PagesDeps, ctx: Context, user_id: string): Promise<boolean> {
  const days = await skippableDays(deps, user_id);
  const secrets = secretsIn(deps, ctx);
  return days !== undefined && isRememberedBrowser(deps, { user_id, days, secrets });
}

/**
 * Remembers this browser for a user who has just proven the second factor. Its secret is always a new one: no one can set it in advance.
 */
export async function skipFromNowOn(
  deps: PagesDeps,
  ctx: Context,
  { user_id, user_epoch }: { user_id: string; user_epoch: number },
): Promise<void> {
  const days = await skippableDays(deps, user_id);
  if (days === undefined) return;
  const secret = await rememberBrowser(deps, requestOrigin(ctx), { user_id, user_epoch, days });
  const { name, options } = cookieOf(deps);
  const kept = [secret, ...secretsIn(deps, ctx)].slice(0, mostSecrets);
  ctx.cookies.set(name, kept.join('.'), { ...options, maxAge: days * dayMs });
}
