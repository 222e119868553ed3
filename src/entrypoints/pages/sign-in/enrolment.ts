import type Router from '@koa/router';
import type { Context } from 'koa';
import { renderSVG } from 'uqr';
import { z } from 'zod';
import { isAllowed, together } from '../../../domain/assurance/index.ts';
import {
  addOneTimeCodes,
  addPasskey,
  authenticate,
  canGetEnrolmentLink,
  carriedState,
  carry,
  codeUri,
  findEnrollingUser,
  findUserById,
  generateCodeSecret,
  hasPassword,
  madePasskey,
  mailEnrolmentLink,
  passkeyCreation,
  type RelyingParty,
  requiredOfUser,
  type User,
} from '../../../domain/users/index.ts';
import { form, Problem, person, requestOrigin } from '../../../platform/http/index.ts';
import type { Authentication } from '../../oauth/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { factorDeps, relyingParty } from '../factors.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor, withMail } from '../pages.ts';
import type { FieldErrors } from '../records/page-shapes.ts';
import { signInHere } from '../signed-in.ts';
import { providerEntryOf } from './enrolling-by-provider.ts';
import { knownDevice } from './known-device.ts';
import { linkClosed } from './link-closed.ts';
import type { SignInView } from './page-data.ts';
import { minutesToWait } from './throttled.ts';

const secondsForIt = 10 * 60;
const purpose = 'enrolment';
const setUpPurpose = 'enrolment app';
const setUpSeconds = 30 * 60;

const Entered = z.object({ user_id: z.uuid() });

/**
 * Tells a user who entered their password, or returned from a provider, that the sign-in policy requires a second factor, which they do not
 * have. That alone does not let them add one: a link is required.
 */
export async function showEnrolmentRequired(
  deps: PagesDeps,
  ctx: Context,
  { user_id, view }: { user_id: string; view: SignInView },
  result: { is_sent?: boolean; blocked?: string } = {},
): Promise<void> {
  const user = await findUserById(deps.db, user_id);
  const canGet = user !== undefined && (await canGetEnrolmentLink(withMail(deps), user));
  const { action, client_name, cancel } = view;
  const csrf = csrfToken(deps, ctx);
  const enrolment = carry(deps, { purpose, browser: csrf, seconds: secondsForIt }, { user_id });
  const offered = canGet ? 'offer' : 'ask';
  const state = result.is_sent ? 'sent' : offered;
  const data = {
    csrf,
    action,
    client_name,
    cancel,
    enrolment,
    state,
    is_passkey_only: await isPasskeyOnly(deps, user_id),
  } as const;
  show(deps, ctx, 'enrolment-required', { ...data, blocked: result.blocked }, { status: result.blocked ? 429 : 200 });
}

/** Whether an authenticator app is not enough. */
async function isPasskeyOnly(deps: PagesDeps, user_id: string): Promise<boolean> {
  return !isAllowed(await deps.policy.current(), 'totp') || (await requiredOfUser(deps, user_id)) === 'phr';
}

async function allowedRelyingParty(deps: PagesDeps): Promise<RelyingParty | undefined> {
  return isAllowed(await deps.policy.current(), 'passkey') ? relyingParty(deps) : undefined;
}

/** Mails the link to a user who entered their password a short while ago. @returns whether it has answered */
export async function sendEnrolmentLink(deps: PagesDeps, ctx: Context, view: SignInView): Promise<boolean> {
  const sent = form(ctx).get('enrolment') ?? '';
  const state = Entered.safeParse(carriedState(deps, { purpose, browser: csrfToken(deps, ctx) }, sent)).data;
  if (!state) return false;
  const { user_id } = state;
  if ((await deps.throttles.countRecovery(user_id)) !== undefined) {
    const blocked = textsFor(deps, ctx).enrolment.throttled;
    await showEnrolmentRequired(deps, ctx, { user_id, view }, { blocked });
    return true;
  }
  const mailed_to = await mailEnrolmentLink(withMail(deps), person(user_id, requestOrigin(ctx)), user_id);
  await showEnrolmentRequired(deps, ctx, { user_id, view }, { is_sent: mailed_to !== undefined });
  return true;
}

/** Adding a first second factor with a one-time link and the password. */
export function enrolmentRoutes(router: Router, deps: PagesDeps): void {
  router.get('/second-factor/:secret', async (ctx: Context) => {
    await showForm(deps, ctx, await enrollingUser(deps, ctx), {});
  });
  router.post('/second-factor/:secret', async (ctx: Context) => {
    checkCsrf(deps, ctx);
    await submit(deps, ctx, await enrollingUser(deps, ctx));
  });
}

async function enrollingUser(deps: PagesDeps, ctx: Context): Promise<User> {
  const user = await findEnrollingUser(withMail(deps), ctx.params.secret);
  if (!user) throw linkClosed();
  return user;
}

async function showForm(deps: PagesDeps, ctx: Context, user: User, errors: FieldErrors, status = 200): Promise<void> {
  const csrf = csrfToken(deps, ctx);
  const rp = await allowedRelyingParty(deps);
  const created = rp && (await passkeyCreation(factorDeps(deps), rp, { browser: csrf, user, present: [] }));
  const secret = sentSecret(deps, ctx) ?? (await generateCodeSecret());
  const uri = await codeUri(secret, { brand: deps.config.brandName, account: accountName(user) });
  const carried = { purpose: setUpPurpose, browser: csrf, seconds: setUpSeconds };
  const has_password = await hasPassword(deps.db, user.id);
  const data = {
    ...{ csrf, action: ctx.path, errors, account_name: accountName(user), username: user.username },
    ...{ has_password, must_sign_in: !has_password && !providerEntryOf(deps, ctx, user.id) },
    pending: carry(deps, carried, secret),
    passkey: created && JSON.stringify(created),
    picture: (await isPasskeyOnly(deps, user.id)) ? undefined : renderSVG(uri, { border: 2 }),
    key: secret.replaceAll(/(.{4})(?=.)/g, '$1 '),
  };
  const shown = Object.keys(errors).length > 0 && status === 200 ? 422 : status;
  show(deps, ctx, 'enrolment', data, { status: shown });
}

/** The secret of the form that was sent; undefined: it is shown for the first time, or was open for too long. */
function sentSecret(deps: PagesDeps, ctx: Context): string | undefined {
  const pending = ctx.method === 'POST' ? (form(ctx).get('pending') ?? '') : '';
  const state = carriedState(deps, { purpose: setUpPurpose, browser: csrfToken(deps, ctx) }, pending);
  return typeof state === 'string' ? state : undefined;
}

type Proven = Pick<Authentication, 'user_epoch' | 'authenticated_at' | 'amr' | 'provider'>;

/** The sender of the form needs a proof beside the link: the password, or a sign-in with the provider just before. */
async function provenUser(deps: PagesDeps, ctx: Context, user: User): Promise<Proven | undefined> {
  if (await hasPassword(deps.db, user.id)) return provenByPassword(deps, ctx, user);
  const entered = providerEntryOf(deps, ctx, user.id);
  if (entered) return { ...entered, authenticated_at: deps.now() };
  await showForm(deps, ctx, user, {}, 422);
  return undefined;
}

async function provenByPassword(deps: PagesDeps, ctx: Context, user: User): Promise<Proven | undefined> {
  const t = textsFor(deps, ctx);
  const password = form(ctx).get('password') ?? '';
  const who = { user_id: user.id };
  const device = (account: string) => knownDevice(deps, ctx, account);
  const outcome = await authenticate(deps, { who, password, device, origin: requestOrigin(ctx) });
  if (outcome.kind === 'throttled') {
    const minutes = minutesToWait(ctx, outcome.retryAfterSeconds);
    await showForm(deps, ctx, user, { password: t.signIn.throttled({ minutes }) }, 429);
    return undefined;
  }
  if (outcome.kind === 'ok') return outcome;
  await showForm(deps, ctx, user, { password: t.records.wrongPassword });
  return undefined;
}

async function submit(deps: PagesDeps, ctx: Context, user: User): Promise<void> {
  const proven = await provenUser(deps, ctx, user);
  if (!proven) return;
  const added = await addFactor(deps, ctx, user).catch(asOutcome);
  if ('errors' in added) {
    await showForm(deps, ctx, user, added.errors);
    return;
  }
  const { user_epoch, authenticated_at, provider } = proven;
  const amr = together(proven.amr, added.amr);
  const authentication: Authentication = { user_id: user.id, user_epoch, authenticated_at, amr, provider };
  await signInHere(deps, ctx, { ...authentication, to: `${pagePaths.security}?done=${added.done}` });
}

type Added = { amr: readonly string[]; done: string } | { errors: FieldErrors };

async function addFactor(deps: PagesDeps, ctx: Context, user: User): Promise<Added> {
  const t = textsFor(deps, ctx);
  const link: string = ctx.params.secret;
  const actor = person(user.id, requestOrigin(ctx));
  const answer = form(ctx).get('passkey') ?? '';
  const rp = await allowedRelyingParty(deps);
  if (answer && rp) {
    const passkey = await madePasskey(factorDeps(deps), rp, { browser: csrfToken(deps, ctx), answer });
    if (!passkey) return { errors: { form: t.security.passkeyRefused } };
    await addPasskey(factorDeps(deps), actor, { name: t.enrolment.passkeyName, passkey, link });
    return { amr: [passkey.is_backed_up ? 'swk' : 'hwk', 'user'], done: 'passkey-added' };
  }
  if (await isPasskeyOnly(deps, user.id)) return { errors: { form: t.enrolment.noPasskey } };
  const secret = sentSecret(deps, ctx);
  if (!secret) return { errors: { form: t.security.setUpExpired } };
  await addOneTimeCodes(factorDeps(deps), actor, { secret, code: form(ctx).get('code') ?? '', link });
  return { amr: ['otp'], done: 'app-added' };
}

/** The errors beside their fields; or a link that was used meanwhile. */
function asOutcome(error: unknown): Added {
  if (!(error instanceof Problem)) throw error;
  if (error.type === 'not_found') throw linkClosed();
  if (error.type === 'invalid') return { errors: { code: error.message } };
  if (error.type === 'conflict') return { errors: { form: error.message } };
  throw error;
}
