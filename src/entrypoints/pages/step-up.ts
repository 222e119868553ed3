import type { Context } from 'koa';
import { confirmSession, findSignIn, isProofDue, proofSeconds } from '../../domain/sessions/index.ts';
import {
  authenticate,
  hasPassword,
  hasSecondFactor,
  proveFactor,
  type SignInOutcome,
} from '../../domain/users/index.ts';
import { form, person, requestOrigin } from '../../platform/http/index.ts';
import { newSessionId } from '../oauth/index.ts';
import { confirmingProviders } from './account/confirming-providers.ts';
import { factorDeps, factorFieldsOf, sentProof } from './factors.ts';
import type { Catalogue } from './languages/en.ts';
import { type PagesDeps, textsFor } from './pages.ts';
import type { AskedProof } from './records/page-shapes.ts';
import { knownDevice } from './sign-in/known-device.ts';
import { type Here, sendRenewedId } from './signed-in.ts';

type Judgement = { authenticated_at: Date; amr: string[] } | { problem: string };

/** Whether the last proof of this user in this session is too old. */
export function isStepUpDue({ db, now }: PagesDeps, { user, session }: Here): Promise<boolean> {
  return isProofDue(db, user.id, { uid: session.uid, now: now() });
}

/**
 * Whether a user who has neither a password nor a factor here may add their first one without a proof: right after a sign-in with a
 * provider, which may not state when the user authenticated. From then on the factor is required.
 */
export async function mayAddFirstFactor(deps: PagesDeps, { user, session }: Here): Promise<boolean> {
  if ((await hasPassword(deps.db, user.id)) || (await hasSecondFactor(deps.db, user.id))) return false;
  const now = deps.now();
  const signed_in_at = await findSignIn(deps.db, user.id, { uid: session.uid, now });
  return signed_in_at !== undefined && now.getTime() - signed_in_at.getTime() <= proofSeconds * 1000;
}

/** The proof that this user can give. */
export async function askedProof(deps: PagesDeps, ctx: Context, here: Here): Promise<AskedProof> {
  const { user } = here;
  const fields = await factorFieldsOf(deps, ctx, { user_id: user.id, purpose: 'step-up' });
  if (fields) return { kind: 'factor', ...fields };
  const links = await confirmingProviders(deps, ctx, here);
  return links ? { kind: 'provider', links } : { kind: 'password', username: user.username };
}

/**
 * Checks a proof. A valid one is accepted for ten minutes in this session, which gets another id: copies of its cookie stop working.
 *
 * @returns the error, as a sentence; undefined if it is valid
 * @throws Problem `conflict`: the session was revoked meanwhile
 */
export async function stepUp(deps: PagesDeps, ctx: Context, here: Here): Promise<string | undefined> {
  const judge = (await hasSecondFactor(deps.db, here.user.id)) ? judgeFactor : judgePassword;
  const judgement = await judge(deps, ctx, here);
  if ('problem' in judgement) return judgement.problem;
  const { id, stored } = newSessionId();
  const { authenticated_at: confirmed_at, amr } = judgement;
  const actor = person(here.user.id, requestOrigin(ctx));
  const renewal = { uid: here.session.uid, id: stored, confirmed_at, amr };
  sendRenewedId(deps, ctx, { id, expires_at: await confirmSession(deps, actor, renewal) });
  return undefined;
}

async function judgeFactor(deps: PagesDeps, ctx: Context, { user }: Here): Promise<Judgement> {
  const t = textsFor(deps, ctx).security;
  const proof = sentProof(deps, ctx, 'step-up');
  if (!proof) return { problem: t.enterProof };
  const origin = requestOrigin(ctx);
  const outcome = await proveFactor(factorDeps(deps), { user_id: user.id, proof, origin });
  return judgementOf(textsFor(deps, ctx), outcome, t.wrongProof);
}

async function judgePassword(deps: PagesDeps, ctx: Context, { user }: Here): Promise<Judgement> {
  const t = textsFor(deps, ctx).records;
  const password = form(ctx).get('password_again') ?? '';
  if (password === '') return { problem: t.enterPassword };
  const device = (account: string) => knownDevice(deps, ctx, account);
  const who = { user_id: user.id };
  const outcome = await authenticate(deps, { who, password, device, origin: requestOrigin(ctx) });
  return judgementOf(textsFor(deps, ctx), outcome, t.wrongPassword);
}

function judgementOf({ records }: Catalogue, outcome: SignInOutcome, wrong: string): Judgement {
  if (outcome.kind === 'ok') return outcome;
  if (outcome.kind === 'wrong') return { problem: wrong };
  return { problem: records.throttled({ minutes: Math.ceil(outcome.retryAfterSeconds / 60) }) };
}
