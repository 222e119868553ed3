import type { Context } from 'koa';
import { z } from 'zod';
import { carriedState, carry } from '../../../domain/users/index.ts';
import type { Authentication } from '../../oauth/index.ts';
import { csrfToken } from '../csrf.ts';
import { ownCookie } from '../own-cookie.ts';
import type { PagesDeps } from '../pages.ts';
import { CarriedProvider } from './providers.ts';

const purpose = 'enrolment by a provider';
const secondsForIt = 30 * 60;

const Entered = z.object({
  user_id: z.uuid(),
  user_epoch: z.int(),
  amr: z.array(z.string()),
  provider: CarriedProvider,
});
type Entered = z.infer<typeof Entered>;

const cookieOf = ({ issuer }: PagesDeps) => ownCookie('latchkey_enrolling', issuer);

/**
 * Records in the browser that a user without a password signed in with a provider, and lacks a second factor. With that and a link they add
 * one: the link alone is not enough, as it is not for users with a password.
 */
export function noteProviderEntry(
  deps: PagesDeps,
  ctx: Context,
  { user_id, user_epoch, amr, provider }: Authentication,
): void {
  if (!provider) return;
  const carried = { purpose, browser: csrfToken(deps, ctx), seconds: secondsForIt };
  const { name, options } = cookieOf(deps);
  const value = carry(deps, carried, { user_id, user_epoch, amr, provider });
  ctx.cookies.set(name, value, { ...options, maxAge: secondsForIt * 1000 });
}

/** How this user signed in with a provider in this browser a short while ago; undefined: there was no such sign-in. */
export function providerEntryOf(deps: PagesDeps, ctx: Context, user_id: string): Entered | undefined {
  const { name, options } = cookieOf(deps);
  const state = carriedState(deps, { purpose, browser: csrfToken(deps, ctx) }, ctx.cookies.get(name, options) ?? '');
  const entered = Entered.safeParse(state).data;
  return entered?.user_id === user_id ? entered : undefined;
}
