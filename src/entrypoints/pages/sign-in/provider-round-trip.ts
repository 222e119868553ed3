import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { z } from 'zod';
import {
  authorizationUrl,
  type LoginTrust,
  newRoundTrip,
  ProviderRefusal,
  redeem,
  type UpstreamAccount,
} from '../../../domain/identity-providers/index.ts';
import { carriedState, carry } from '../../../domain/users/index.ts';
import { requestOrigin } from '../../../platform/http/index.ts';
import { isFirstUse } from '../../oauth/index.ts';
import { csrfToken } from '../csrf.ts';
import type { PagesDeps } from '../pages.ts';
import { one } from '../signed-in.ts';

export const secondsForIt = 15 * 60;
const toleratedMs = 60_000;
const longestHint = 254;
const purpose = 'identity provider';

/** The content of `state`, sealed for this browser. */
const Carried = z.object({
  trust_id: z.uuid(),
  nonce: z.string(),
  code_verifier: z.string(),
  started_at: z.int(),
  /** Whether a fresh authentication of the user is required. */
  is_fresh: z.boolean(),
  /** The id of the app's request, which continues afterwards; null: the user signs in to their own pages. */
  interaction: z.string().nullable(),
  return_to: z.string(),
  /** The signed-in user, who connects an account or confirms an action; null: a sign-in. */
  own: z.object({ user_id: z.uuid(), session_uid: z.string(), purpose: z.enum(['connect', 'confirm']) }).nullable(),
});
export type Carried = z.infer<typeof Carried>;

export type RoundTripStart = Pick<Carried, 'interaction' | 'return_to' | 'is_fresh' | 'own'> & {
  login_hint?: string | undefined;
};

/** Redirects the browser to a provider. @throws ProviderRefusal: it does not answer */
export async function sendToProvider(
  deps: PagesDeps,
  ctx: Context,
  trust: LoginTrust,
  { login_hint, ...to }: RoundTripStart,
): Promise<void> {
  const roundTrip = newRoundTrip();
  const carried: Carried = { ...to, ...roundTrip, trust_id: trust.id, started_at: deps.now().getTime() };
  const state = carry(deps, { purpose, browser: csrfToken(deps, ctx), seconds: secondsForIt }, carried);
  const url = await authorizationUrl(deps.providers, trust, {
    ...{ ...roundTrip, state, redirect_uri: callbackOf(deps, trust.id), prompt: promptOf(to) },
    login_hint: one(ctx.query.login_hint).slice(0, longestHint) || login_hint,
  });
  ctx.status = 303;
  ctx.redirect(url);
}

function promptOf({ is_fresh, own }: RoundTripStart) {
  if (is_fresh) return 'login';
  // The user chooses the account to connect, not an earlier user of this browser.
  return own ? 'select_account' : null;
}

/** Each provider has its own redirect URI: a response of one is never taken for that of another (RFC 9700 §4.4). */
const callbackOf = ({ issuer }: PagesDeps, trust_id: string) => `${issuer}/sign-in/callback/${trust_id}`;

/** The state that this browser returned; undefined: it was changed, belongs to another browser or provider, or is too old. */
export function carriedIn(deps: PagesDeps, ctx: Context): Carried | undefined {
  const state = carriedState(deps, { purpose, browser: csrfToken(deps, ctx) }, one(ctx.query.state));
  const carried = Carried.safeParse(state).data;
  return carried?.trust_id === ctx.params.trust_id ? carried : undefined;
}

/** The user that a provider's response asserts. It is checked once. @throws ProviderRefusal */
export async function accountOf(deps: PagesDeps, ctx: Context, trust: LoginTrust): Promise<UpstreamAccount> {
  const carried = carriedIn(deps, ctx);
  if (!carried) throw new ProviderRefusal('expired', 'unknown or expired state, or of another browser');
  const attempt = { address: requestOrigin(ctx).address ?? '', account: undefined };
  if ((await deps.throttles.countFactor(attempt)) !== undefined) throw new ProviderRefusal('unavailable', 'throttled');
  const { nonce, code_verifier, started_at } = carried;
  const state = one(ctx.query.state);
  const name = createHash('sha256').update(state).digest('base64url');
  const until = Math.ceil(started_at / 1000) + secondsForIt + 60;
  if (!(await isFirstUse(deps.db, purpose, name, until)))
    throw new ProviderRefusal('expired', 'the state was used before');
  const url = new URL(callbackOf(deps, trust.id) + ctx.search);
  const account = await redeem(deps.providers, trust, { url, state, nonce, code_verifier });
  if (carried.is_fresh && (account.authenticated_at?.getTime() ?? 0) < started_at - toleratedMs)
    throw new ProviderRefusal('not_fresh', 'no fresh auth_time in the ID token');
  await deps.throttles.forgetFactor(attempt);
  return account;
}
