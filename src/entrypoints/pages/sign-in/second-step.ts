import type { Context } from 'koa';
import { z } from 'zod';
import { together } from '../../../domain/assurance/index.ts';
import { carriedState, carry, hasSecondFactor, proveFactor } from '../../../domain/users/index.ts';
import { form, requestOrigin } from '../../../platform/http/index.ts';
import type { Authentication } from '../../oauth/index.ts';
import { csrfToken } from '../csrf.ts';
import { factorDeps, factorFieldsOf, sentProof } from '../factors.ts';
import { type PagesDeps, show, textsFor } from '../pages.ts';
import type { SignInView } from './page-data.ts';
import { CarriedProvider } from './providers.ts';
import { isSkipped, skipFromNowOn, skippableDays } from './remembered-browser.ts';
import { minutesToWait } from './throttled.ts';

// After the password there is time to fetch a phone, but not to return another day.
const secondsForIt = 10 * 60;
const purpose = 'second step';

/** The proofs so far, and their time; the epoch is the one that the password was read with. */
const Pending = z.object({
  user_id: z.uuid(),
  user_epoch: z.int(),
  amr: z.array(z.string()),
  provider: CarriedProvider.optional(),
});

/** The result of a submitted step; `expired`: it starts again. */
export type SecondStep = { authentication: Authentication } | 'expired' | 'answered';

/**
 * Requires a second factor after the password, if the user has one and does not skip it in this browser. Nothing is stored: the browser
 * keeps the proofs, sealed.
 *
 * @returns whether it was required, and the request answered
 */
export async function askSecondFactor(
  deps: PagesDeps,
  ctx: Context,
  { authentication, view }: { authentication: Authentication; view: SignInView },
): Promise<boolean> {
  const { user_id, user_epoch, amr, provider } = authentication;
  if (!(await hasSecondFactor(deps.db, user_id))) return false;
  // Connecting an account adds a sign-in method, which requires all factors of the user.
  const isAll = view.asksAll || view.connect !== undefined;
  if (!isAll && (await isSkipped(deps, ctx, user_id))) return false;
  const browser = csrfToken(deps, ctx);
  const pending = carry(deps, { purpose, browser, seconds: secondsForIt }, { user_id, user_epoch, amr, provider });
  await showStep(deps, ctx, { user_id, pending, view });
  return true;
}

type Shown = { user_id: string; pending: string; view: SignInView; error?: string; blocked?: string };

async function showStep(deps: PagesDeps, ctx: Context, { user_id, pending, view, ...problem }: Shown): Promise<void> {
  const fields = await factorFieldsOf(deps, ctx, { user_id, purpose: 'sign-in' });
  const { action, client_name, cancel, connect } = view;
  const wrong = problem.error ? 422 : 200;
  const offered = fields ?? { has_code: false, takes_code: true, passkey: undefined };
  // The second factor still protects the account: the first one alone does not sign the user in.
  const isClosed = !offered.takes_code && !offered.passkey;
  const remember_days = await skippableDays(deps, user_id);
  const closed = isClosed ? { blocked: textsFor(deps, ctx).secondStep.noneAllowed } : {};
  const data = {
    csrf: csrfToken(deps, ctx),
    action,
    client_name,
    cancel,
    connect,
    pending,
    remember_days,
    ...offered,
    ...problem,
    ...closed,
  };
  show(deps, ctx, 'second-step', data, { status: problem.blocked ? 429 : wrong });
}

/** Checks a submitted second factor. */
export async function judgeSecondStep(deps: PagesDeps, ctx: Context, view: SignInView): Promise<SecondStep> {
  const pending = form(ctx).get('pending') ?? '';
  const state = Pending.safeParse(carriedState(deps, { purpose, browser: csrfToken(deps, ctx) }, pending)).data;
  if (!state) return 'expired';
  const { user_id } = state;
  const t = textsFor(deps, ctx).secondStep;
  const proof = sentProof(deps, ctx, 'sign-in');
  const again = { user_id, pending, view };
  if (!proof) {
    await showStep(deps, ctx, { ...again, error: t.incomplete });
    return 'answered';
  }
  const outcome = await proveFactor(factorDeps(deps), { user_id, proof, origin: requestOrigin(ctx) });
  if (outcome.kind === 'ok') {
    const { user_epoch, authenticated_at } = outcome;
    // All credentials of the account were revoked after the password was entered.
    if (user_epoch !== state.user_epoch) return 'expired';
    if (form(ctx).get('remember')) await skipFromNowOn(deps, ctx, { user_id, user_epoch });
    const provider = state.provider && { ...state.provider, proven_at: authenticated_at };
    const amr = together(state.amr, outcome.amr);
    return { authentication: { user_id, user_epoch, authenticated_at, amr, provider } };
  }
  if (outcome.kind === 'wrong') {
    await showStep(deps, ctx, { ...again, error: proof.kind === 'code' ? t.wrongCode : t.wrongPasskey });
    return 'answered';
  }
  const minutes = minutesToWait(ctx, outcome.retryAfterSeconds);
  await showStep(deps, ctx, { ...again, blocked: t.throttled({ minutes }) });
  return 'answered';
}
