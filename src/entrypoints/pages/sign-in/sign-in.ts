import type Router from '@koa/router';
import type { Context } from 'koa';
import { together } from '../../../domain/assurance/index.ts';
import { connectAccount, providerName } from '../../../domain/identity-providers/index.ts';
import { authenticate, proveFactor, refusesDoubted } from '../../../domain/users/index.ts';
import { form, Problem, requestOrigin } from '../../../platform/http/index.ts';
import type { Authentication } from '../../oauth/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { anyPasskey, factorDeps, sentProof } from '../factors.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, show, textsFor, withMail } from '../pages.ts';
import { meetsPolicy, signInHere } from '../signed-in.ts';
import { judgeEmailCode, mailsCodes } from './email-code.ts';
import { sendEnrolmentLink, showEnrolmentRequired } from './enrolment.ts';
import { interactionOf, pathOfInteraction } from './from-app.ts';
import { knownDevice, rememberBrowser } from './known-device.ts';
import { isOffered } from './offered.ts';
import type { SignInView } from './page-data.ts';
import { findLoginTrust, offeredProviders, pendingConnection } from './providers.ts';
import { askSecondFactor, judgeSecondStep } from './second-step.ts';
import { minutesToWait } from './throttled.ts';

/** Signing in to the user's own pages, without a request of an app. */
export function signInRoutes(router: Router, deps: PagesDeps): void {
  router.get('/sign-in', async (ctx: Context) => {
    await showSignIn(deps, ctx, { action: ctx.url, login: '' });
  });
  router.post('/sign-in', async (ctx: Context) => {
    const authentication = await judgeSignIn(deps, ctx, { action: ctx.url });
    if (authentication) await signInHere(deps, ctx, { ...authentication, to: ownPath(ctx.query.return_to) });
  });
}

// The ids in its addresses are percent-encoded, its lists keep their filters there; no part is empty or begins with a dot.
const inConsole = /^\/console(?:\/[\w%~:-][\w%.~:-]*)*(?:\?[\w%.~:=&+*-]*)?$/;

/** Only a path of this server: anything else would be an open redirect. */
export function ownPath(target: string | string[] | undefined): string {
  return typeof target === 'string' && (/^\/(account(\/[\w/-]*)?)?$/.test(target) || inConsole.test(target))
    ? target
    : pagePaths.account;
}

/** Shows the sign-in page. */
export async function showSignIn(
  deps: PagesDeps,
  ctx: Context,
  { clientLogo, ...view }: SignInView,
  status = 200,
): Promise<void> {
  const passkey = (await isOffered(deps, view, 'passkey')) ? await anyPasskey(deps, ctx) : undefined;
  const interaction = interactionOf(view.action);
  const links = {
    forgot_password: pathOfInteraction(pagePaths.forgotPassword, interaction),
    sign_up: deps.config.signUp && pathOfInteraction(pagePaths.signUp, interaction),
  };
  const client_logo = await clientLogo?.();
  const offered = await offeredProviders(deps, ctx, view);
  const has_password = await isOffered(deps, view, 'password');
  const has_email_code = view.connect === undefined && (await mailsCodes(deps, view));
  const notice = has_password || has_email_code ? {} : { notice: textsFor(deps, ctx).signIn.noPasswords };
  const own = { csrf: csrfToken(deps, ctx), client_logo, login: '', passkey, has_password, has_email_code };
  const shown = { ...own, ...offered, ...notice, ...view, ...links };
  show(deps, ctx, 'sign-in', shown, { status });
}

/** Checks a submitted sign-in; on anything but success it has answered, and returns nothing. */
export async function judgeSignIn(
  deps: PagesDeps,
  ctx: Context,
  view: SignInView,
): Promise<Authentication | undefined> {
  checkCsrf(deps, ctx);
  const connect = form(ctx).get('connect') ?? '';
  const asked = connect ? { ...view, connect } : view;
  const authentication = await judgeForm(deps, ctx, asked);
  if (!authentication || (await isRefusedDoubted(deps, ctx, { authentication, view }))) return undefined;
  const problem = connect && (await connectAsked(deps, ctx, { connect, user_id: authentication.user_id }));
  if (problem) {
    await showSignIn(deps, ctx, { ...view, error: problem }, 422);
    return undefined;
  }
  await rememberBrowser(deps, ctx, authentication.user_id);
  return authentication;
}

/** Refuses a sign-in that someone else may have prepared. @returns whether it has answered */
export async function isRefusedDoubted(
  deps: PagesDeps,
  ctx: Context,
  { authentication, view }: { authentication: Authentication; view: SignInView },
): Promise<boolean> {
  const { user_id } = authentication;
  if (!(await refusesDoubted(deps, { user_id, origin: requestOrigin(ctx) }))) return false;
  await showSignIn(deps, ctx, { ...view, error: textsFor(deps, ctx).signIn.doubted }, 422);
  return true;
}

/** Connects the provider's account of the user. @returns the error, as a sentence */
async function connectAsked(
  deps: PagesDeps,
  ctx: Context,
  { connect, user_id }: { connect: string; user_id: string },
): Promise<string | undefined> {
  const { providers: t } = textsFor(deps, ctx);
  const pending = pendingConnection(deps, ctx, connect);
  const trust = pending && (await findLoginTrust(deps, pending.trust_id));
  if (!trust) return t.expired;
  const provider = providerName(trust);
  if (pending.user_id !== user_id) return t.connectOther({ provider });
  try {
    await connectAccount(withMail(deps), requestOrigin(ctx), { user_id, trust, subject: pending.subject });
    return undefined;
  } catch (error) {
    if (error instanceof Problem && error.type === 'conflict') return t.connectRefused({ provider });
    throw error;
  }
}

async function judgeForm(deps: PagesDeps, ctx: Context, view: SignInView): Promise<Authentication | undefined> {
  const sent = form(ctx);
  if (sent.has('pending')) {
    const step = await judgeSecondStep(deps, ctx, view);
    if (step === 'expired')
      await showSignIn(deps, ctx, { ...view, error: textsFor(deps, ctx).secondStep.expired }, 422);
    return typeof step === 'string' ? undefined : step.authentication;
  }
  if (sent.has('enrolment')) {
    if (!(await sendEnrolmentLink(deps, ctx, view)))
      await showSignIn(deps, ctx, { ...view, error: textsFor(deps, ctx).secondStep.expired }, 422);
    return undefined;
  }
  if (sent.get('passkey')) return judgePasskey(deps, ctx, view);
  const isByMail = view.connect === undefined && (sent.has('mailed') || sent.has('email_code'));
  const authentication = await (isByMail ? judgeMailed : judgePassword)(deps, ctx, view);
  if (!authentication || (await askSecondFactor(deps, ctx, { authentication, view }))) return undefined;
  if (await meetsPolicy(deps, authentication)) return authentication;
  await showEnrolmentRequired(deps, ctx, { user_id: authentication.user_id, view });
  return undefined;
}

async function judgeMailed(deps: PagesDeps, ctx: Context, view: SignInView): Promise<Authentication | undefined> {
  const step = await judgeEmailCode(deps, ctx, view);
  if (step === 'answered') return undefined;
  if ('authentication' in step) return step.authentication;
  await showSignIn(deps, ctx, { ...view, ...step.again }, step.status);
  return undefined;
}

/** A passkey identifies and verifies its user: it needs no second step. */
async function judgePasskey(deps: PagesDeps, ctx: Context, view: SignInView): Promise<Authentication | undefined> {
  const t = textsFor(deps, ctx);
  const proof = sentProof(deps, ctx, 'sign-in');
  const outcome = proof && (await proveFactor(factorDeps(deps), { proof, origin: requestOrigin(ctx) }));
  if (outcome?.kind === 'ok') {
    const { user, user_epoch, authenticated_at, amr } = outcome;
    return { user_id: user.id, user_epoch, authenticated_at, amr: together(amr) };
  }
  if (outcome?.kind === 'throttled') await showThrottled(deps, ctx, view, outcome.retryAfterSeconds);
  else await showSignIn(deps, ctx, { ...view, error: t.secondStep.wrongPasskey }, 422);
  return undefined;
}

async function judgePassword(deps: PagesDeps, ctx: Context, view: SignInView): Promise<Authentication | undefined> {
  const t = textsFor(deps, ctx).signIn;
  const sent = form(ctx);
  // Before any lookup: the response is the same for every login.
  if (!(await isOffered(deps, view, 'password'))) {
    await showSignIn(deps, ctx, view, 422);
    return undefined;
  }
  const login = (sent.get('login') ?? '').trim().slice(0, 254);
  const password = sent.get('password') ?? '';
  if (!login || !password) {
    const isTold = password === '' && (await offeredProviders(deps, ctx, { ...view, login })).notice !== undefined;
    await showSignIn(deps, ctx, { ...view, login, ...(!isTold && { error: t.incomplete }) }, isTold ? 200 : 422);
    return undefined;
  }
  const origin = requestOrigin(ctx);
  const device = (account: string) => knownDevice(deps, ctx, account);
  const outcome = await authenticate(deps, { who: { login }, password, device, origin });
  if (outcome.kind === 'ok') {
    const { user, user_epoch, authenticated_at, amr } = outcome;
    return { user_id: user.id, user_epoch, authenticated_at, amr };
  }
  if (outcome.kind === 'wrong') {
    await showSignIn(deps, ctx, { ...view, login, error: t.wrong }, 422);
    return undefined;
  }
  await showThrottled(deps, ctx, { ...view, login }, outcome.retryAfterSeconds);
  return undefined;
}

async function showThrottled(deps: PagesDeps, ctx: Context, view: SignInView, seconds: number): Promise<void> {
  const { signIn: t } = textsFor(deps, ctx);
  await showSignIn(deps, ctx, { ...view, blocked: t.throttled({ minutes: minutesToWait(ctx, seconds) }) }, 429);
}
